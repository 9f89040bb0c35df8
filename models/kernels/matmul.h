/* The product kernel; what it does is said in models/kernels/kernels.h. Bad shapes assert. */
#ifndef SOTTO_MODELS_KERNELS_MATMUL_H
#define SOTTO_MODELS_KERNELS_MATMUL_H

#include "models/kernels/matrix.h"

/* The own one where the processor has 512-bit vectors (models/kernels/wide/wide.h), or OpenBLAS. */
void sotto_cpu_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                      float alpha, float beta);

/* OpenBLAS, on any processor. */
void sotto_blas_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta);

/* y = x weight^T + bias + residual */
void sotto_cpu_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                      struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                      struct sotto_matrix_view residual);

/* The same by OpenBLAS, on any processor. */
void sotto_blas_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual);

#endif
