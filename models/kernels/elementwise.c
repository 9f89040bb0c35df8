#include "models/kernels/elementwise.h"

#include <math.h>

#include "models/kernels/device/host.h"
#include "models/kernels/vector.h"

SOTTO_VECTORISED static void add_rows(float *restrict y, const float *restrict a,
                                      const float *restrict b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = a[i] + b[i];
}

static void fill_row(float *y, const float *bias, const float *residual, size_t count)
{
    if (bias != NULL && residual != NULL)
        add_rows(y, bias, residual, count);
    else if (bias != NULL)
        memcpy(y, bias, count * sizeof *y);
    else if (residual != NULL)
        memmove(y, residual, count * sizeof *y);
    else
        memset(y, 0, count * sizeof *y);
}

void sotto_cpu_fill_rows(struct sotto_matrix y, const struct sotto_device_float *bias,
                         struct sotto_matrix_view residual)
{
    for (size_t row = 0; row < y.rows; row++) {
        const struct sotto_device_float *beside =
            residual.at == NULL ? NULL : residual.at + row * residual.stride;

        fill_row(sotto_host_write(y.at + row * y.stride), sotto_host_read(bias),
                 sotto_host_read(beside), y.columns);
    }
}

SOTTO_VECTORISED static void add(float *restrict y, const float *restrict x, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

void sotto_cpu_add(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count)
{
    add(sotto_host_write(y), sotto_host_read(x), count);
}

void sotto_cpu_add_rows(struct sotto_matrix y, struct sotto_matrix_view x)
{
    for (size_t row = 0; row < y.rows; row++)
        sotto_cpu_add(y.at + row * y.stride, x.at + row * x.stride, y.columns);
}

void sotto_cpu_add_column_sums(struct sotto_device_float *sums, struct sotto_matrix_view x)
{
    for (size_t row = 0; row < x.rows; row++)
        sotto_cpu_add(sums, x.at + row * x.stride, x.columns);
}

/* A maximum without NaN handling: a NaN in the row reaches the sum all the same. */
SOTTO_VECTORISED static float row_max(const float *x, size_t count)
{
    float largest = -INFINITY;

#pragma omp simd reduction(max : largest)
    for (size_t i = 0; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

enum { SEARCHED = 64 };

SOTTO_VECTORISED static bool is_among(const float *x, float value)
{
    int count = 0;

#pragma omp simd reduction(+ : count)
    for (size_t i = 0; i < SEARCHED; i++)
        count += x[i] == value;
    return count > 0;
}

void sotto_cpu_copy(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count)
{
    memmove(y, x, count * sizeof *y);
}

void sotto_cpu_clear(struct sotto_device_float *y, size_t count)
{
    memset(y, 0, count * sizeof *y);
}

SOTTO_VECTORISED static void scale(float *y, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] *= factor;
}

void sotto_cpu_scale(struct sotto_device_float *y, float factor, size_t count)
{
    scale(sotto_host_write(y), factor, count);
}

size_t sotto_cpu_largest(const float *x, size_t count)
{
    float largest = row_max(x, count);
    size_t at = 0;

    while (at + SEARCHED <= count && !is_among(x + at, largest))
        at += SEARCHED;
    while (at < count && x[at] != largest)
        at++;
    return at < count ? at : 0;
}

SOTTO_VECTORISED static float exponentiate(float *x, float shift, size_t count)
{
    float sum = 0.0f;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++) {
        x[i] = sotto_vector_exp(x[i] - shift);
        sum += x[i];
    }
    return sum;
}

void sotto_cpu_softmax_rows(struct sotto_matrix x)
{
    for (size_t row = 0; row < x.rows; row++) {
        float *at = sotto_host_write(x.at + row * x.stride);
        float sum = exponentiate(at, row_max(at, x.columns), x.columns);

        scale(at, 1.0f / sum, x.columns);
    }
}

void sotto_cpu_tanh_forward(struct sotto_device_float *x, size_t count)
{
    float *at = sotto_host_write(x);

    for (size_t i = 0; i < count; i++)
        at[i] = tanhf(at[i]);
}

SOTTO_VECTORISED static void tanh_slope(float *restrict dx, const float *restrict y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dx[i] *= 1.0f - y[i] * y[i];
}

void sotto_cpu_tanh_backward(struct sotto_device_float *dx, const struct sotto_device_float *y,
                             size_t count)
{
    tanh_slope(sotto_host_write(dx), sotto_host_read(y), count);
}

void sotto_cpu_gather_rows(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows)
{
    for (size_t i = 0; i < y.rows; i++)
        memcpy(y.at + i * y.stride, x.at + rows[i] * x.stride, y.columns * sizeof *y.at);
}

void sotto_cpu_scatter_rows(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows)
{
    for (size_t i = 0; i < x.rows; i++)
        sotto_cpu_add(y.at + rows[i] * y.stride, x.at + i * x.stride, x.columns);
}
