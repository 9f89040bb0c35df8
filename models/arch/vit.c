#include "models/arch/vit.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { TENSORS_BEFORE_BLOCKS = 4, TENSORS_AFTER_BLOCKS = 2 };

/* A block's tensors in Hugging Face checkpoints, after vit.encoder.layer.<n>. or vit.layers.<n>. */
static const struct {
    const char *name;
    const char *name_of_5;
} block_names[SOTTO_BLOCK_TENSOR_COUNT] = {
    [SOTTO_BLOCK_ATTENTION_NORM_GAIN] = {"layernorm_before.weight", "layernorm_before.weight"},
    [SOTTO_BLOCK_ATTENTION_NORM_BIAS] = {"layernorm_before.bias", "layernorm_before.bias"},
    [SOTTO_BLOCK_QUERY_WEIGHT] = {"attention.attention.query.weight", "attention.q_proj.weight"},
    [SOTTO_BLOCK_KEY_WEIGHT] = {"attention.attention.key.weight", "attention.k_proj.weight"},
    [SOTTO_BLOCK_VALUE_WEIGHT] = {"attention.attention.value.weight", "attention.v_proj.weight"},
    [SOTTO_BLOCK_QUERY_BIAS] = {"attention.attention.query.bias", "attention.q_proj.bias"},
    [SOTTO_BLOCK_KEY_BIAS] = {"attention.attention.key.bias", "attention.k_proj.bias"},
    [SOTTO_BLOCK_VALUE_BIAS] = {"attention.attention.value.bias", "attention.v_proj.bias"},
    [SOTTO_BLOCK_ATTENTION_OUT_WEIGHT] = {"attention.output.dense.weight",
                                          "attention.o_proj.weight"},
    [SOTTO_BLOCK_ATTENTION_OUT_BIAS] = {"attention.output.dense.bias", "attention.o_proj.bias"},
    [SOTTO_BLOCK_MLP_NORM_GAIN] = {"layernorm_after.weight", "layernorm_after.weight"},
    [SOTTO_BLOCK_MLP_NORM_BIAS] = {"layernorm_after.bias", "layernorm_after.bias"},
    [SOTTO_BLOCK_MLP_IN_WEIGHT] = {"intermediate.dense.weight", "mlp.fc1.weight"},
    [SOTTO_BLOCK_MLP_IN_BIAS] = {"intermediate.dense.bias", "mlp.fc1.bias"},
    [SOTTO_BLOCK_MLP_OUT_WEIGHT] = {"output.dense.weight", "mlp.fc2.weight"},
    [SOTTO_BLOCK_MLP_OUT_BIAS] = {"output.dense.bias", "mlp.fc2.bias"},
};

/* The tensors outside the blocks; their names are the same in both. */
enum outer { CLASS_TOKEN, POSITIONS, PATCH_WEIGHT, PATCH_BIAS, NORM_GAIN, NORM_BIAS, OUTER_COUNT };
enum { OUTER_BEFORE_BLOCKS = NORM_GAIN };

static const char *const outer_names[OUTER_COUNT] = {
    [CLASS_TOKEN] = "vit.embeddings.cls_token",
    [POSITIONS] = "vit.embeddings.position_embeddings",
    [PATCH_WEIGHT] = "vit.embeddings.patch_embeddings.projection.weight",
    [PATCH_BIAS] = "vit.embeddings.patch_embeddings.projection.bias",
    [NORM_GAIN] = "vit.layernorm.weight",
    [NORM_BIAS] = "vit.layernorm.bias",
};

struct sotto_block_spec sotto_vit_block_spec(const struct sotto_arch *arch)
{
    const uint32_t projections =
        1u << SOTTO_BLOCK_QUERY | 1u << SOTTO_BLOCK_KEY | 1u << SOTTO_BLOCK_VALUE;
    const uint32_t others =
        1u << SOTTO_BLOCK_ATTENTION_OUT | 1u << SOTTO_BLOCK_MLP_IN | 1u << SOTTO_BLOCK_MLP_OUT;

    return (struct sotto_block_spec){.width = arch->width,
                                     .mlp_width = arch->mlp_width,
                                     .head_count = arch->head_count,
                                     .kv_head_count = arch->head_count,
                                     .head_width = arch->width / arch->head_count,
                                     .norm_kind = SOTTO_NORM_LAYER,
                                     .norm_place = SOTTO_NORM_BEFORE,
                                     .norm_epsilon = (float)arch->norm_epsilon,
                                     .activation = SOTTO_ACTIVATION_GELU_ERF,
                                     .bias_set = others | (arch->has_qkv_bias ? projections : 0)};
}

struct sotto_patch_shape sotto_vit_patch_shape(const struct sotto_arch *arch)
{
    return (struct sotto_patch_shape){arch->channels, arch->image_side, arch->patch_side};
}

static size_t block_weights(const struct sotto_arch *arch)
{
    struct sotto_block_spec spec = sotto_vit_block_spec(arch);

    return sotto_block_weight_count(&spec);
}

struct sotto_vit_places sotto_vit_places(const struct sotto_arch *arch)
{
    struct sotto_patch_shape patch = sotto_vit_patch_shape(arch);
    size_t width = arch->width;
    struct sotto_vit_places places = {0};

    places.positions = places.class_token + width;
    places.patch_weight = places.positions + sotto_arch_token_count(arch) * width;
    places.patch_bias = places.patch_weight + width * sotto_patch_values(&patch);
    places.blocks = places.patch_bias + width;
    places.norm_gain = places.blocks + arch->block_count * block_weights(arch);
    places.norm_bias = places.norm_gain + width;
    return places;
}

size_t sotto_vit_weight_count(const struct sotto_arch *arch)
{
    return sotto_vit_places(arch).norm_bias + arch->width;
}

size_t sotto_vit_tensor_count(const struct sotto_arch *arch)
{
    return OUTER_COUNT + (size_t)arch->block_count * SOTTO_BLOCK_TENSOR_COUNT;
}

static struct sotto_vit_tensor outer_tensor(const struct sotto_arch *arch, enum outer index)
{
    struct sotto_vit_places places = sotto_vit_places(arch);
    const uint64_t side = arch->patch_side;
    const struct sotto_vit_tensor outer[OUTER_COUNT] = {
        [CLASS_TOKEN] = {.rank = 3, .shape = {1, 1, arch->width}, .first = places.class_token},
        [POSITIONS] = {.rank = 3,
                       .shape = {1, sotto_arch_token_count(arch), arch->width},
                       .first = places.positions},
        [PATCH_WEIGHT] = {.rank = 4,
                          .shape = {arch->width, arch->channels, side, side},
                          .first = places.patch_weight,
                          .has_decay = true},
        [PATCH_BIAS] = {.rank = 1, .shape = {arch->width}, .first = places.patch_bias},
        [NORM_GAIN] = {.rank = 1, .shape = {arch->width}, .first = places.norm_gain},
        [NORM_BIAS] = {.rank = 1, .shape = {arch->width}, .first = places.norm_bias},
    };
    struct sotto_vit_tensor tensor = outer[index];

    snprintf(tensor.name, sizeof tensor.name, "%s", outer_names[index]);
    snprintf(tensor.name_of_5, sizeof tensor.name_of_5, "%s", outer_names[index]);
    tensor.is_stored = true;
    return tensor;
}

static struct sotto_vit_tensor block_tensor(const struct sotto_arch *arch, size_t block,
                                            enum sotto_block_tensor kind)
{
    struct sotto_block_spec spec = sotto_vit_block_spec(arch);
    struct sotto_block_tensor_place place = sotto_block_tensor_place(&spec, kind);
    bool is_matrix = place.columns > 1;
    struct sotto_vit_tensor tensor = {.rank = is_matrix ? 2 : 1,
                                      .first = sotto_vit_places(arch).blocks +
                                               block * block_weights(arch) + place.first,
                                      .has_decay = is_matrix};

    tensor.is_stored = place.rows > 0;
    if (!tensor.is_stored)
        return tensor;
    snprintf(tensor.name, sizeof tensor.name, "vit.encoder.layer.%zu.%s", block,
             block_names[kind].name);
    snprintf(tensor.name_of_5, sizeof tensor.name_of_5, "vit.layers.%zu.%s", block,
             block_names[kind].name_of_5);
    tensor.shape[0] = place.rows;
    tensor.shape[1] = is_matrix ? place.columns : 0;
    return tensor;
}

struct sotto_vit_tensor sotto_vit_tensor(const struct sotto_arch *arch, size_t index)
{
    size_t blocks_end = OUTER_BEFORE_BLOCKS + (size_t)arch->block_count * SOTTO_BLOCK_TENSOR_COUNT;
    struct sotto_vit_tensor tensor;

    assert(index < sotto_vit_tensor_count(arch));
    if (index < OUTER_BEFORE_BLOCKS)
        tensor = outer_tensor(arch, (enum outer)index);
    else if (index >= blocks_end)
        tensor = outer_tensor(arch, (enum outer)(index - blocks_end + OUTER_BEFORE_BLOCKS));
    else
        tensor = block_tensor(arch, (index - OUTER_BEFORE_BLOCKS) / SOTTO_BLOCK_TENSOR_COUNT,
                              (index - OUTER_BEFORE_BLOCKS) % SOTTO_BLOCK_TENSOR_COUNT);
    tensor.count = 1;
    for (size_t axis = 0; axis < tensor.rank; axis++)
        tensor.count *= (size_t)tensor.shape[axis];
    return tensor;
}

void sotto_vit_bind(struct sotto_vit *vit)
{
    size_t first = sotto_vit_places(vit->arch).blocks;

    for (uint32_t i = 0; i < vit->arch->block_count; i++)
        vit->blocks[i] =
            (struct sotto_block){.kernels = vit->kernels,
                                 .spec = sotto_vit_block_spec(vit->arch),
                                 .weights = vit->weights + first + i * block_weights(vit->arch)};
}

/* The last block computes the class token alone: nothing else is read of its result. */
static struct sotto_block_shape shape_of(const struct sotto_arch *arch, uint32_t block,
                                         uint32_t batch)
{
    uint32_t tokens = sotto_arch_token_count(arch);

    return (struct sotto_block_shape){
        .batch = batch, .length_max = tokens, .is_first_only = block + 1 == arch->block_count};
}

static bool take(float **out, struct sotto_arena *arena, size_t count)
{
    *out = sotto_arena_take(arena, count, sizeof **out);
    return arena->counting || *out != NULL;
}

static enum sotto_status take_blocks(struct sotto_vit_pass *pass, const struct sotto_vit *vit,
                                     uint32_t batch_max, struct sotto_arena *arena)
{
    enum sotto_status status = SOTTO_OK;

    pass->blocks = sotto_arena_take(arena, vit->arch->block_count, sizeof *pass->blocks);
    if (pass->blocks == NULL && !arena->counting)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i < vit->arch->block_count && status == SOTTO_OK; i++) {
        struct sotto_block_pass counted;

        status = sotto_block_pass_take(arena->counting ? &counted : &pass->blocks[i],
                                       &vit->blocks[i], shape_of(vit->arch, i, batch_max), arena);
    }
    return status;
}

enum sotto_status sotto_vit_pass_take(struct sotto_vit_pass *pass, const struct sotto_vit *vit,
                                      uint32_t batch_max, struct sotto_arena *arena)
{
    struct sotto_patch_shape patch = sotto_vit_patch_shape(vit->arch);
    size_t rows = (size_t)batch_max * sotto_arch_token_count(vit->arch);
    size_t stream = rows * vit->arch->width;
    struct sotto_block_shape whole = {.batch = batch_max,
                                      .length_max = sotto_arch_token_count(vit->arch)};
    enum sotto_status status;

    *pass = (struct sotto_vit_pass){.batch_max = batch_max};
    if (!take(&pass->patches, arena, sotto_patch_count(&patch) * sotto_patch_values(&patch)) ||
        !take(&pass->streams, arena, stream * (vit->arch->block_count + 1)) ||
        !take(&pass->gradient, arena, stream) || !take(&pass->rows.mean, arena, batch_max) ||
        !take(&pass->rows.inverse_std, arena, batch_max))
        return SOTTO_NO_MEMORY;
    status = take_blocks(pass, vit, batch_max, arena);
    /* All blocks have adapters of one rank, so that one scratch fits them all. */
    if (status == SOTTO_OK)
        status = sotto_block_scratch_take(&pass->scratch, &vit->blocks[0], whole, arena);
    return status;
}

static float *stream_of(const struct sotto_vit *vit, const struct sotto_vit_pass *pass,
                        uint32_t block)
{
    size_t rows = (size_t)pass->batch_max * sotto_arch_token_count(vit->arch);

    return pass->streams + block * rows * vit->arch->width;
}

/* One picture to tokens [token count, width]: class token, patches, and the positions of all. */
static void embed(const struct sotto_vit *vit, const struct sotto_vit_pass *pass, float *tokens,
                  const uint8_t *pixels)
{
    struct sotto_patch_shape shape = sotto_vit_patch_shape(vit->arch);
    struct sotto_vit_places places = sotto_vit_places(vit->arch);
    size_t width = vit->arch->width;
    size_t patches = sotto_patch_count(&shape);
    size_t values = sotto_patch_values(&shape);
    const float *positions = vit->weights + places.positions;
    struct sotto_linear projection = {.in = (uint32_t)values,
                                      .out = (uint32_t)width,
                                      .weight = vit->weights + places.patch_weight,
                                      .bias = vit->weights + places.patch_bias};

    memcpy(tokens, vit->weights + places.class_token, width * sizeof *tokens);
    vit->kernels->add(tokens, positions, width);
    sotto_patches_cut(pass->patches, pixels, &shape, &vit->pixel_map);
    sotto_linear_forward(vit->kernels, &projection, sotto_matrix_of(tokens + width, patches, width),
                         sotto_matrix_view_of(pass->patches, patches, values),
                         sotto_matrix_view_of(positions + width, patches, width));
}

static struct sotto_norm final_norm(const struct sotto_vit *vit)
{
    struct sotto_vit_places places = sotto_vit_places(vit->arch);

    return (struct sotto_norm){.epsilon = (float)vit->arch->norm_epsilon,
                               .gain = vit->weights + places.norm_gain,
                               .bias = vit->weights + places.norm_bias};
}

void sotto_vit_forward(const struct sotto_vit *vit, struct sotto_vit_pass *pass, float *features,
                       const uint8_t *const *pictures, uint32_t batch)
{
    size_t width = vit->arch->width;
    size_t tokens = sotto_arch_token_count(vit->arch);
    uint32_t last = vit->arch->block_count;
    struct sotto_norm norm = final_norm(vit);

    assert(batch >= 1 && batch <= pass->batch_max);
    pass->batch = batch;
    for (size_t sample = 0; sample < batch; sample++)
        embed(vit, pass, stream_of(vit, pass, 0) + sample * tokens * width, pictures[sample]);
    for (uint32_t i = 0; i < last; i++)
        sotto_block_forward(&vit->blocks[i], &pass->blocks[i], &pass->scratch,
                            stream_of(vit, pass, i + 1), stream_of(vit, pass, i),
                            shape_of(vit->arch, i, batch));
    sotto_norm_forward(vit->kernels, &norm, sotto_matrix_of(features, batch, width), pass->rows,
                       sotto_matrix_view_of(stream_of(vit, pass, last), batch, width));
}

/* The first block with something to train; block_count if none has. */
static uint32_t lowest_trained(const struct sotto_vit *vit)
{
    uint32_t lowest = 0;

    while (lowest < vit->arch->block_count && !sotto_block_is_trained(&vit->blocks[lowest]))
        lowest++;
    return lowest;
}

void sotto_vit_backward(const struct sotto_vit *vit, struct sotto_vit_pass *pass,
                        const float *features_gradient)
{
    size_t width = vit->arch->width;
    uint32_t last = vit->arch->block_count;
    uint32_t lowest = lowest_trained(vit);
    struct sotto_norm norm = final_norm(vit);

    if (lowest == last)
        return;
    memset(pass->gradient, 0, pass->batch * width * sizeof *pass->gradient);
    sotto_norm_backward(vit->kernels, &norm, sotto_matrix_of(pass->gradient, pass->batch, width),
                        sotto_matrix_view_of(features_gradient, pass->batch, width),
                        sotto_matrix_view_of(stream_of(vit, pass, last), pass->batch, width),
                        pass->rows);
    for (uint32_t i = last; i-- > lowest;)
        sotto_block_backward(&vit->blocks[i], &pass->blocks[i], &pass->scratch, pass->gradient,
                             i > lowest ? SOTTO_BLOCK_BELOW_TRAINED : SOTTO_BLOCK_BELOW_FROZEN);
}
