/*
 * The tensors of a base model: their names in a Hugging Face checkpoint and their places in one
 * piece of memory. The list exists once; loading, writing and tests derive from it.
 *
 * Order in memory: the tensors before the blocks in the order of enum sotto_outer, the blocks 0 ..
 * n-1 in the order of enum sotto_block_tensor, the tensors after them.
 */
#ifndef SOTTO_MODELS_ARCH_TENSORS_H
#define SOTTO_MODELS_ARCH_TENSORS_H

#include "models/arch/arch.h"
#include "models/arch/family.h"
#include "models/block/spec.h"
#include "models/kernels/step/patches.h"

/* The tensors outside the blocks; which of them a family has, tensors.c says. */
enum sotto_outer {
    SOTTO_OUTER_CLASS_TOKEN,         /* [1, 1, width] */
    SOTTO_OUTER_SECOND_TOKEN,        /* [1, 1, width] DeiT's distillation token */
    SOTTO_OUTER_WORDS,               /* [vocabulary, width] */
    SOTTO_OUTER_POSITIONS,           /* [1, token count, width] or [position count, width] */
    SOTTO_OUTER_TYPES,               /* [type count, width] */
    SOTTO_OUTER_PATCH_WEIGHT,        /* [width, channels, patch side, patch side] */
    SOTTO_OUTER_PATCH_BIAS,          /* [width] */
    SOTTO_OUTER_EMBEDDING_NORM_GAIN, /* [width], as all below but the weights */
    SOTTO_OUTER_EMBEDDING_NORM_BIAS,
    SOTTO_OUTER_NORM_GAIN, /* the first after the blocks */
    SOTTO_OUTER_NORM_BIAS,
    SOTTO_OUTER_POOLER_WEIGHT, /* [width, width] */
    SOTTO_OUTER_POOLER_BIAS,
    SOTTO_OUTER_LM_HEAD, /* [vocabulary, width], where it is not tied to the words */
    SOTTO_OUTER_COUNT
};

enum { SOTTO_BASE_NAME_MAX = 95, SOTTO_BASE_RANK_MAX = 4 };

struct sotto_base_tensor {
    char names[SOTTO_NAMING_COUNT][SOTTO_BASE_NAME_MAX + 1];
    size_t rank;
    uint64_t shape[SOTTO_BASE_RANK_MAX];
    size_t first;   /* in the weights */
    size_t count;   /* 0: models of this shape lack it; it has no name then */
    bool has_decay; /* a matrix: weight decay applies in pretraining */
};

/* Of all that a model may have, those it lacks included. */
size_t sotto_base_tensor_count(const struct sotto_arch *arch);
/* index < sotto_base_tensor_count */
struct sotto_base_tensor sotto_base_tensor(const struct sotto_arch *arch, size_t index);
/* Whether the tensor is the last of a block, and of which; *block is set then alone. */
bool sotto_base_ends_block(const struct sotto_arch *arch, size_t index, uint32_t *block);
size_t sotto_base_weight_count(const struct sotto_arch *arch);

/* Where a tensor outside the blocks begins in the weights. The model has it. */
size_t sotto_base_outer_place(const struct sotto_arch *arch, enum sotto_outer outer);
bool sotto_base_has_outer(const struct sotto_arch *arch, enum sotto_outer outer);
/* Where block 0's weights begin; each has sotto_block_weight_count of them. */
size_t sotto_base_blocks_place(const struct sotto_arch *arch);

struct sotto_block_spec sotto_arch_block_spec(const struct sotto_arch *arch);
struct sotto_patch_shape sotto_arch_patch_shape(const struct sotto_arch *arch);

#endif
