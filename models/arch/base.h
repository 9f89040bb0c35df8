/*
 * A base model opened from a Hugging Face directory. Its weights lie as float32 in one piece of
 * memory, in the order of models/arch/tensors.h, and are only read from then on.
 */
#ifndef SOTTO_MODELS_ARCH_BASE_H
#define SOTTO_MODELS_ARCH_BASE_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "models/arch/arch.h"
#include "models/arch/files.h"
#include "models/kernels/step/patches.h"

struct sotto_base {
    struct sotto_arch arch;
    struct sotto_pixel_map pixel_map; /* of pictures */
    struct sotto_arena memory;
    float *weights; /* [sotto_base_weight_count] in `memory` */
    struct sotto_model_files files;
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (a tensor that is missing, has another shape
 * than the config says or is not known), SOTTO_UNSUPPORTED, SOTTO_OVER_LIMIT, SOTTO_IO,
 * SOTTO_NO_MEMORY: nothing stays open, the fault names file and tensor.
 */
SOTTO_CHECKED enum sotto_status sotto_base_open(struct sotto_base *base, const char *folder,
                                                struct sotto_fault *fault);

/* Somebody who takes a block's weights elsewhere as soon as they were read. */
struct sotto_base_taker {
    void *context;
    enum sotto_status (*take)(void *context, struct sotto_base *base, uint32_t block,
                              struct sotto_fault *fault);
};

/*
 * The same, a block after another given to `taker`, which may drop its matrices from base->memory;
 * what lies before the blocks was read then. Its statuses besides.
 */
SOTTO_CHECKED enum sotto_status sotto_base_open_by_blocks(struct sotto_base *base,
                                                          const char *folder,
                                                          const struct sotto_base_taker *taker,
                                                          struct sotto_fault *fault);
void sotto_base_close(struct sotto_base *base); /* closing twice is harmless */

#endif
