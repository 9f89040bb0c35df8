#include "tests/models/block_twin.h"

#include <math.h>
#include <string.h>

#include "tests/support/device.h"

typedef double twin_row[TWIN_COLUMNS_MAX];

static const float *tensor_at(const struct sotto_block *block, enum sotto_block_tensor tensor)
{
    struct sotto_block_tensor_place place = sotto_block_tensor_place(&block->spec, tensor);

    if (block->vector[tensor] != NULL)
        return host_view(block->vector[tensor]);
    return place.rows == 0 ? NULL : host_view(block->weights + place.first);
}

/* y = (W + scale B A) x + bias */
static void apply(const struct sotto_block *block, enum sotto_block_linear layer, twin_row y,
                  const twin_row x)
{
    enum sotto_block_tensor tensor = sotto_block_linear_weight(layer);
    struct sotto_block_tensor_place place = sotto_block_tensor_place(&block->spec, tensor);
    const float *weight = tensor_at(block, tensor);
    const float *bias = tensor_at(block, sotto_block_linear_bias(layer));
    const struct sotto_lora *lora = &block->lora[layer];
    const float *a = host_view(lora->a);
    const float *b = host_view(lora->b);

    for (size_t out = 0; out < place.rows; out++) {
        y[out] = bias == NULL ? 0.0 : bias[out];
        for (size_t in = 0; in < place.columns; in++) {
            double sum = weight[out * place.columns + in];

            for (size_t r = 0; r < lora->rank; r++)
                sum += (double)lora->scale * b[out * lora->rank + r] * a[r * place.columns + in];
            y[out] += sum * x[in];
        }
    }
}

static void normalise(const struct sotto_block *block, enum sotto_block_tensor gain_tensor,
                      twin_row y, const twin_row x)
{
    const float *gain = tensor_at(block, gain_tensor);
    const float *bias = tensor_at(block, gain_tensor + 1);
    size_t width = block->spec.width;
    double mean = 0.0;
    double square = 0.0;

    for (size_t i = 0; i < width && block->spec.norm_kind == SOTTO_NORM_LAYER; i++)
        mean += x[i] / (double)width;
    for (size_t i = 0; i < width; i++)
        square += (x[i] - mean) * (x[i] - mean) / (double)width;
    for (size_t i = 0; i < width; i++)
        y[i] = (x[i] - mean) / sqrt(square + block->spec.norm_epsilon) * gain[i] +
               (bias == NULL ? 0.0 : bias[i]);
}

static void turn(const struct sotto_block *block, twin_row row, size_t heads, size_t position)
{
    size_t half = block->spec.head_width / 2;
    const float *cosines = host_view(block->rotary.cosines + position * half);
    const float *sines = host_view(block->rotary.sines + position * half);

    for (size_t head = 0; head < heads && block->spec.is_rotary; head++) {
        double *at = row + head * block->spec.head_width;

        for (size_t i = 0; i < half; i++) {
            double low = at[i];

            at[i] = low * cosines[i] - at[half + i] * sines[i];
            at[half + i] = at[half + i] * cosines[i] + low * sines[i];
        }
    }
}

/* What one sample's rows become before they meet. */
struct sample {
    size_t count;
    twin_row query[TWIN_ROWS_MAX];
    twin_row key[TWIN_ROWS_MAX];
    twin_row value[TWIN_ROWS_MAX];
};

static void project(const struct twin *twin, struct sample *sample, const float *x)
{
    const struct sotto_block *block = twin->block;

    for (size_t row = 0; row < sample->count; row++) {
        twin_row in;
        twin_row normed;

        for (size_t i = 0; i < block->spec.width; i++)
            in[i] = x[row * block->spec.width + i];
        memcpy(normed, in, sizeof normed);
        if (block->spec.norm_place == SOTTO_NORM_BEFORE)
            normalise(block, SOTTO_BLOCK_ATTENTION_NORM_GAIN, normed, in);
        apply(block, SOTTO_BLOCK_QUERY, sample->query[row], normed);
        apply(block, SOTTO_BLOCK_KEY, sample->key[row], normed);
        apply(block, SOTTO_BLOCK_VALUE, sample->value[row], normed);
        turn(block, sample->query[row], block->spec.head_count, row);
        turn(block, sample->key[row], block->spec.kv_head_count, row);
    }
}

/* The context of one head of one query. */
static void attend(const struct sotto_block_spec *spec, const struct sample *sample, size_t query,
                   size_t head, double *context)
{
    size_t own = head * spec->head_width;
    size_t shared = head / (spec->head_count / spec->kv_head_count) * spec->head_width;
    size_t seen = spec->is_causal ? query + 1 : sample->count;
    double total = 0.0;

    memset(context, 0, spec->head_width * sizeof *context);
    for (size_t key = 0; key < seen; key++) {
        double score = 0.0;

        for (size_t i = 0; i < spec->head_width; i++)
            score += sample->query[query][own + i] * sample->key[key][shared + i];
        score = exp(score / sqrt(spec->head_width));
        total += score;
        for (size_t i = 0; i < spec->head_width; i++)
            context[i] += score * sample->value[key][shared + i];
    }
    for (size_t i = 0; i < spec->head_width; i++)
        context[i] /= total;
}

static double activated(enum sotto_activation activation, double z, double gate)
{
    switch (activation) {
    case SOTTO_ACTIVATION_GELU_ERF: return 0.5 * z * erfc(-z / sqrt(2.0));
    case SOTTO_ACTIVATION_GELU_TANH:
        return 0.5 * z * (1.0 + tanh(sqrt(2.0 / M_PI) * (z + 0.044715 * z * z * z)));
    case SOTTO_ACTIVATION_SILU_GATE: return gate / (1.0 + exp(-gate)) * z;
    }
    return NAN;
}

/* y = attended + MLP(Norm(attended)), or Norm(m + MLP(m)) with m = Norm(attended) */
static void finish(const struct sotto_block *block, twin_row y, const twin_row attended)
{
    bool is_before = block->spec.norm_place == SOTTO_NORM_BEFORE;
    twin_row in;
    twin_row hidden;
    twin_row gate = {0};
    twin_row sum;

    normalise(block, is_before ? SOTTO_BLOCK_MLP_NORM_GAIN : SOTTO_BLOCK_ATTENTION_NORM_GAIN, in,
              attended);
    apply(block, SOTTO_BLOCK_MLP_IN, hidden, in);
    if (block->spec.activation == SOTTO_ACTIVATION_SILU_GATE)
        apply(block, SOTTO_BLOCK_MLP_GATE, gate, in);
    for (size_t i = 0; i < block->spec.mlp_width; i++)
        hidden[i] = activated(block->spec.activation, hidden[i], gate[i]);
    apply(block, SOTTO_BLOCK_MLP_OUT, sum, hidden);
    for (size_t i = 0; i < block->spec.width; i++)
        sum[i] += is_before ? attended[i] : in[i];
    if (is_before)
        memcpy(y, sum, sizeof(twin_row));
    else
        normalise(block, SOTTO_BLOCK_MLP_NORM_GAIN, y, sum);
}

/* Returns how many rows of y it made. */
static size_t run_sample(struct twin *twin, size_t index, size_t onward)
{
    const struct sotto_block *block = twin->block;
    size_t first = sotto_block_row_first(twin->shape, index);
    const float *x = twin->x + first * block->spec.width;
    struct sample sample = {.count = sotto_block_row_first(twin->shape, index + 1) - first};
    size_t queries = twin->shape->is_first_only ? 1 : sample.count;

    project(twin, &sample, x);
    for (size_t query = 0; query < queries; query++) {
        twin_row context;
        twin_row attended;

        for (size_t head = 0; head < block->spec.head_count; head++)
            attend(&block->spec, &sample, query, head, context + head * block->spec.head_width);
        apply(block, SOTTO_BLOCK_ATTENTION_OUT, attended, context);
        for (size_t i = 0; i < block->spec.width; i++)
            attended[i] += x[query * block->spec.width + i];
        finish(block, twin->y[onward + query], attended);
    }
    return queries;
}

void twin_run(struct twin *twin)
{
    size_t onward = 0;

    for (size_t sample = 0; sample < twin->shape->batch; sample++)
        onward += run_sample(twin, sample, onward);
}
