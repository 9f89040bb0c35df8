/* A norm over the columns, forward and backward; struct sotto_norm says which. */
#ifndef SOTTO_MODELS_OPS_NORM_H
#define SOTTO_MODELS_OPS_NORM_H

#include "models/kernels/kernels.h"

/* rows is kept for the backward. */
void sotto_norm_forward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                        struct sotto_matrix y, struct sotto_norm_rows rows,
                        struct sotto_matrix_view x);

/*
 * Adds the gradients of gain and bias where they are trained. dx += the gradient with respect to x;
 * at == NULL: not needed. dx may not be dy.
 */
void sotto_norm_backward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                         struct sotto_matrix dx, struct sotto_matrix_view dy,
                         struct sotto_matrix_view x, struct sotto_norm_rows rows);

#endif
