/*
 * Softmax cross-entropy of a classifier over a whole vocabulary, without ever holding all logits:
 * some rows at a time, logits become probabilities become the gradient, and are forgotten.
 *     logits = h W^T,  loss = -sum over rows of log softmax(logits)[label]
 */
#ifndef SOTTO_MODELS_OPS_LANGUAGE_LOSS_H
#define SOTTO_MODELS_OPS_LANGUAGE_LOSS_H

#include "models/ops/linear.h"

/* Floats of scratch for up to row_max rows: at most 2^24, or 16 rows of a larger vocabulary. */
size_t sotto_language_loss_scratch(uint32_t vocabulary, size_t row_max);

/* How a loss is taken, and where its sums go. */
struct sotto_language_loss {
    float weight; /* of a row: 1 / labelled rows of the whole batch, for its mean */
    struct sotto_device_float *scratch; /* [sotto_language_loss_scratch(vocabulary, rows)] */
    struct sotto_device_loss *sums;     /* added to, without the weight */
};

/*
 *   head    in     [vocabulary, width], frozen
 *   hidden  inout  [rows, width] dense; comes back as the gradient of weight * loss
 *   labels  in     [rows], each below the vocabulary
 */
void sotto_language_loss_backward(const struct sotto_kernels *kernels,
                                  const struct sotto_linear *head, struct sotto_matrix hidden,
                                  const uint32_t *labels, const struct sotto_language_loss *loss);

/* The same without the gradient; hidden stays as it is, the weight is not looked at. */
void sotto_language_loss_forward(const struct sotto_kernels *kernels,
                                 const struct sotto_linear *head, struct sotto_matrix_view hidden,
                                 const uint32_t *labels, const struct sotto_language_loss *loss);

#endif
