/*
 * Layer normalisation over the columns, forward and backward. Ba, Kiros, Hinton, arXiv:1607.06450,
 * eq. 4.
 */
#ifndef SOTTO_MODELS_OPS_NORM_H
#define SOTTO_MODELS_OPS_NORM_H

#include "models/kernels/kernels.h"

/* Gradients are added to; NULL: frozen. */
struct sotto_norm {
    float epsilon;
    const float *gain; /* [width] */
    const float *bias; /* [width] */
    float *gain_gradient;
    float *bias_gradient;
};

/* rows is kept for the backward. */
void sotto_norm_forward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                        struct sotto_matrix y, struct sotto_norm_rows rows,
                        struct sotto_matrix_view x);

/* dx += the gradient with respect to x; at == NULL: not needed. dx may not be dy. */
void sotto_norm_backward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                         struct sotto_matrix dx, struct sotto_matrix_view dy,
                         struct sotto_matrix_view x, struct sotto_norm_rows rows);

#endif
