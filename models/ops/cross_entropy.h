/*
 * Softmax cross-entropy over class logits, mean over the batch, with its gradient.
 */
#ifndef SOTTO_MODELS_OPS_CROSS_ENTROPY_H
#define SOTTO_MODELS_OPS_CROSS_ENTROPY_H

#include "models/kernels/kernels.h"

struct sotto_cross_entropy {
    double loss_sum;      /* sum over rows of -log p[label] */
    size_t correct_count; /* rows whose largest logit (the first of equals) is the label's */
};

/*
 *   logits  inout  [rows, labels]; comes back as d(mean loss)/d logits = (p - onehot) / rows
 *   labels  in     [rows], each below the column count
 */
struct sotto_cross_entropy sotto_cross_entropy_backward(const struct sotto_kernels *kernels,
                                                        struct sotto_matrix logits,
                                                        const uint32_t *labels);

#endif
