#include "models/ops/cross_entropy.h"

#include <assert.h>
#include <math.h>

static size_t largest_of(const float *values, size_t count)
{
    size_t largest = 0;

    for (size_t i = 1; i < count; i++) {
        if (values[i] > values[largest])
            largest = i;
    }
    return largest;
}

/* log p = z[label] - max - log sum exp(z - max), in double: no probability is rounded to 0. */
static double log_probability(const float *logits, size_t count, uint32_t label)
{
    double largest = logits[largest_of(logits, count)];
    double sum = 0.0;

    for (size_t i = 0; i < count; i++)
        sum += exp(logits[i] - largest);
    return logits[label] - largest - log(sum);
}

struct sotto_cross_entropy sotto_cross_entropy_backward(const struct sotto_kernels *kernels,
                                                        struct sotto_matrix logits,
                                                        const uint32_t *labels, float weight)
{
    struct sotto_cross_entropy result = {0};

    for (size_t row = 0; row < logits.rows; row++) {
        const float *at = logits.at + row * logits.stride;

        assert(labels[row] < logits.columns);
        result.loss_sum -= log_probability(at, logits.columns, labels[row]);
        result.correct_count += largest_of(at, logits.columns) == labels[row];
    }
    kernels->softmax_rows(logits);
    for (size_t row = 0; row < logits.rows; row++) {
        float *at = logits.at + row * logits.stride;

        at[labels[row]] -= 1.0f;
        for (size_t column = 0; column < logits.columns; column++)
            at[column] *= weight;
    }
    return result;
}
