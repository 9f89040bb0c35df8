#include "models/kernels/norm.h"

#include <math.h>

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

SOTTO_VECTORISED static void normalise(float *restrict y, const float *restrict x,
                                       struct standard row, const float *restrict gain,
                                       const float *restrict bias, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (x[i] - row.mean) * row.inverse_std * gain[i] + bias[i];
}

void sotto_cpu_norm_forward(struct sotto_matrix y, struct sotto_norm_rows rows,
                            struct sotto_matrix_view x, const float *gain, const float *bias,
                            float epsilon)
{
    for (size_t row = 0; row < x.rows; row++) {
        const float *at = x.at + row * x.stride;
        struct standard standard;

        standard.mean = row_mean(at, x.columns);
        standard.inverse_std = 1.0f / sqrtf(row_variance(at, standard.mean, x.columns) + epsilon);
        rows.mean[row] = standard.mean;
        rows.inverse_std[row] = standard.inverse_std;
        normalise(y.at + row * y.stride, at, standard, gain, bias, x.columns);
    }
}

/*
 * With h the normalised row and g = dy gain: dx = inverse_std (g - mean(g) - h mean(g h)).
 * Both means are sums over the row.
 */
SOTTO_VECTORISED static void backward_row(float *restrict dx, const float *restrict dy,
                                          const float *restrict x, struct standard row,
                                          const float *restrict gain, size_t count)
{
    float sum = 0.0f;
    float sum_normal = 0.0f;

#pragma omp simd reduction(+ : sum, sum_normal)
    for (size_t i = 0; i < count; i++) {
        float scaled = dy[i] * gain[i];

        sum += scaled;
        sum_normal += scaled * (x[i] - row.mean);
    }
    sum /= (float)count;
    sum_normal *= row.inverse_std * row.inverse_std / (float)count;
    for (size_t i = 0; i < count; i++)
        dx[i] += row.inverse_std * (dy[i] * gain[i] - sum - (x[i] - row.mean) * sum_normal);
}

void sotto_cpu_norm_backward(struct sotto_matrix dx, struct sotto_matrix_view dy,
                             struct sotto_matrix_view x, struct sotto_norm_rows rows,
                             const float *gain)
{
    for (size_t row = 0; row < x.rows; row++) {
        struct standard standard = {rows.mean[row], rows.inverse_std[row]};

        backward_row(dx.at + row * dx.stride, dy.at + row * dy.stride, x.at + row * x.stride,
                     standard, gain, x.columns);
    }
}

SOTTO_VECTORISED static void parameters_row(float *restrict dgain, float *restrict dbias,
                                            const float *restrict dy, const float *restrict x,
                                            struct standard row, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        dgain[i] += dy[i] * (x[i] - row.mean) * row.inverse_std;
        dbias[i] += dy[i];
    }
}

void sotto_cpu_norm_parameters(float *dgain, float *dbias, struct sotto_matrix_view dy,
                               struct sotto_matrix_view x, struct sotto_norm_rows rows)
{
    for (size_t row = 0; row < x.rows; row++) {
        struct standard standard = {rows.mean[row], rows.inverse_std[row]};

        parameters_row(dgain, dbias, dy.at + row * dy.stride, x.at + row * x.stride, standard,
                       x.columns);
    }
}
