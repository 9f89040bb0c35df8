#include "models/block/layers.h"

#include <assert.h>

#include "models/ops/dropout.h"

static struct sotto_block_tensor_place place_of(const struct sotto_block *block,
                                                enum sotto_block_tensor tensor)
{
    return sotto_block_tensor_place(&block->spec, tensor);
}

/* A gain or bias; NULL: the block has none. */
static const struct sotto_device_float *vector_of(const struct sotto_block *block,
                                                  enum sotto_block_tensor tensor)
{
    struct sotto_block_tensor_place place = place_of(block, tensor);

    if (block->vector[tensor] != NULL)
        return block->vector[tensor];
    return place.rows == 0 ? NULL : block->weights + place.first;
}

static struct sotto_device_float *gradient_of(const struct sotto_block *block,
                                              enum sotto_block_tensor tensor)
{
    struct sotto_block_tensor_place place = place_of(block, tensor);

    if (block->vector_gradient[tensor] != NULL)
        return block->vector_gradient[tensor];
    if (place.rows == 0 || block->weight_gradients == NULL)
        return NULL;
    return block->weight_gradients + place.first;
}

static struct sotto_norm norm_of(const struct sotto_block *block, enum sotto_block_tensor gain,
                                 enum sotto_block_tensor bias)
{
    return (struct sotto_norm){.kind = block->spec.norm_kind,
                               .epsilon = block->spec.norm_epsilon,
                               .gain = vector_of(block, gain),
                               .bias = vector_of(block, bias),
                               .gain_gradient = gradient_of(block, gain),
                               .bias_gradient = gradient_of(block, bias)};
}

struct sotto_norm sotto_block_attention_norm(const struct sotto_block *block)
{
    return norm_of(block, SOTTO_BLOCK_ATTENTION_NORM_GAIN, SOTTO_BLOCK_ATTENTION_NORM_BIAS);
}

struct sotto_norm sotto_block_mlp_norm(const struct sotto_block *block)
{
    return norm_of(block, SOTTO_BLOCK_MLP_NORM_GAIN, SOTTO_BLOCK_MLP_NORM_BIAS);
}

bool sotto_block_trains_tensor(const struct sotto_block *block, enum sotto_block_tensor tensor)
{
    return gradient_of(block, tensor) != NULL;
}

/* An adapter without a place for its gradients still passes gradients on, and trains nothing. */
static bool trains_adapter(const struct sotto_lora *lora)
{
    return lora->rank > 0 && (lora->a_gradient != NULL || lora->b_gradient != NULL);
}

bool sotto_block_trains_layer(const struct sotto_block *block, enum sotto_block_linear layer)
{
    return trains_adapter(&block->lora[layer]) ||
           sotto_block_trains_tensor(block, sotto_block_linear_weight(layer)) ||
           sotto_block_trains_tensor(block, sotto_block_linear_bias(layer));
}

bool sotto_block_layers_need_input(const struct sotto_block *block,
                                   const struct sotto_block_layers *layers)
{
    bool is_needed = block->weight_gradients != NULL;

    for (size_t i = 0; i < layers->count; i++)
        is_needed = is_needed || (block->lora[layers->at[i]].rank > 0 &&
                                  block->lora[layers->at[i]].a_gradient != NULL);
    return is_needed;
}

/* The biases of layers that are not one piece of memory, put side by side in the scratch. */
static const struct sotto_device_float *bias_gathered(const struct sotto_block_run *run,
                                                      const struct sotto_block_layers *layers)
{
    struct sotto_device_float *out = run->scratch->bias;

    for (size_t i = 0; i < layers->count; i++) {
        size_t rows = place_of(run->block, sotto_block_linear_weight(layers->at[i])).rows;
        const struct sotto_device_float *bias =
            vector_of(run->block, sotto_block_linear_bias(layers->at[i]));

        if (bias != NULL)
            run->block->kernels->copy(out, bias, rows);
        else
            run->block->kernels->clear(out, rows);
        out += rows;
    }
    return run->scratch->bias;
}

static const struct sotto_device_float *bias_of(const struct sotto_block_run *run,
                                                const struct sotto_block_layers *layers)
{
    const struct sotto_device_float *first =
        vector_of(run->block, sotto_block_linear_bias(layers->at[0]));
    const struct sotto_device_float *next = first;
    bool is_one = true;

    for (size_t i = 0; i < layers->count; i++) {
        is_one = is_one && vector_of(run->block, sotto_block_linear_bias(layers->at[i])) == next;
        if (next != NULL)
            next += place_of(run->block, sotto_block_linear_weight(layers->at[i])).rows;
    }
    return is_one ? first : bias_gathered(run, layers);
}

/* The layers as one. Their bias gradients are not among what it trains. */
static struct sotto_linear stack_of(const struct sotto_block_run *run,
                                    const struct sotto_block_layers *layers)
{
    enum sotto_block_tensor weight = sotto_block_linear_weight(layers->at[0]);
    struct sotto_block_tensor_place place = place_of(run->block, weight);
    struct sotto_linear linear = {.in = place.columns,
                                  .weight = run->block->weights + place.first,
                                  .weight_gradient = gradient_of(run->block, weight)};

    for (size_t i = 0; i < layers->count; i++)
        linear.out += place_of(run->block, sotto_block_linear_weight(layers->at[i])).rows;
    if (run->block->packed != NULL) {
        linear.packed = run->block->packed[layers->at[0]];
        linear.packed.rows = linear.out;
    }
    return linear;
}

/* The columns of layer `index` among those of all. */
static struct sotto_matrix_view part_of(const struct sotto_block_run *run,
                                        const struct sotto_block_layers *layers, size_t index,
                                        struct sotto_matrix_view all)
{
    size_t first = 0;

    for (size_t i = 0; i < index; i++)
        first += place_of(run->block, sotto_block_linear_weight(layers->at[i])).rows;
    return sotto_matrix_view_columns(
        all, first, place_of(run->block, sotto_block_linear_weight(layers->at[index])).rows);
}

static struct sotto_matrix part_of_output(const struct sotto_block_run *run,
                                          const struct sotto_block_layers *layers, size_t index,
                                          struct sotto_matrix all)
{
    struct sotto_matrix_view part = part_of(run, layers, index, sotto_matrix_read(all));

    all.at += part.at - all.at;
    all.columns = part.columns;
    return all;
}

/* Drops of x under an adapter's dropout, each sample under its own key; `out` may be x. */
static void drop(const struct sotto_block_run *run, const struct sotto_lora *lora,
                 struct sotto_device_float *out, struct sotto_matrix_view x)
{
    const struct sotto_block_shape *shape = &run->pass->shape;
    bool is_whole = x.rows == sotto_block_row_count(shape);

    assert(is_whole || x.rows == shape->batch);
    for (uint32_t sample = 0; sample < shape->batch; sample++) {
        size_t first = is_whole ? sotto_block_row_first(shape, sample) : sample;
        size_t next = is_whole ? sotto_block_row_first(shape, sample + 1) : first + 1;
        struct sotto_dropout own =
            sotto_dropout_of_sample(lora->dropout, shape->sample_first + sample);
        struct sotto_matrix_view rows = {x.at + first * x.stride, next - first, x.columns,
                                         x.stride};

        run->block->kernels->drop(sotto_matrix_of(out + first * x.columns, rows.rows, x.columns),
                                  rows, &own);
    }
}

/* What an adapter gets of a layer's input. */
static struct sotto_matrix_view input_of(const struct sotto_block_run *run,
                                         const struct sotto_lora *lora, struct sotto_matrix_view x)
{
    if (lora->rank == 0 || lora->dropout.rate <= 0.0f)
        return x;
    drop(run, lora, run->scratch->dropped, x);
    return sotto_matrix_view_of(run->scratch->dropped, x.rows, x.columns);
}

void sotto_block_layers_forward(const struct sotto_block_run *run,
                                const struct sotto_block_layers *layers, struct sotto_matrix y,
                                struct sotto_matrix_view x, struct sotto_matrix_view residual)
{
    const struct sotto_kernels *kernels = run->block->kernels;
    struct sotto_linear linear = stack_of(run, layers);

    linear.bias = bias_of(run, layers);
    sotto_linear_forward(kernels, &linear, y, x, residual);
    for (size_t i = 0; i < layers->count; i++) {
        const struct sotto_lora *lora = &run->block->lora[layers->at[i]];

        sotto_lora_forward(kernels, lora, part_of_output(run, layers, i, y),
                           run->pass->down[layers->at[i]], input_of(run, lora, x));
    }
}

/* dx += what an adapter's input passes on; inner as its backward left it. */
static void carry(const struct sotto_block_run *run, const struct sotto_lora *lora,
                  struct sotto_matrix dx, const struct sotto_device_float *inner)
{
    const struct sotto_kernels *kernels = run->block->kernels;
    struct sotto_matrix own = sotto_matrix_of(run->scratch->dropped, dx.rows, dx.columns);

    if (lora->rank == 0 || dx.at == NULL)
        return;
    if (lora->dropout.rate <= 0.0f) {
        sotto_lora_carry(kernels, lora, dx, inner, 1.0f);
        return;
    }
    sotto_lora_carry(kernels, lora, own, inner, 0.0f);
    drop(run, lora, own.at, sotto_matrix_read(own));
    kernels->add_rows(dx, sotto_matrix_read(own));
}

/* Inner gradients of layers side by side lie one after another. */
static struct sotto_device_float *inner_of(const struct sotto_block_run *run,
                                           const struct sotto_block_layers *layers, size_t index,
                                           size_t rows)
{
    struct sotto_device_float *at = run->scratch->inner;

    for (size_t i = 0; i < index; i++)
        at += rows * run->block->lora[layers->at[i]].rank;
    return at;
}

/* The parts that look at x come first, so that dx may be x. */
void sotto_block_layers_backward(const struct sotto_block_run *run,
                                 const struct sotto_block_layers *layers, struct sotto_matrix dx,
                                 struct sotto_matrix_view dy, struct sotto_matrix_view x)
{
    const struct sotto_block *block = run->block;
    struct sotto_linear linear = stack_of(run, layers);

    for (size_t i = 0; i < layers->count; i++) {
        const struct sotto_lora *lora = &block->lora[layers->at[i]];
        struct sotto_matrix_view part = part_of(run, layers, i, dy);
        struct sotto_device_float *bias =
            gradient_of(block, sotto_block_linear_bias(layers->at[i]));

        if (bias != NULL)
            block->kernels->add_column_sums(bias, part);
        sotto_lora_backward(block->kernels, lora, inner_of(run, layers, i, dy.rows), part,
                            run->pass->down[layers->at[i]],
                            lora->a_gradient == NULL ? x : input_of(run, lora, x));
    }
    sotto_linear_backward(block->kernels, &linear, dx, dy, x);
    for (size_t i = 0; i < layers->count; i++)
        carry(run, &block->lora[layers->at[i]], dx, inner_of(run, layers, i, dy.rows));
}
