/*
 * The vision transformer over models/block: patch embedding, class token, learned positions,
 * blocks, final norm. Dosovitskiy et al., ICLR 2021. The classifier on top of the class token
 * belongs to the adapter (models/trainer.h).
 */
#ifndef SOTTO_MODELS_ARCH_VIT_H
#define SOTTO_MODELS_ARCH_VIT_H

#include "models/arch/arch.h"
#include "models/block/block.h"
#include "models/ops/patches.h"

enum { SOTTO_VIT_NAME_MAX = 95, SOTTO_VIT_RANK_MAX = 4 };

/*
 * One base tensor: its name in a Hugging Face checkpoint and its place in the weights. The list of
 * tensors exists once; loading, writing and tests derive from it. Order in memory: class token,
 * positions, patch weight, patch bias, blocks 0 .. n-1 in the order of enum sotto_block_tensor,
 * final norm gain, final norm bias.
 */
struct sotto_vit_tensor {
    char name[SOTTO_VIT_NAME_MAX + 1]; /* ViTForImageClassification's in transformers 4: written */
    char name_of_5[SOTTO_VIT_NAME_MAX + 1]; /* the same in transformers 5: read as well */
    size_t rank;
    uint64_t shape[SOTTO_VIT_RANK_MAX];
    size_t first; /* in the weights */
    size_t count;
    bool is_stored; /* false: a tensor that blocks of this model lack; count 0, no name */
    bool has_decay; /* a matrix: weight decay applies in pretraining */
};

size_t sotto_vit_tensor_count(const struct sotto_arch *arch);
/* index < sotto_vit_tensor_count */
struct sotto_vit_tensor sotto_vit_tensor(const struct sotto_arch *arch, size_t index);
size_t sotto_vit_weight_count(const struct sotto_arch *arch);

/* The tensors outside the blocks, and where block 0's weights begin; blocks follow one another. */
struct sotto_vit_places {
    size_t class_token;  /* [width] */
    size_t positions;    /* [token count, width], class token first */
    size_t patch_weight; /* [width, patch values] */
    size_t patch_bias;   /* [width] */
    size_t blocks;       /* block_count * sotto_block_weight_count */
    size_t norm_gain;    /* [width] */
    size_t norm_bias;    /* [width] */
};
struct sotto_vit_places sotto_vit_places(const struct sotto_arch *arch);

struct sotto_block_spec sotto_vit_block_spec(const struct sotto_arch *arch);
struct sotto_patch_shape sotto_vit_patch_shape(const struct sotto_arch *arch);

/* A frozen base with adapters in its blocks. The blocks are the caller's, [block_count]. */
struct sotto_vit {
    const struct sotto_kernels *kernels;
    const struct sotto_arch *arch;
    const float *weights; /* [sotto_vit_weight_count] */
    struct sotto_pixel_map pixel_map;
    struct sotto_block *blocks; /* sotto_vit_bind sets them up, the trainer adds adapters */
};

/* Points each block at its weights, without gradients and adapters. */
void sotto_vit_bind(struct sotto_vit *vit);

/* What a forward leaves for its backward, for up to batch_max pictures. */
struct sotto_vit_pass {
    uint32_t batch_max;
    uint32_t batch;  /* of the last forward */
    float *patches;  /* [patch count, patch values] of one picture */
    float *streams;  /* [block_count + 1][batch * tokens, width] between the blocks */
    float *gradient; /* [batch * tokens, width] */
    struct sotto_norm_rows rows;
    struct sotto_block_pass *blocks; /* [block_count] */
    struct sotto_block_scratch scratch;
};

SOTTO_CHECKED enum sotto_status sotto_vit_pass_take(struct sotto_vit_pass *pass,
                                                    const struct sotto_vit *vit, uint32_t batch_max,
                                                    struct sotto_arena *arena);

/*
 *   features  out  [batch, width] the class token after the final norm
 *   pictures  in   [batch] pointers to pixels [channels, image_side, image_side]
 */
void sotto_vit_forward(const struct sotto_vit *vit, struct sotto_vit_pass *pass, float *features,
                       const uint8_t *const *pictures, uint32_t batch);

/*
 * Adds the gradients of all adapters; stops at the lowest block that trains anything.
 *
 *   features_gradient  in  [batch, width]
 */
void sotto_vit_backward(const struct sotto_vit *vit, struct sotto_vit_pass *pass,
                        const float *features_gradient);

#endif
