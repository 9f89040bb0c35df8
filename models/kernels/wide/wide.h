/*
 * The product kernel of processors with 512-bit vectors (AVX-512). What a product is: as
 * models/kernels/kernels.h says of matmul.
 *
 * Operands are copied into panels that stay in the caches, as Goto and van de Geijn, Anatomy of
 * High-Performance Matrix Multiplication, TOMS 2008, describe; a tile of 14 x 32 results stays in
 * registers. Sums run over the inner dimension in order, so that a row of the result has the same
 * bits whatever rows are computed with it.
 */
#ifndef SOTTO_MODELS_KERNELS_WIDE_WIDE_H
#define SOTTO_MODELS_KERNELS_WIDE_WIDE_H

#include "models/kernels/packed/packed.h"

/* Whether this processor has what the product needs. */
bool sotto_wide_is_supported(void);

/* c = alpha a b + beta c. The shapes fit; the processor is supported. 0.7 MiB of stack. */
void sotto_wide_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta);

/* y = x weight^T + bias + residual, as affine; likewise. */
void sotto_wide_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual);

/* The same two with float32 weights in panels, which models/kernels/packed/packed.h describes. */
void sotto_wide_affine_packed(struct sotto_matrix y, struct sotto_matrix_view x,
                              const struct sotto_packed *w, const struct sotto_device_float *bias,
                              struct sotto_matrix_view residual);
void sotto_wide_matmul_packed(struct sotto_matrix c, struct sotto_matrix_view a,
                              const struct sotto_packed *w);
void sotto_wide_pack(struct sotto_device_float *memory, struct sotto_matrix_view w);

#endif
