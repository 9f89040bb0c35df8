/* The product kernel, on OpenBLAS; what it does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_MATMUL_H
#define SOTTO_MODELS_KERNELS_MATMUL_H

#include "models/kernels/matrix.h"

/* c = alpha a b + beta c. Shapes that do not fit assert. */
void sotto_cpu_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                      float alpha, float beta);

#endif
