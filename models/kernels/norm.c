#include "models/kernels/norm.h"

#include <math.h>

#include "models/kernels/device/host.h"
#include "models/kernels/elementwise.h"
#include "models/kernels/vector.h"

SOTTO_VECTORISED static float row_mean(const float *x, size_t count)
{
    float sum = 0.0f;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++)
        sum += x[i];
    return sum / (float)count;
}

SOTTO_VECTORISED static float row_variance(const float *x, float mean, size_t count)
{
    float sum = 0.0f;

#pragma omp simd reduction(+ : sum)
    for (size_t i = 0; i < count; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return sum / (float)count;
}

struct standard {
    float mean;
    float inverse_std;
};

/* As the forward left it. */
static struct standard standard_of(struct sotto_norm_rows rows, size_t row)
{
    return (struct standard){rows.mean[row].on_device, rows.inverse_std[row].on_device};
}

SOTTO_VECTORISED static void normalise(float *restrict y, const float *restrict x,
                                       struct standard row, const float *restrict gain,
                                       const float *restrict bias, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - row.mean) * row.inverse_std * gain[i] + bias[i];
}

SOTTO_VECTORISED static void normalise_unshifted(float *restrict y, const float *restrict x,
                                                 struct standard row, const float *restrict gain,
                                                 size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - row.mean) * row.inverse_std * gain[i];
}

void sotto_cpu_norm_forward(struct sotto_matrix y, struct sotto_norm_rows rows,
                            struct sotto_matrix_view x, const struct sotto_norm *norm)
{
    for (size_t row = 0; row < x.rows; row++) {
        const float *at = sotto_host_read(x.at + row * x.stride);
        float *out = sotto_host_write(y.at + row * y.stride);
        struct standard standard = {0.0f, 0.0f};

        if (norm->kind == SOTTO_NORM_LAYER)
            standard.mean = row_mean(at, x.columns);
        standard.inverse_std =
            1.0f / sqrtf(row_variance(at, standard.mean, x.columns) + norm->epsilon);
        rows.mean[row].on_device = standard.mean;
        rows.inverse_std[row].on_device = standard.inverse_std;
        if (norm->bias != NULL)
            normalise(out, at, standard, sotto_host_read(norm->gain), sotto_host_read(norm->bias),
                      x.columns);
        else
            normalise_unshifted(out, at, standard, sotto_host_read(norm->gain), x.columns);
    }
}

/*
 * With h the normalised row and g = dy gain: dx = inverse_std (g - mean(g) - h mean(g h)).
 * Both means are over the row; without a mean in the forward there is no mean(g).
 */
SOTTO_VECTORISED static void backward_row(float *restrict dx, const float *restrict dy,
                                          const float *restrict x, struct standard row,
                                          const struct sotto_norm *norm, size_t count)
{
    const float *restrict gain = sotto_host_read(norm->gain);
    float sum = 0.0f;
    float sum_normal = 0.0f;

#pragma omp simd reduction(+ : sum, sum_normal)
    for (size_t i = 0; i < count; i++) {
        float scaled = dy[i] * gain[i];

        sum += scaled;
        sum_normal += scaled * (x[i] - row.mean);
    }
    sum = norm->kind == SOTTO_NORM_LAYER ? sum / (float)count : 0.0f;
    sum_normal *= row.inverse_std * row.inverse_std / (float)count;
    for (size_t i = 0; i < count; i++)
        dx[i] += row.inverse_std * (dy[i] * gain[i] - sum - (x[i] - row.mean) * sum_normal);
}

void sotto_cpu_norm_backward(struct sotto_matrix dx, struct sotto_matrix_view dy,
                             struct sotto_matrix_view x, struct sotto_norm_rows rows,
                             const struct sotto_norm *norm)
{
    for (size_t row = 0; row < x.rows; row++)
        backward_row(
            sotto_host_write(dx.at + row * dx.stride), sotto_host_read(dy.at + row * dy.stride),
            sotto_host_read(x.at + row * x.stride), standard_of(rows, row), norm, x.columns);
}

SOTTO_VECTORISED static void gain_row(float *restrict dgain, const float *restrict dy,
                                      const float *restrict x, struct standard row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        dgain[i] += dy[i] * (x[i] - row.mean) * row.inverse_std;
}

void sotto_cpu_norm_parameters(const struct sotto_norm *norm, struct sotto_matrix_view dy,
                               struct sotto_matrix_view x, struct sotto_norm_rows rows)
{
    for (size_t row = 0; norm->gain_gradient != NULL && row < x.rows; row++)
        gain_row(sotto_host_write(norm->gain_gradient), sotto_host_read(dy.at + row * dy.stride),
                 sotto_host_read(x.at + row * x.stride), standard_of(rows, row), x.columns);
    if (norm->bias_gradient != NULL)
        sotto_cpu_add_column_sums(norm->bias_gradient, dy);
}
