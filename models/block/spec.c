#include "models/block/spec.h"

static const struct {
    enum sotto_block_tensor weight;
    enum sotto_block_tensor bias;
} linears[SOTTO_BLOCK_LINEAR_COUNT] = {
    [SOTTO_BLOCK_QUERY] = {SOTTO_BLOCK_QUERY_WEIGHT, SOTTO_BLOCK_QUERY_BIAS},
    [SOTTO_BLOCK_KEY] = {SOTTO_BLOCK_KEY_WEIGHT, SOTTO_BLOCK_KEY_BIAS},
    [SOTTO_BLOCK_VALUE] = {SOTTO_BLOCK_VALUE_WEIGHT, SOTTO_BLOCK_VALUE_BIAS},
    [SOTTO_BLOCK_ATTENTION_OUT] = {SOTTO_BLOCK_ATTENTION_OUT_WEIGHT,
                                   SOTTO_BLOCK_ATTENTION_OUT_BIAS},
    [SOTTO_BLOCK_MLP_IN] = {SOTTO_BLOCK_MLP_IN_WEIGHT, SOTTO_BLOCK_MLP_IN_BIAS},
    [SOTTO_BLOCK_MLP_OUT] = {SOTTO_BLOCK_MLP_OUT_WEIGHT, SOTTO_BLOCK_MLP_OUT_BIAS},
    [SOTTO_BLOCK_MLP_GATE] = {SOTTO_BLOCK_MLP_GATE_WEIGHT, SOTTO_BLOCK_MLP_GATE_BIAS},
};

size_t sotto_block_query_width(const struct sotto_block_spec *spec)
{
    return (size_t)spec->head_count * spec->head_width;
}

size_t sotto_block_key_width(const struct sotto_block_spec *spec)
{
    return (size_t)spec->kv_head_count * spec->head_width;
}

bool sotto_block_is_gated(const struct sotto_block_spec *spec)
{
    return spec->activation == SOTTO_ACTIVATION_SILU_GATE;
}

enum sotto_block_tensor sotto_block_linear_weight(enum sotto_block_linear layer)
{
    return linears[layer].weight;
}

enum sotto_block_tensor sotto_block_linear_bias(enum sotto_block_linear layer)
{
    return linears[layer].bias;
}

/* `rows`, or 0 where the layer has no bias. */
static uint32_t bias_rows(const struct sotto_block_spec *spec, enum sotto_block_linear layer,
                          uint32_t rows)
{
    return (spec->bias_set >> layer & 1) == 1 ? rows : 0;
}

struct sotto_block_tensor_place sotto_block_tensor_place(const struct sotto_block_spec *spec,
                                                         enum sotto_block_tensor tensor)
{
    const uint32_t width = spec->width;
    const uint32_t wide = spec->mlp_width;
    const uint32_t query = (uint32_t)sotto_block_query_width(spec);
    const uint32_t key = (uint32_t)sotto_block_key_width(spec);
    const uint32_t shift = spec->norm_kind == SOTTO_NORM_LAYER ? width : 0;
    const uint32_t gate = sotto_block_is_gated(spec) ? wide : 0;
    const uint32_t shapes[SOTTO_BLOCK_TENSOR_COUNT][2] = {
        [SOTTO_BLOCK_ATTENTION_NORM_GAIN] = {width, 1},
        [SOTTO_BLOCK_ATTENTION_NORM_BIAS] = {shift, 1},
        [SOTTO_BLOCK_QUERY_WEIGHT] = {query, width},
        [SOTTO_BLOCK_KEY_WEIGHT] = {key, width},
        [SOTTO_BLOCK_VALUE_WEIGHT] = {key, width},
        [SOTTO_BLOCK_QUERY_BIAS] = {bias_rows(spec, SOTTO_BLOCK_QUERY, query), 1},
        [SOTTO_BLOCK_KEY_BIAS] = {bias_rows(spec, SOTTO_BLOCK_KEY, key), 1},
        [SOTTO_BLOCK_VALUE_BIAS] = {bias_rows(spec, SOTTO_BLOCK_VALUE, key), 1},
        [SOTTO_BLOCK_ATTENTION_OUT_WEIGHT] = {width, query},
        [SOTTO_BLOCK_ATTENTION_OUT_BIAS] = {bias_rows(spec, SOTTO_BLOCK_ATTENTION_OUT, width), 1},
        [SOTTO_BLOCK_MLP_NORM_GAIN] = {width, 1},
        [SOTTO_BLOCK_MLP_NORM_BIAS] = {shift, 1},
        [SOTTO_BLOCK_MLP_GATE_WEIGHT] = {gate, gate == 0 ? 1 : width},
        [SOTTO_BLOCK_MLP_IN_WEIGHT] = {wide, width},
        [SOTTO_BLOCK_MLP_GATE_BIAS] = {bias_rows(spec, SOTTO_BLOCK_MLP_GATE, gate), 1},
        [SOTTO_BLOCK_MLP_IN_BIAS] = {bias_rows(spec, SOTTO_BLOCK_MLP_IN, wide), 1},
        [SOTTO_BLOCK_MLP_OUT_WEIGHT] = {width, wide},
        [SOTTO_BLOCK_MLP_OUT_BIAS] = {bias_rows(spec, SOTTO_BLOCK_MLP_OUT, width), 1},
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
