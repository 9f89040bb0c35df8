#include "models/pretrain/mae.h"

#include <math.h>
#include <string.h>

#define TOKEN_DEVIATION 0.02

/* Something to be done with one tensor: it begins at `first` and has rows x columns values. */
struct tensor_visit {
    size_t first;
    size_t rows;
    size_t columns;
    bool is_matrix;
};

struct visitor {
    void (*visit)(struct visitor *visitor, struct tensor_visit tensor);
    float *weights;
    struct sotto_entropy *entropy;
    struct sotto_adamw_span *spans;
    size_t span_count;
    double weight_decay;
};

uint32_t sotto_mae_patch_count(const struct sotto_mae *mae)
{
    return sotto_arch_token_count(&mae->arch) - 1;
}

uint32_t sotto_mae_hidden_count(const struct sotto_mae *mae)
{
    return sotto_mae_patch_count(mae) - mae->visible_count;
}

size_t sotto_mae_patch_values(const struct sotto_mae *mae)
{
    struct sotto_patch_shape shape = sotto_arch_patch_shape(&mae->arch);

    return sotto_patch_values(&shape);
}

struct sotto_block_spec sotto_mae_decoder_spec(const struct sotto_mae *mae)
{
    struct sotto_block_spec spec = sotto_arch_block_spec(&mae->arch);

    spec.width = mae->decoder_width;
    spec.mlp_width = 4 * mae->decoder_width;
    spec.head_count = mae->decoder_heads;
    spec.kv_head_count = mae->decoder_heads;
    spec.head_width = mae->decoder_width / mae->decoder_heads;
    return spec;
}

struct sotto_mae_encoder_places sotto_mae_encoder_places(const struct sotto_arch *arch)
{
    return (struct sotto_mae_encoder_places){
        .class_token = sotto_base_outer_place(arch, SOTTO_OUTER_CLASS_TOKEN),
        .positions = sotto_base_outer_place(arch, SOTTO_OUTER_POSITIONS),
        .patch_weight = sotto_base_outer_place(arch, SOTTO_OUTER_PATCH_WEIGHT),
        .patch_bias = sotto_base_outer_place(arch, SOTTO_OUTER_PATCH_BIAS),
        .blocks = sotto_base_blocks_place(arch),
        .norm_gain = sotto_base_outer_place(arch, SOTTO_OUTER_NORM_GAIN),
        .norm_bias = sotto_base_outer_place(arch, SOTTO_OUTER_NORM_BIAS),
    };
}

struct sotto_mae_places sotto_mae_places(const struct sotto_mae *mae)
{
    struct sotto_block_spec spec = sotto_mae_decoder_spec(mae);
    size_t width = mae->decoder_width;
    struct sotto_mae_places places = {.embed_weight = sotto_base_weight_count(&mae->arch)};

    places.embed_bias = places.embed_weight + width * mae->arch.width;
    places.mask_token = places.embed_bias + width;
    places.positions = places.mask_token + width;
    places.blocks = places.positions + sotto_arch_token_count(&mae->arch) * width;
    places.norm_gain = places.blocks + mae->decoder_blocks * sotto_block_weight_count(&spec);
    places.norm_bias = places.norm_gain + width;
    places.draw_weight = places.norm_bias + width;
    places.draw_bias = places.draw_weight + sotto_mae_patch_values(mae) * width;
    places.count = places.draw_bias + sotto_mae_patch_values(mae);
    return places;
}

static void visit_matrix(struct visitor *visitor, size_t first, size_t rows, size_t columns)
{
    visitor->visit(visitor, (struct tensor_visit){first, rows, columns, true});
}

static void visit_vector(struct visitor *visitor, size_t first, size_t count)
{
    visitor->visit(visitor, (struct tensor_visit){first, count, 1, false});
}

static void visit_encoder(struct visitor *visitor, const struct sotto_arch *arch)
{
    for (size_t i = 0; i < sotto_base_tensor_count(arch); i++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(arch, i);

        if (tensor.has_decay)
            visit_matrix(visitor, tensor.first, tensor.shape[0], tensor.count / tensor.shape[0]);
        else
            visit_vector(visitor, tensor.first, tensor.count);
    }
}

static void visit_decoder_blocks(struct visitor *visitor, const struct sotto_mae *mae, size_t first)
{
    struct sotto_block_spec spec = sotto_mae_decoder_spec(mae);

    for (size_t block = 0; block < mae->decoder_blocks; block++) {
        size_t base = first + block * sotto_block_weight_count(&spec);

        for (int tensor = 0; tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
            struct sotto_block_tensor_place place =
                sotto_block_tensor_place(&spec, (enum sotto_block_tensor)tensor);

            if (place.columns > 1)
                visit_matrix(visitor, base + place.first, place.rows, place.columns);
            else
                visit_vector(visitor, base + place.first, place.rows);
        }
    }
}

/* Every tensor once, in the order of memory. */
static void visit_all(struct visitor *visitor, const struct sotto_mae *mae)
{
    struct sotto_mae_places places = sotto_mae_places(mae);
    size_t width = mae->decoder_width;

    visit_encoder(visitor, &mae->arch);
    visit_matrix(visitor, places.embed_weight, width, mae->arch.width);
    visit_vector(visitor, places.embed_bias, places.blocks - places.embed_bias);
    visit_decoder_blocks(visitor, mae, places.blocks);
    visit_vector(visitor, places.norm_gain, 2 * width);
    visit_matrix(visitor, places.draw_weight, sotto_mae_patch_values(mae), width);
    visit_vector(visitor, places.draw_bias, sotto_mae_patch_values(mae));
}

static void start_matrix(struct visitor *visitor, struct tensor_visit tensor)
{
    double bound = sqrt(6.0 / (double)(tensor.rows + tensor.columns));

    if (!tensor.is_matrix)
        return;
    for (size_t i = 0; i < tensor.rows * tensor.columns; i++)
        visitor->weights[tensor.first + i] =
            (float)((2.0 * sotto_entropy_unit(visitor->entropy) - 1.0) * bound);
}

static void fill(float *out, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        out[i] = value;
}

static void fill_normal(float *out, size_t count, struct sotto_entropy *entropy)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)(TOKEN_DEVIATION * sotto_entropy_normal(entropy));
}

/*
 * A quarter of the columns each for sine and cosine of the row, sine and cosine of the column, at
 * wavelengths from 2 pi to 10000 * 2 pi. The class token's row is zero.
 */
static void fill_positions(float *out, uint32_t grid, uint32_t width)
{
    uint32_t quarter = width / 4;

    for (uint32_t patch = 0; patch < grid * grid; patch++) {
        const double axis[2] = {patch / grid, patch % grid};
        float *row = out + (size_t)(patch + 1) * width;

        for (uint32_t i = 0; i < 2 * quarter; i++) {
            double angle =
                axis[i / quarter] * pow(10000.0, -(double)(i % quarter) / (double)quarter);
            float *pair = row + (i / quarter) * 2 * quarter + i % quarter;

            pair[0] = (float)sin(angle);
            pair[quarter] = (float)cos(angle);
        }
    }
}

static void start_gains(float *blocks, size_t block_count, const struct sotto_block_spec *spec)
{
    for (size_t block = 0; block < block_count; block++) {
        float *weights = blocks + block * sotto_block_weight_count(spec);

        fill(weights + sotto_block_tensor_place(spec, SOTTO_BLOCK_ATTENTION_NORM_GAIN).first,
             spec->width, 1.0f);
        fill(weights + sotto_block_tensor_place(spec, SOTTO_BLOCK_MLP_NORM_GAIN).first, spec->width,
             1.0f);
    }
}

void sotto_mae_start(float *weights, const struct sotto_mae *mae, struct sotto_entropy *entropy)
{
    struct sotto_mae_places places = sotto_mae_places(mae);
    struct sotto_mae_encoder_places encoder = sotto_mae_encoder_places(&mae->arch);
    struct sotto_block_spec encoder_spec = sotto_arch_block_spec(&mae->arch);
    struct sotto_block_spec decoder_spec = sotto_mae_decoder_spec(mae);
    struct visitor visitor = {.visit = start_matrix, .weights = weights, .entropy = entropy};
    uint32_t grid = mae->arch.image_side / mae->arch.patch_side;

    fill(weights, places.count, 0.0f);
    visit_all(&visitor, mae);
    fill_normal(weights + encoder.class_token, mae->arch.width, entropy);
    fill_normal(weights + places.mask_token, mae->decoder_width, entropy);
    fill_positions(weights + encoder.positions, grid, mae->arch.width);
    fill_positions(weights + places.positions, grid, mae->decoder_width);
    start_gains(weights + encoder.blocks, mae->arch.block_count, &encoder_spec);
    start_gains(weights + places.blocks, mae->decoder_blocks, &decoder_spec);
    fill(weights + encoder.norm_gain, mae->arch.width, 1.0f);
    fill(weights + places.norm_gain, mae->decoder_width, 1.0f);
}

static void add_span(struct visitor *visitor, struct tensor_visit tensor)
{
    if (visitor->spans != NULL)
        visitor->spans[visitor->span_count] =
            (struct sotto_adamw_span){tensor.first, tensor.rows * tensor.columns,
                                      tensor.is_matrix ? visitor->weight_decay : 0.0};
    visitor->span_count++;
}

size_t sotto_mae_spans(struct sotto_adamw_span *spans, const struct sotto_mae *mae,
                       double weight_decay)
{
    struct visitor visitor = {.visit = add_span, .spans = spans, .weight_decay = weight_decay};

    visit_all(&visitor, mae);
    return visitor.span_count;
}
