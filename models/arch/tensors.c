#include "models/arch/tensors.h"

#include <assert.h>
#include <stdio.h>

enum {
    VIT = 1 << SOTTO_FAMILY_VIT,
    DEIT = 1 << SOTTO_FAMILY_DEIT,
    BERT = 1 << SOTTO_FAMILY_BERT,
    LLAMA = 1 << SOTTO_FAMILY_LLAMA,
    PICTURES = VIT | DEIT,
};

static const enum sotto_outer first_after_blocks = SOTTO_OUTER_NORM_GAIN;

/* What an axis of a tensor is as long as. */
enum extent {
    NONE,
    ONE,
    WIDTH,
    CHANNELS,
    PATCH_SIDE,
    TOKENS,
    POSITIONS,
    VOCABULARY,
    TYPES,
    EXTENT_COUNT
};

struct outer_row {
    enum sotto_outer outer;
    int families;
    const char *name; /* after the family's prefix */
    enum extent extents[SOTTO_BASE_RANK_MAX];
};

static const struct outer_row outer_rows[] = {
    {SOTTO_OUTER_CLASS_TOKEN, PICTURES, "embeddings.cls_token", {ONE, ONE, WIDTH}},
    {SOTTO_OUTER_SECOND_TOKEN, DEIT, "embeddings.distillation_token", {ONE, ONE, WIDTH}},
    {SOTTO_OUTER_WORDS, BERT, "embeddings.word_embeddings.weight", {VOCABULARY, WIDTH}},
    {SOTTO_OUTER_WORDS, LLAMA, "embed_tokens.weight", {VOCABULARY, WIDTH}},
    {SOTTO_OUTER_POSITIONS, PICTURES, "embeddings.position_embeddings", {ONE, TOKENS, WIDTH}},
    {SOTTO_OUTER_POSITIONS, BERT, "embeddings.position_embeddings.weight", {POSITIONS, WIDTH}},
    {SOTTO_OUTER_TYPES, BERT, "embeddings.token_type_embeddings.weight", {TYPES, WIDTH}},
    {SOTTO_OUTER_PATCH_WEIGHT,
     PICTURES,
     "embeddings.patch_embeddings.projection.weight",
     {WIDTH, CHANNELS, PATCH_SIDE, PATCH_SIDE}},
    {SOTTO_OUTER_PATCH_BIAS, PICTURES, "embeddings.patch_embeddings.projection.bias", {WIDTH}},
    {SOTTO_OUTER_EMBEDDING_NORM_GAIN, BERT, "embeddings.LayerNorm.weight", {WIDTH}},
    {SOTTO_OUTER_EMBEDDING_NORM_BIAS, BERT, "embeddings.LayerNorm.bias", {WIDTH}},
    {SOTTO_OUTER_NORM_GAIN, PICTURES, "layernorm.weight", {WIDTH}},
    {SOTTO_OUTER_NORM_GAIN, LLAMA, "norm.weight", {WIDTH}},
    {SOTTO_OUTER_NORM_BIAS, PICTURES, "layernorm.bias", {WIDTH}},
    {SOTTO_OUTER_POOLER_WEIGHT, BERT, "pooler.dense.weight", {WIDTH, WIDTH}},
    {SOTTO_OUTER_POOLER_BIAS, BERT, "pooler.dense.bias", {WIDTH}},
    {SOTTO_OUTER_LM_HEAD, LLAMA, "lm_head.weight", {VOCABULARY, WIDTH}},
};

/* A block's tensor: a linear layer's or a norm's, weight or bias. */
static const struct block_row {
    bool is_norm;
    int module; /* enum sotto_block_linear, or 0 beside the attention and 1 beside the MLP */
    const char *ending;
} block_rows[SOTTO_BLOCK_TENSOR_COUNT] = {
    [SOTTO_BLOCK_ATTENTION_NORM_GAIN] = {true, 0, "weight"},
    [SOTTO_BLOCK_ATTENTION_NORM_BIAS] = {true, 0, "bias"},
    [SOTTO_BLOCK_QUERY_WEIGHT] = {false, SOTTO_BLOCK_QUERY, "weight"},
    [SOTTO_BLOCK_KEY_WEIGHT] = {false, SOTTO_BLOCK_KEY, "weight"},
    [SOTTO_BLOCK_VALUE_WEIGHT] = {false, SOTTO_BLOCK_VALUE, "weight"},
    [SOTTO_BLOCK_QUERY_BIAS] = {false, SOTTO_BLOCK_QUERY, "bias"},
    [SOTTO_BLOCK_KEY_BIAS] = {false, SOTTO_BLOCK_KEY, "bias"},
    [SOTTO_BLOCK_VALUE_BIAS] = {false, SOTTO_BLOCK_VALUE, "bias"},
    [SOTTO_BLOCK_ATTENTION_OUT_WEIGHT] = {false, SOTTO_BLOCK_ATTENTION_OUT, "weight"},
    [SOTTO_BLOCK_ATTENTION_OUT_BIAS] = {false, SOTTO_BLOCK_ATTENTION_OUT, "bias"},
    [SOTTO_BLOCK_MLP_NORM_GAIN] = {true, 1, "weight"},
    [SOTTO_BLOCK_MLP_NORM_BIAS] = {true, 1, "bias"},
    [SOTTO_BLOCK_MLP_GATE_WEIGHT] = {false, SOTTO_BLOCK_MLP_GATE, "weight"},
    [SOTTO_BLOCK_MLP_IN_WEIGHT] = {false, SOTTO_BLOCK_MLP_IN, "weight"},
    [SOTTO_BLOCK_MLP_GATE_BIAS] = {false, SOTTO_BLOCK_MLP_GATE, "bias"},
    [SOTTO_BLOCK_MLP_IN_BIAS] = {false, SOTTO_BLOCK_MLP_IN, "bias"},
    [SOTTO_BLOCK_MLP_OUT_WEIGHT] = {false, SOTTO_BLOCK_MLP_OUT, "weight"},
    [SOTTO_BLOCK_MLP_OUT_BIAS] = {false, SOTTO_BLOCK_MLP_OUT, "bias"},
};

struct sotto_block_spec sotto_arch_block_spec(const struct sotto_arch *arch)
{
    static const enum sotto_activation activations[] = {
        [SOTTO_ARCH_GELU] = SOTTO_ACTIVATION_GELU_ERF,
        [SOTTO_ARCH_GELU_TANH] = SOTTO_ACTIVATION_GELU_TANH,
        [SOTTO_ARCH_SILU_GATE] = SOTTO_ACTIVATION_SILU_GATE,
    };
    const uint32_t qkv = 1u << SOTTO_BLOCK_QUERY | 1u << SOTTO_BLOCK_KEY | 1u << SOTTO_BLOCK_VALUE;
    const uint32_t out = 1u << SOTTO_BLOCK_ATTENTION_OUT;
    const uint32_t mlp = 1u << SOTTO_BLOCK_MLP_IN | 1u << SOTTO_BLOCK_MLP_OUT;
    bool is_decoder = arch->task == SOTTO_TASK_CAUSAL_LM;
    bool is_gated = arch->activation == SOTTO_ARCH_SILU_GATE;

    return (struct sotto_block_spec){
        .width = arch->width,
        .mlp_width = arch->mlp_width,
        .head_count = arch->head_count,
        .kv_head_count = arch->kv_head_count,
        .head_width = arch->head_width,
        .norm_kind = is_decoder ? SOTTO_NORM_RMS : SOTTO_NORM_LAYER,
        .norm_place = arch->family == SOTTO_FAMILY_BERT ? SOTTO_NORM_AFTER : SOTTO_NORM_BEFORE,
        .norm_epsilon = (float)arch->norm_epsilon,
        .activation = activations[arch->activation],
        .is_causal = is_decoder,
        .is_rotary = arch->rope.theta > 0.0,
        .bias_set = (arch->has_qkv_bias ? qkv : 0) | (arch->has_out_bias ? out : 0) |
                    (arch->has_mlp_bias ? mlp : 0) |
                    (arch->has_mlp_bias && is_gated ? 1u << SOTTO_BLOCK_MLP_GATE : 0),
    };
}

struct sotto_patch_shape sotto_arch_patch_shape(const struct sotto_arch *arch)
{
    return (struct sotto_patch_shape){arch->channels, arch->image_side, arch->patch_side};
}

/* NULL: the family lacks it, or shares it. */
static const struct outer_row *row_of(const struct sotto_arch *arch, enum sotto_outer outer)
{
    if (outer == SOTTO_OUTER_LM_HEAD && arch->has_tied_embeddings)
        return NULL;
    for (size_t i = 0; i < sizeof outer_rows / sizeof outer_rows[0]; i++) {
        if (outer_rows[i].outer == outer && (outer_rows[i].families & 1 << arch->family) != 0)
            return &outer_rows[i];
    }
    return NULL;
}

static uint64_t length_of(const struct sotto_arch *arch, enum extent extent)
{
    const bool has_pictures = arch->task == SOTTO_TASK_PICTURE_CLASS;
    const uint64_t lengths[EXTENT_COUNT] = {
        [NONE] = 0,
        [ONE] = 1,
        [WIDTH] = arch->width,
        [CHANNELS] = arch->channels,
        [PATCH_SIDE] = arch->patch_side,
        [TOKENS] = has_pictures ? sotto_arch_token_count(arch) : 0,
        [POSITIONS] = arch->position_count,
        [VOCABULARY] = arch->vocabulary,
        [TYPES] = arch->type_count,
    };

    return lengths[extent];
}

/* Without names and place. */
static struct sotto_base_tensor outer_shape(const struct sotto_arch *arch, enum sotto_outer outer)
{
    const struct outer_row *row = row_of(arch, outer);
    struct sotto_base_tensor tensor = {.count = row != NULL};

    for (; row != NULL && tensor.rank < SOTTO_BASE_RANK_MAX; tensor.rank++) {
        if (row->extents[tensor.rank] == NONE)
            break;
        tensor.shape[tensor.rank] = length_of(arch, row->extents[tensor.rank]);
        tensor.count *= (size_t)tensor.shape[tensor.rank];
    }
    tensor.has_decay =
        row != NULL && (outer == SOTTO_OUTER_PATCH_WEIGHT || outer == SOTTO_OUTER_POOLER_WEIGHT);
    return tensor;
}

/* Without its place. */
static struct sotto_base_tensor outer_tensor(const struct sotto_arch *arch, enum sotto_outer outer)
{
    const struct outer_row *row = row_of(arch, outer);
    const char *prefix =
        outer == SOTTO_OUTER_LM_HEAD ? "" : sotto_family_names(arch->family)->prefix;
    struct sotto_base_tensor tensor = outer_shape(arch, outer);

    for (size_t naming = 0; naming < SOTTO_NAMING_COUNT && row != NULL; naming++)
        snprintf(tensor.names[naming], sizeof tensor.names[naming], "%s%s", prefix, row->name);
    return tensor;
}

static size_t outer_counts(const struct sotto_arch *arch, uint32_t begin, uint32_t end)
{
    size_t count = 0;

    for (uint32_t outer = begin; outer < end; outer++)
        count += outer_shape(arch, (enum sotto_outer)outer).count;
    return count;
}

size_t sotto_base_blocks_place(const struct sotto_arch *arch)
{
    return outer_counts(arch, 0, first_after_blocks);
}

static size_t block_weights(const struct sotto_arch *arch)
{
    struct sotto_block_spec spec = sotto_arch_block_spec(arch);

    return sotto_block_weight_count(&spec);
}

static size_t blocks_end(const struct sotto_arch *arch)
{
    return sotto_base_blocks_place(arch) + arch->block_count * block_weights(arch);
}

static size_t place_of(const struct sotto_arch *arch, enum sotto_outer outer)
{
    if (outer < first_after_blocks)
        return outer_counts(arch, 0, (uint32_t)outer);
    return blocks_end(arch) + outer_counts(arch, first_after_blocks, (uint32_t)outer);
}

bool sotto_base_has_outer(const struct sotto_arch *arch, enum sotto_outer outer)
{
    return row_of(arch, outer) != NULL;
}

size_t sotto_base_outer_place(const struct sotto_arch *arch, enum sotto_outer outer)
{
    assert(sotto_base_has_outer(arch, outer));
    return place_of(arch, outer);
}

size_t sotto_base_weight_count(const struct sotto_arch *arch)
{
    return blocks_end(arch) + outer_counts(arch, first_after_blocks, SOTTO_OUTER_COUNT);
}

size_t sotto_base_tensor_count(const struct sotto_arch *arch)
{
    return SOTTO_OUTER_COUNT + (size_t)arch->block_count * SOTTO_BLOCK_TENSOR_COUNT;
}

static const char *module_of(const struct sotto_family_names *names, const struct block_row *row,
                             size_t naming)
{
    if (!row->is_norm)
        return names->linears[row->module][naming];
    return row->module == 0 ? names->attention_norm[naming] : names->mlp_norm[naming];
}

static struct sotto_base_tensor block_tensor(const struct sotto_arch *arch, size_t block,
                                             enum sotto_block_tensor kind)
{
    const struct sotto_family_names *names = sotto_family_names(arch->family);
    struct sotto_block_spec spec = sotto_arch_block_spec(arch);
    struct sotto_block_tensor_place place = sotto_block_tensor_place(&spec, kind);
    bool is_matrix = place.columns > 1;
    struct sotto_base_tensor tensor = {.rank = is_matrix ? 2 : 1,
                                       .shape = {place.rows, is_matrix ? place.columns : 0},
                                       .first = sotto_base_blocks_place(arch) +
                                                block * block_weights(arch) + place.first,
                                       .has_decay = is_matrix && place.rows > 0};

    for (size_t naming = 0; naming < SOTTO_NAMING_COUNT && place.rows > 0; naming++)
        snprintf(tensor.names[naming], sizeof tensor.names[naming], "%s%zu.%s.%s",
                 names->blocks[naming], block, module_of(names, &block_rows[kind], naming),
                 block_rows[kind].ending);
    tensor.count = (size_t)place.rows * (is_matrix ? place.columns : 1);
    return tensor;
}

struct sotto_base_tensor sotto_base_tensor(const struct sotto_arch *arch, size_t index)
{
    size_t end = first_after_blocks + (size_t)arch->block_count * SOTTO_BLOCK_TENSOR_COUNT;
    enum sotto_outer outer =
        (enum sotto_outer)(index < first_after_blocks ? index : index - end + first_after_blocks);
    struct sotto_base_tensor tensor;

    assert(index < sotto_base_tensor_count(arch));
    if (index >= first_after_blocks && index < end)
        return block_tensor(arch, (index - first_after_blocks) / SOTTO_BLOCK_TENSOR_COUNT,
                            (index - first_after_blocks) % SOTTO_BLOCK_TENSOR_COUNT);
    tensor = outer_tensor(arch, outer);
    tensor.first = place_of(arch, outer);
    return tensor;
}

bool sotto_base_ends_block(const struct sotto_arch *arch, size_t index, uint32_t *block)
{
    size_t place = index + 1 - first_after_blocks;

    if (index + 1 <= first_after_blocks || place % SOTTO_BLOCK_TENSOR_COUNT != 0 ||
        place / SOTTO_BLOCK_TENSOR_COUNT > arch->block_count)
        return false;
    *block = (uint32_t)(place / SOTTO_BLOCK_TENSOR_COUNT - 1);
    return true;
}
