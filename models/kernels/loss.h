/* The loss kernels; models/kernels/kernels.h says what each does. */
#ifndef SOTTO_MODELS_KERNELS_LOSS_H
#define SOTTO_MODELS_KERNELS_LOSS_H

#include "models/kernels/kernels.h"

/* A row at a time: softmax, loss, gradient. */
void sotto_cpu_cross_entropy(struct sotto_matrix logits, const uint32_t *labels, float weight,
                             struct sotto_device_loss *loss);

void sotto_cpu_clear_loss(struct sotto_device_loss *loss);
void sotto_cpu_add_loss(struct sotto_device_loss *all, const struct sotto_device_loss *part);

#endif
