#include "models/kernels/loss.h"

#include <assert.h>
#include <math.h>

#include "models/kernels/elementwise.h"

/* log sum exp(z - m) is -log of the largest logit's own probability: rounding loses no loss. */
void sotto_cpu_cross_entropy(struct sotto_matrix logits, const uint32_t *labels, float weight,
                             struct sotto_cross_entropy *sums)
{
    for (size_t row = 0; row < logits.rows; row++) {
        struct sotto_matrix one =
            sotto_matrix_of(logits.at + row * logits.stride, 1, logits.columns);
        size_t largest = sotto_cpu_largest(one.at, one.columns);
        double behind = 0.0;

        assert(labels[row] < logits.columns);
        behind = (double)one.at[largest] - one.at[labels[row]];
        sotto_cpu_softmax_rows(one);
        sums->loss_sum += behind - log(one.at[largest]);
        sums->correct_count += largest == labels[row];
        one.at[labels[row]] -= 1.0f;
        sotto_cpu_scale(one.at, weight, one.columns);
    }
}
