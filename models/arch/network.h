/*
 * A whole model over a group of examples: embedding, blocks, and the features that a head takes.
 *     ViT:   the class token after the final norm. Dosovitskiy et al., ICLR 2021, eq. 4.
 *     BERT:  tanh(W h + b) of the first token's h, the pooler. Devlin et al., NAACL 2019.
 *     Llama: the picked tokens after the final norm; each foretells the token after it.
 * A classifier belongs to the adapter, a language model's head to the base: the worker has both.
 */
#ifndef SOTTO_MODELS_ARCH_NETWORK_H
#define SOTTO_MODELS_ARCH_NETWORK_H

#include "models/arch/arch.h"
#include "models/arch/packing.h"
#include "models/block/block.h"
#include "models/kernels/step/patches.h"

/* A frozen base with adapters in its blocks. The blocks are the caller's, [block_count]. */
struct sotto_network {
    const struct sotto_kernels *kernels;
    const struct sotto_arch *arch;
    const struct sotto_device_float *weights; /* [sotto_base_weight_count] */
    const struct sotto_base_packed *packed;   /* in place of the matrices that it has; or NULL */
    struct sotto_pixel_map pixel_map;
    struct sotto_rotary rotary; /* for the longest text, of Llama */
    struct sotto_block *blocks; /* sotto_network_bind sets them up, the worker adds adapters */
    uint32_t adapted_first;     /* the lowest block with an adapter; block_count: none has */
};

/* Points each block at its weights, without gradients and adapters. */
void sotto_network_bind(struct sotto_network *network);

/*
 * Takes the table of rotary positions, for texts of up to `positions` tokens; nothing where the
 * model has none. SOTTO_NO_MEMORY: the workspace is full.
 */
SOTTO_CHECKED enum sotto_status sotto_network_rotary_take(struct sotto_rotary *rotary,
                                                          const struct sotto_arch *arch,
                                                          const struct sotto_kernels *kernels,
                                                          uint32_t positions,
                                                          struct sotto_workspace *workspace);

/* The norm after the last block; gain NULL: the model has none. */
struct sotto_norm sotto_network_final_norm(const struct sotto_network *network);

/* A language model's head, frozen: [vocabulary, width] without bias. */
struct sotto_linear sotto_network_lm_head(const struct sotto_network *network);

/* What a pass is taken for. */
struct sotto_network_room {
    uint32_t sample_max; /* 1 .. SOTTO_SAMPLES_MAX */
    uint32_t length_max; /* tokens of a sample */
    uint32_t row_max;    /* tokens of all samples */
};
enum { SOTTO_SAMPLES_MAX = 400 };

/* The examples of a forward. */
struct sotto_samples {
    uint32_t count;
    const uint8_t *const *pictures; /* [count] pixels [channels, image_side, image_side], or NULL */
    const uint32_t *const *texts;   /* [count] tokens of each, or NULL */
    const uint32_t *lengths;        /* [count] how many tokens, of texts */
    /* [count] what sotto_network_prefix left of each, or NULL. */
    const struct sotto_device_float *const *prefixes;
    const uint32_t *picks; /* [pick_count] rows of the features, of Llama, ascending */
    uint32_t pick_count;
    uint32_t sample_first; /* number of the first one in its step: what dropouts count from */
};

/* What a forward leaves for its backward. */
struct sotto_network_pass {
    struct sotto_network_room room;
    struct sotto_samples samples;       /* of the last forward */
    uint32_t *starts;                   /* [sample_max + 1] first row of each sample */
    struct sotto_device_float *patches; /* [patch count, patch values] of one picture */
    /* [slots][row_max, width] between the blocks; those that never change share. */
    struct sotto_device_float *streams;
    struct sotto_device_float *gradient; /* [row_max, width] */
    /* [2][row_max, width] of Llama: the picked rows, and their gradient. */
    struct sotto_device_float *picked;
    const struct sotto_device_float *features; /* of the last forward */
    struct sotto_norm_rows rows;
    struct sotto_block_pass *blocks; /* [block_count] */
    struct sotto_block_scratch scratch;
};

/* SOTTO_NO_MEMORY: the workspace is full. The adapters' ranks are looked at. */
SOTTO_CHECKED enum sotto_status sotto_network_pass_take(struct sotto_network_pass *pass,
                                                        const struct sotto_network *network,
                                                        struct sotto_network_room room,
                                                        struct sotto_workspace *workspace);

/*
 * Up to the lowest block with an adapter: rows that are the same whatever the adapter is.
 *
 * Returns [rows, width] in the pass's memory, the samples one after another; where no block has an
 * adapter, what the last block makes of them.
 */
const struct sotto_device_float *sotto_network_prefix(const struct sotto_network *network,
                                                      struct sotto_network_pass *pass,
                                                      const struct sotto_samples *samples);

/* Rows of one sample in the result of sotto_network_prefix. */
uint32_t sotto_network_prefix_rows(const struct sotto_network *network, uint32_t length);

/*
 * The samples are kept by reference until the backward is done, as are the features.
 *
 *   features  out  [count, width] of a classifier, [pick_count, width] of a language model
 */
void sotto_network_forward(const struct sotto_network *network, struct sotto_network_pass *pass,
                           struct sotto_device_float *features,
                           const struct sotto_samples *samples);

/*
 * Adds the gradients of all adapters; stops at the lowest block that has one.
 *
 *   features_gradient  inout  as the features; garbage afterwards
 */
void sotto_network_backward(const struct sotto_network *network, struct sotto_network_pass *pass,
                            struct sotto_device_float *features_gradient);

#endif
