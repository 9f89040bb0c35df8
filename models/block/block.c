#include "models/block/block.h"

#include <assert.h>
#include <string.h>

/* A matrix that nobody wants. */
static const struct sotto_matrix none = {NULL, 0, 0, 0};
static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};

struct sotto_block_tensor_place sotto_block_tensor_place(const struct sotto_block_spec *spec,
                                                         enum sotto_block_tensor tensor)
{
    const uint32_t width = spec->width;
    const uint32_t wide = spec->mlp_width;
    const uint32_t shapes[SOTTO_BLOCK_TENSOR_COUNT][2] = {
        [SOTTO_BLOCK_NORM_BEFORE_GAIN] = {width, 1},
        [SOTTO_BLOCK_NORM_BEFORE_BIAS] = {width, 1},
        [SOTTO_BLOCK_QUERY_WEIGHT] = {width, width},
        [SOTTO_BLOCK_KEY_WEIGHT] = {width, width},
        [SOTTO_BLOCK_VALUE_WEIGHT] = {width, width},
        [SOTTO_BLOCK_QUERY_BIAS] = {width, 1},
        [SOTTO_BLOCK_KEY_BIAS] = {width, 1},
        [SOTTO_BLOCK_VALUE_BIAS] = {width, 1},
        [SOTTO_BLOCK_ATTENTION_OUT_WEIGHT] = {width, width},
        [SOTTO_BLOCK_ATTENTION_OUT_BIAS] = {width, 1},
        [SOTTO_BLOCK_NORM_AFTER_GAIN] = {width, 1},
        [SOTTO_BLOCK_NORM_AFTER_BIAS] = {width, 1},
        [SOTTO_BLOCK_MLP_IN_WEIGHT] = {wide, width},
        [SOTTO_BLOCK_MLP_IN_BIAS] = {wide, 1},
        [SOTTO_BLOCK_MLP_OUT_WEIGHT] = {width, wide},
        [SOTTO_BLOCK_MLP_OUT_BIAS] = {width, 1},
    };
    struct sotto_block_tensor_place place = {0, shapes[tensor][0], shapes[tensor][1]};

    for (size_t before = 0; before < tensor; before++)
        place.first += (size_t)shapes[before][0] * shapes[before][1];
    return place;
}

size_t sotto_block_weight_count(const struct sotto_block_spec *spec)
{
    struct sotto_block_tensor_place last =
        sotto_block_tensor_place(spec, SOTTO_BLOCK_TENSOR_COUNT - 1);

    return last.first + (size_t)last.rows * last.columns;
}

static size_t all_rows(struct sotto_block_shape shape)
{
    return (size_t)shape.batch * shape.token_count;
}

static size_t query_rows(struct sotto_block_shape shape)
{
    return (size_t)shape.batch * shape.query_count;
}

static bool has_all_queries(struct sotto_block_shape shape)
{
    return shape.query_count == shape.token_count;
}

static bool take(float **out, struct sotto_arena *arena, size_t count)
{
    *out = sotto_arena_take(arena, count, sizeof **out);
    return arena->counting || *out != NULL;
}

static bool take_downs(struct sotto_block_pass *pass, const struct sotto_block *block,
                       struct sotto_arena *arena, size_t rows)
{
    bool is_taken = true;

    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        if (block->lora[i].rank > 0)
            is_taken = take(&pass->down[i], arena, rows * block->lora[i].rank) && is_taken;
    }
    return is_taken;
}

enum sotto_status sotto_block_pass_take(struct sotto_block_pass *pass,
                                        const struct sotto_block *block,
                                        struct sotto_block_shape largest, struct sotto_arena *arena)
{
    size_t width = block->spec.width;
    size_t rows = all_rows(largest);
    size_t queries = query_rows(largest);
    size_t scores = queries * block->spec.head_count * largest.token_count;

    *pass = (struct sotto_block_pass){0};
    if (take(&pass->normed_before, arena, rows * width) &&
        take(&pass->rows_before.mean, arena, rows) &&
        take(&pass->rows_before.inverse_std, arena, rows) &&
        take(&pass->projected, arena, rows * 3 * width) &&
        take(&pass->probabilities, arena, scores) && take(&pass->context, arena, queries * width) &&
        take(&pass->middle, arena, queries * width) &&
        take(&pass->normed_after, arena, queries * width) &&
        take(&pass->rows_after.mean, arena, queries) &&
        take(&pass->rows_after.inverse_std, arena, queries) &&
        take(&pass->slope, arena, queries * block->spec.mlp_width) &&
        take(&pass->active, arena, queries * block->spec.mlp_width) &&
        take_downs(pass, block, arena, rows))
        return SOTTO_OK;
    return SOTTO_NO_MEMORY;
}

enum sotto_status sotto_block_scratch_take(struct sotto_block_scratch *scratch,
                                           const struct sotto_block *block,
                                           struct sotto_block_shape largest,
                                           struct sotto_arena *arena)
{
    size_t width = block->spec.width;
    size_t wide = block->spec.mlp_width > 3 * width ? block->spec.mlp_width : 3 * width;
    size_t rows = all_rows(largest);
    size_t rank = 1;

    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++)
        rank = block->lora[i].rank > rank ? block->lora[i].rank : rank;
    *scratch = (struct sotto_block_scratch){0};
    if (take(&scratch->wide, arena, rows * wide) && take(&scratch->narrow, arena, rows * width) &&
        take(&scratch->down, arena, rows * rank) &&
        take(&scratch->scores, arena, (size_t)largest.query_count * largest.token_count))
        return SOTTO_OK;
    return SOTTO_NO_MEMORY;
}

static const float *weight_at(const struct sotto_block *block, enum sotto_block_tensor tensor)
{
    return block->weights + sotto_block_tensor_place(&block->spec, tensor).first;
}

static float *gradient_at(const struct sotto_block *block, enum sotto_block_tensor tensor)
{
    if (block->weight_gradients == NULL)
        return NULL;
    return block->weight_gradients + sotto_block_tensor_place(&block->spec, tensor).first;
}

static struct sotto_norm norm_of(const struct sotto_block *block, enum sotto_block_tensor gain,
                                 enum sotto_block_tensor bias)
{
    return (struct sotto_norm){block->spec.norm_epsilon, weight_at(block, gain),
                               weight_at(block, bias), gradient_at(block, gain),
                               gradient_at(block, bias)};
}

/* `stacked` layers of one shape whose weights follow one another act as one. */
static struct sotto_linear stack_of(const struct sotto_block *block, enum sotto_block_linear first,
                                    uint32_t stacked)
{
    static const struct {
        enum sotto_block_tensor weight;
        enum sotto_block_tensor bias;
    } tensors[SOTTO_BLOCK_LINEAR_COUNT] = {
        [SOTTO_BLOCK_QUERY] = {SOTTO_BLOCK_QUERY_WEIGHT, SOTTO_BLOCK_QUERY_BIAS},
        [SOTTO_BLOCK_KEY] = {SOTTO_BLOCK_KEY_WEIGHT, SOTTO_BLOCK_KEY_BIAS},
        [SOTTO_BLOCK_VALUE] = {SOTTO_BLOCK_VALUE_WEIGHT, SOTTO_BLOCK_VALUE_BIAS},
        [SOTTO_BLOCK_ATTENTION_OUT] = {SOTTO_BLOCK_ATTENTION_OUT_WEIGHT,
                                       SOTTO_BLOCK_ATTENTION_OUT_BIAS},
        [SOTTO_BLOCK_MLP_IN] = {SOTTO_BLOCK_MLP_IN_WEIGHT, SOTTO_BLOCK_MLP_IN_BIAS},
        [SOTTO_BLOCK_MLP_OUT] = {SOTTO_BLOCK_MLP_OUT_WEIGHT, SOTTO_BLOCK_MLP_OUT_BIAS},
    };
    struct sotto_block_tensor_place place =
        sotto_block_tensor_place(&block->spec, tensors[first].weight);

    return (struct sotto_linear){place.columns,
                                 place.rows * stacked,
                                 weight_at(block, tensors[first].weight),
                                 weight_at(block, tensors[first].bias),
                                 gradient_at(block, tensors[first].weight),
                                 gradient_at(block, tensors[first].bias)};
}

/* Where query, key and value, or their gradients, lie in one piece of memory. */
struct projections {
    struct sotto_matrix stacked; /* all three, or key and value where there are fewer queries */
    struct sotto_matrix query;
    struct sotto_matrix key;
    struct sotto_matrix value;
    float *free; /* what follows them, up to rows * 3 * width */
};

static struct projections projections_of(const struct sotto_block *block,
                                         struct sotto_block_shape shape, float *at)
{
    size_t width = block->spec.width;
    size_t rows = all_rows(shape);
    size_t queries = query_rows(shape);
    bool is_whole = has_all_queries(shape);
    size_t first = is_whole ? width : 0;
    struct projections parts;

    parts.stacked = sotto_matrix_of(at, rows, first + 2 * width);
    parts.query = is_whole ? sotto_matrix_columns(parts.stacked, 0, width)
                           : sotto_matrix_of(at + rows * 2 * width, queries, width);
    parts.key = sotto_matrix_columns(parts.stacked, first, width);
    parts.value = sotto_matrix_columns(parts.stacked, first + width, width);
    parts.free = at + (rows * 2 + queries) * width;
    return parts;
}

static struct sotto_attention_inputs attention_inputs(const struct projections *parts)
{
    return (struct sotto_attention_inputs){sotto_matrix_read(parts->query),
                                           sotto_matrix_read(parts->key),
                                           sotto_matrix_read(parts->value)};
}

static struct sotto_attention_shape attention_shape(const struct sotto_block *block,
                                                    struct sotto_block_shape shape)
{
    return (struct sotto_attention_shape){shape.batch, block->spec.head_count,
                                          block->spec.width / block->spec.head_count,
                                          shape.query_count, shape.token_count};
}

/* The rows of x [batch, token_count, width] that go on after the attention. */
static struct sotto_matrix query_rows_of(float *x, const struct sotto_block *block,
                                         struct sotto_block_shape shape)
{
    size_t width = block->spec.width;
    size_t stride = has_all_queries(shape) ? width : shape.token_count * width;

    return (struct sotto_matrix){x, query_rows(shape), width, stride};
}

static struct sotto_matrix_view query_rows_view(const float *x, const struct sotto_block *block,
                                                struct sotto_block_shape shape)
{
    size_t width = block->spec.width;
    size_t stride = has_all_queries(shape) ? width : shape.token_count * width;

    return (struct sotto_matrix_view){x, query_rows(shape), width, stride};
}

/* One linear layer with its adapter. */
static void layer_forward(const struct sotto_block *block, struct sotto_block_pass *pass,
                          enum sotto_block_linear layer, struct sotto_matrix y,
                          struct sotto_matrix_view x, struct sotto_matrix_view residual)
{
    struct sotto_linear linear = stack_of(block, layer, 1);

    sotto_linear_forward(block->kernels, &linear, y, x, residual);
    sotto_lora_forward(block->kernels, &block->lora[layer], y, pass->down[layer], x);
}

static void project(const struct sotto_block *block, struct sotto_block_pass *pass)
{
    struct projections parts = projections_of(block, pass->shape, pass->projected);
    bool is_whole = has_all_queries(pass->shape);
    struct sotto_matrix_view all =
        sotto_matrix_view_of(pass->normed_before, all_rows(pass->shape), block->spec.width);
    struct sotto_matrix_view some = query_rows_view(pass->normed_before, block, pass->shape);
    struct sotto_linear stack =
        is_whole ? stack_of(block, SOTTO_BLOCK_QUERY, 3) : stack_of(block, SOTTO_BLOCK_KEY, 2);
    struct sotto_linear query = stack_of(block, SOTTO_BLOCK_QUERY, 1);

    sotto_linear_forward(block->kernels, &stack, parts.stacked, all, no_residual);
    if (!is_whole)
        sotto_linear_forward(block->kernels, &query, parts.query, some, no_residual);
    sotto_lora_forward(block->kernels, &block->lora[SOTTO_BLOCK_QUERY], parts.query,
                       pass->down[SOTTO_BLOCK_QUERY], some);
    sotto_lora_forward(block->kernels, &block->lora[SOTTO_BLOCK_KEY], parts.key,
                       pass->down[SOTTO_BLOCK_KEY], all);
    sotto_lora_forward(block->kernels, &block->lora[SOTTO_BLOCK_VALUE], parts.value,
                       pass->down[SOTTO_BLOCK_VALUE], all);
}

/* middle = x + Attention(LayerNorm(x)) */
static void attention_forward(const struct sotto_block *block, struct sotto_block_pass *pass)
{
    size_t width = block->spec.width;
    size_t rows = all_rows(pass->shape);
    struct sotto_norm norm =
        norm_of(block, SOTTO_BLOCK_NORM_BEFORE_GAIN, SOTTO_BLOCK_NORM_BEFORE_BIAS);
    struct sotto_attention_shape shape = attention_shape(block, pass->shape);
    struct projections parts = projections_of(block, pass->shape, pass->projected);
    struct sotto_attention_inputs inputs = attention_inputs(&parts);
    struct sotto_matrix context = sotto_matrix_of(pass->context, query_rows(pass->shape), width);
    struct sotto_matrix middle = sotto_matrix_of(pass->middle, query_rows(pass->shape), width);

    sotto_norm_forward(block->kernels, &norm, sotto_matrix_of(pass->normed_before, rows, width),
                       pass->rows_before, sotto_matrix_view_of(pass->x, rows, width));
    project(block, pass);
    block->kernels->attention_forward(context, pass->probabilities, &inputs, &shape);
    layer_forward(block, pass, SOTTO_BLOCK_ATTENTION_OUT, middle, sotto_matrix_read(context),
                  query_rows_view(pass->x, block, pass->shape));
}

/* y = middle + MLP(LayerNorm(middle)) */
static void mlp_forward(const struct sotto_block *block, struct sotto_block_pass *pass, float *y)
{
    size_t width = block->spec.width;
    size_t wide = block->spec.mlp_width;
    size_t rows = query_rows(pass->shape);
    struct sotto_norm norm =
        norm_of(block, SOTTO_BLOCK_NORM_AFTER_GAIN, SOTTO_BLOCK_NORM_AFTER_BIAS);
    struct sotto_matrix normed = sotto_matrix_of(pass->normed_after, rows, width);
    struct sotto_matrix_view middle = sotto_matrix_view_of(pass->middle, rows, width);

    sotto_norm_forward(block->kernels, &norm, normed, pass->rows_after, middle);
    layer_forward(block, pass, SOTTO_BLOCK_MLP_IN, sotto_matrix_of(pass->slope, rows, wide),
                  sotto_matrix_read(normed), no_residual);
    block->kernels->gelu(pass->active, pass->slope, rows * wide);
    layer_forward(block, pass, SOTTO_BLOCK_MLP_OUT, sotto_matrix_of(y, rows, width),
                  sotto_matrix_view_of(pass->active, rows, wide), middle);
}

void sotto_block_forward(const struct sotto_block *block, struct sotto_block_pass *pass, float *y,
                         const float *x, struct sotto_block_shape shape)
{
    assert(shape.query_count == 1 || has_all_queries(shape));
    pass->shape = shape;
    pass->x = x;
    attention_forward(block, pass);
    mlp_forward(block, pass, y);
}

/* One backward: what every step of it needs. */
struct descent {
    const struct sotto_block *block;
    const struct sotto_block_pass *pass;
    const struct sotto_block_scratch *scratch;
    float *gradient;
    enum sotto_block_below below;
};

/* Whether anything is trained that the input of `layer` depends on. */
static bool is_trained_before(const struct descent *descent, enum sotto_block_linear layer)
{
    bool is_trained =
        descent->below == SOTTO_BLOCK_BELOW_TRAINED || descent->block->weight_gradients != NULL;

    /* Query, key and value lie beside one another. */
    for (size_t i = 0; i < layer && layer > SOTTO_BLOCK_VALUE; i++)
        is_trained = is_trained || descent->block->lora[i].rank > 0;
    return is_trained;
}

static struct sotto_matrix wanted(bool is_wanted, struct sotto_matrix matrix)
{
    return is_wanted ? matrix : none;
}

static void adapter_backward(const struct descent *descent, enum sotto_block_linear layer,
                             struct sotto_matrix dx, struct sotto_matrix_view dy,
                             struct sotto_matrix_view x)
{
    struct sotto_lora_pass pass = {descent->pass->down[layer], descent->scratch->down};

    sotto_lora_backward(descent->block->kernels, &descent->block->lora[layer], dx, dy, x, pass);
}

static void layer_backward(const struct descent *descent, enum sotto_block_linear layer,
                           struct sotto_matrix dx, struct sotto_matrix_view dy,
                           struct sotto_matrix_view x)
{
    struct sotto_linear linear = stack_of(descent->block, layer, 1);

    dx = wanted(is_trained_before(descent, layer), dx);
    sotto_linear_backward(descent->block->kernels, &linear, dx, dy, x);
    adapter_backward(descent, layer, dx, dy, x);
}

/* dL/dy in `gradient` becomes dL/d middle. */
static void mlp_backward(const struct descent *descent)
{
    const struct sotto_block *block = descent->block;
    const struct sotto_block_pass *pass = descent->pass;
    size_t width = block->spec.width;
    size_t wide = block->spec.mlp_width;
    size_t rows = query_rows(pass->shape);
    struct sotto_norm norm =
        norm_of(block, SOTTO_BLOCK_NORM_AFTER_GAIN, SOTTO_BLOCK_NORM_AFTER_BIAS);
    struct sotto_matrix gradient = sotto_matrix_of(descent->gradient, rows, width);
    struct sotto_matrix active = sotto_matrix_of(descent->scratch->wide, rows, wide);
    struct sotto_matrix normed = sotto_matrix_of(descent->scratch->narrow, rows, width);

    layer_backward(descent, SOTTO_BLOCK_MLP_OUT, active, sotto_matrix_read(gradient),
                   sotto_matrix_view_of(pass->active, rows, wide));
    if (!is_trained_before(descent, SOTTO_BLOCK_MLP_OUT))
        return;
    block->kernels->multiply(active.at, pass->slope, rows * wide);
    layer_backward(descent, SOTTO_BLOCK_MLP_IN, normed, sotto_matrix_read(active),
                   sotto_matrix_view_of(pass->normed_after, rows, width));
    if (is_trained_before(descent, SOTTO_BLOCK_MLP_IN))
        sotto_norm_backward(block->kernels, &norm, gradient, sotto_matrix_read(normed),
                            sotto_matrix_view_of(pass->middle, rows, width), pass->rows_after);
}

/* dL/d query, key, value in scratch->wide becomes dL/d normed_before in scratch->narrow. */
static void project_backward(const struct descent *descent)
{
    const struct sotto_block *block = descent->block;
    const struct sotto_block_pass *pass = descent->pass;
    size_t width = block->spec.width;
    bool is_whole = has_all_queries(pass->shape);
    struct projections parts = projections_of(block, pass->shape, descent->scratch->wide);
    struct sotto_matrix_view all =
        sotto_matrix_view_of(pass->normed_before, all_rows(pass->shape), width);
    struct sotto_matrix_view some = query_rows_view(pass->normed_before, block, pass->shape);
    bool is_wanted = is_trained_before(descent, SOTTO_BLOCK_QUERY);
    struct sotto_matrix d_all =
        wanted(is_wanted, sotto_matrix_of(descent->scratch->narrow, all_rows(pass->shape), width));
    struct sotto_matrix d_some =
        wanted(is_wanted, query_rows_of(descent->scratch->narrow, block, pass->shape));
    struct sotto_matrix d_query =
        wanted(is_wanted, sotto_matrix_of(parts.free, query_rows(pass->shape), width));
    struct sotto_linear stack =
        is_whole ? stack_of(block, SOTTO_BLOCK_QUERY, 3) : stack_of(block, SOTTO_BLOCK_KEY, 2);
    struct sotto_linear query = stack_of(block, SOTTO_BLOCK_QUERY, 1);

    sotto_linear_backward(block->kernels, &stack, d_all, sotto_matrix_read(parts.stacked), all);
    if (!is_whole) {
        sotto_linear_backward(block->kernels, &query, d_query, sotto_matrix_read(parts.query),
                              some);
        for (size_t row = 0; row < d_some.rows; row++)
            block->kernels->add(d_some.at + row * d_some.stride, d_query.at + row * width, width);
    }
    adapter_backward(descent, SOTTO_BLOCK_QUERY, d_some, sotto_matrix_read(parts.query), some);
    adapter_backward(descent, SOTTO_BLOCK_KEY, d_all, sotto_matrix_read(parts.key), all);
    adapter_backward(descent, SOTTO_BLOCK_VALUE, d_all, sotto_matrix_read(parts.value), all);
}

/* Rows of the queries to their places among all tokens, zeros elsewhere; in place, last first. */
static void spread_rows(float *gradient, struct sotto_block_shape shape, size_t width)
{
    size_t stride = shape.token_count * width;

    for (size_t sample = shape.batch; sample-- > 0;) {
        memmove(gradient + sample * stride, gradient + sample * width, width * sizeof *gradient);
        memset(gradient + sample * stride + width, 0, (stride - width) * sizeof *gradient);
    }
}

/* dL/d middle in `gradient` becomes dL/dx. */
static void attention_backward(const struct descent *descent)
{
    const struct sotto_block *block = descent->block;
    const struct sotto_block_pass *pass = descent->pass;
    size_t width = block->spec.width;
    size_t rows = all_rows(pass->shape);
    size_t queries = query_rows(pass->shape);
    struct sotto_norm norm =
        norm_of(block, SOTTO_BLOCK_NORM_BEFORE_GAIN, SOTTO_BLOCK_NORM_BEFORE_BIAS);
    struct sotto_attention_shape shape = attention_shape(block, pass->shape);
    struct projections parts = projections_of(block, pass->shape, pass->projected);
    struct projections d = projections_of(block, pass->shape, descent->scratch->wide);
    struct sotto_attention_inputs inputs = attention_inputs(&parts);
    struct sotto_attention_gradients gradients = {d.query, d.key, d.value,
                                                  descent->scratch->scores};
    struct sotto_matrix context = sotto_matrix_of(descent->scratch->narrow, queries, width);
    struct sotto_matrix below = wanted(descent->below == SOTTO_BLOCK_BELOW_TRAINED,
                                       sotto_matrix_of(descent->gradient, rows, width));

    layer_backward(descent, SOTTO_BLOCK_ATTENTION_OUT, context,
                   sotto_matrix_view_of(descent->gradient, queries, width),
                   sotto_matrix_view_of(pass->context, queries, width));
    if (!is_trained_before(descent, SOTTO_BLOCK_ATTENTION_OUT))
        return;
    block->kernels->attention_backward(&gradients, sotto_matrix_read(context), pass->probabilities,
                                       &inputs, &shape);
    project_backward(descent);
    if (!has_all_queries(pass->shape))
        spread_rows(descent->gradient, pass->shape, width);
    if (is_trained_before(descent, SOTTO_BLOCK_QUERY))
        sotto_norm_backward(block->kernels, &norm, below,
                            sotto_matrix_view_of(descent->scratch->narrow, rows, width),
                            sotto_matrix_view_of(pass->x, rows, width), pass->rows_before);
}

void sotto_block_backward(const struct sotto_block *block, struct sotto_block_pass *pass,
                          const struct sotto_block_scratch *scratch, float *gradient,
                          enum sotto_block_below below)
{
    struct descent descent = {block, pass, scratch, gradient, below};

    mlp_backward(&descent);
    if (is_trained_before(&descent, SOTTO_BLOCK_MLP_IN))
        attention_backward(&descent);
}
