/* The loss kernel; models/kernels/kernels.h says what it does. */
#ifndef SOTTO_MODELS_KERNELS_LOSS_H
#define SOTTO_MODELS_KERNELS_LOSS_H

#include "models/kernels/kernels.h"

/* A row at a time: softmax, loss, gradient. */
void sotto_cpu_cross_entropy(struct sotto_matrix logits, const uint32_t *labels, float weight,
                             struct sotto_cross_entropy *sums);

#endif
