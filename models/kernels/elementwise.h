/* The kernels that go over elements or rows once; models/kernels/kernels.h says what each does. */
#ifndef SOTTO_MODELS_KERNELS_ELEMENTWISE_H
#define SOTTO_MODELS_KERNELS_ELEMENTWISE_H

#include <stdint.h>

#include "models/kernels/matrix.h"

/* y[i, :] = bias + residual[i, :], either of which may be absent. */
void sotto_cpu_fill_rows(struct sotto_matrix y, const struct sotto_device_float *bias,
                         struct sotto_matrix_view residual);

/* sums[j] += sum_i x[i, j] */
void sotto_cpu_add_column_sums(struct sotto_device_float *sums, struct sotto_matrix_view x);

/* y[i] += x[i] */
void sotto_cpu_add(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count);

/* y[i, :] += x[i, :]; x may have stride 0. */
void sotto_cpu_add_rows(struct sotto_matrix y, struct sotto_matrix_view x);

/* y[i] = x[i]; the two may overlap. */
void sotto_cpu_copy(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count);

/* y[i] = 0 */
void sotto_cpu_clear(struct sotto_device_float *y, size_t count);

/* y[i] *= factor */
void sotto_cpu_scale(struct sotto_device_float *y, float factor, size_t count);

/*
 * Index of the largest of the host's values; 0 if none is larger than minus infinity. NaNs are
 * passed over.
 */
size_t sotto_cpu_largest(const float *x, size_t count);

/* Each row becomes its softmax; a NaN spoils its whole row. */
void sotto_cpu_softmax_rows(struct sotto_matrix x);

/* x[i] = tanh(x[i]), and its backward. */
void sotto_cpu_tanh_forward(struct sotto_device_float *x, size_t count);
void sotto_cpu_tanh_backward(struct sotto_device_float *dx, const struct sotto_device_float *y,
                             size_t count);

/* y[i, :] = x[rows[i], :], and y[rows[i], :] += x[i, :]. */
void sotto_cpu_gather_rows(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows);
void sotto_cpu_scatter_rows(struct sotto_matrix y, struct sotto_matrix_view x,
                            const uint32_t *rows);

#endif
