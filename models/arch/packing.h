/*
 * A base model's matrices as bfloat16, in place of the float32 ones: half of what a product reads.
 * Packed are the blocks' matrices and a language model's head; embeddings, norms, biases and the
 * pooler stay float32.
 */
#ifndef SOTTO_MODELS_ARCH_PACKING_H
#define SOTTO_MODELS_ARCH_PACKING_H

#include "models/arch/base.h"
#include "models/kernels/device/arena.h"
#include "models/kernels/kernels.h"

struct sotto_base_packed {
    struct sotto_workspace memory;
    struct sotto_packed *blocks; /* [block_count][SOTTO_BLOCK_LINEAR_COUNT] */
    struct sotto_packed lm_head; /* rows 0: a classifier has none */
};

/*
 * Packs, and gives the pages of the blocks' float32 matrices back to the system: nothing may read
 * them from then on, here or on the device.
 *
 *   weights  in  the base's, adopted by the table
 *
 * SOTTO_UNSUPPORTED: a width is no multiple of SOTTO_PANEL_WIDTH; SOTTO_NO_MEMORY: the base is as
 * before, nothing is packed.
 */
SOTTO_CHECKED enum sotto_status sotto_base_pack(struct sotto_base_packed *packed,
                                                struct sotto_base *base,
                                                const struct sotto_device_float *weights,
                                                const struct sotto_kernels *kernels,
                                                struct sotto_fault *fault);
void sotto_base_packed_close(struct sotto_base_packed *packed); /* twice is harmless */

#endif
