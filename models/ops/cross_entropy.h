/*
 * Softmax cross-entropy over class logits, weighted and summed over the rows, with its gradient.
 */
#ifndef SOTTO_MODELS_OPS_CROSS_ENTROPY_H
#define SOTTO_MODELS_OPS_CROSS_ENTROPY_H

#include "models/kernels/kernels.h"

struct sotto_cross_entropy {
    double loss_sum;      /* sum over rows of -log p[label], without the weight */
    size_t correct_count; /* rows whose largest logit (the first of equals) is the label's */
};

/*
 *   logits  inout  [rows, labels]; comes back as the loss's gradient, (p - onehot) weight
 *   labels  in     [rows], each below the column count
 *   weight  in     of a row: 1 / rows of the whole batch, for its mean
 */
struct sotto_cross_entropy sotto_cross_entropy_backward(const struct sotto_kernels *kernels,
                                                        struct sotto_matrix logits,
                                                        const uint32_t *labels, float weight);

#endif
