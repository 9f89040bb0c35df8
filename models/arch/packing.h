/*
 * A base model's matrices in the order of the products: as bfloat16, half of what a product reads,
 * or as float32 where the table's products gain by it. Packed are the blocks' matrices, and as
 * bfloat16 a language model's head; embeddings, norms, biases and the pooler stay as they are.
 */
#ifndef SOTTO_MODELS_ARCH_PACKING_H
#define SOTTO_MODELS_ARCH_PACKING_H

#include "models/arch/base.h"
#include "models/block/packing.h"
#include "models/kernels/device/arena.h"

struct sotto_base_packed {
    const struct sotto_kernels *kernels;
    bool as_halves;
    struct sotto_workspace memory;
    struct sotto_packing packing; /* on in `memory` */
    struct sotto_packed *blocks;  /* [block_count][SOTTO_BLOCK_LINEAR_COUNT], NULL: nothing is */
    struct sotto_packed lm_head;  /* rows 0: there is none */
};

/*
 * Opens a base and packs each block as soon as it was read; the pages of its float32 matrices go
 * back to the system, so that a model is in memory once. Nothing may read them from then on. With
 * float32 weights nothing is packed where the table gains nothing by it, or where a width is no
 * multiple of SOTTO_PANEL_WIDTH.
 *
 *   base, packed  out
 *   as_halves     in   bfloat16
 *
 * As sotto_base_open; SOTTO_UNSUPPORTED also where bfloat16 is wanted and a width is no multiple of
 * SOTTO_PANEL_WIDTH. Nothing stays open then.
 */
SOTTO_CHECKED enum sotto_status sotto_base_open_packed(struct sotto_base *base,
                                                       struct sotto_base_packed *packed,
                                                       const char *folder,
                                                       const struct sotto_kernels *kernels,
                                                       bool as_halves, struct sotto_fault *fault);
void sotto_base_packed_close(struct sotto_base_packed *packed); /* twice is harmless */

#endif
