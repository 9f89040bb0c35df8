/* The norm kernels; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_NORM_H
#define SOTTO_MODELS_KERNELS_NORM_H

#include "models/kernels/kernels.h"

/* Two passes over a row for mean and variance, so that a large mean costs no precision. */
void sotto_cpu_norm_forward(struct sotto_matrix y, struct sotto_norm_rows rows,
                            struct sotto_matrix_view x, const struct sotto_norm *norm);

/* dx += the gradient with respect to x. */
void sotto_cpu_norm_backward(struct sotto_matrix dx, struct sotto_matrix_view dy,
                             struct sotto_matrix_view x, struct sotto_norm_rows rows,
                             const struct sotto_norm *norm);

/* Adds the gradients of gain and bias. */
void sotto_cpu_norm_parameters(const struct sotto_norm *norm, struct sotto_matrix_view dy,
                               struct sotto_matrix_view x, struct sotto_norm_rows rows);

#endif
