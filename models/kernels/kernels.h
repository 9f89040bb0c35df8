/*
 * The table of compute kernels that every op is written over. float32, row-major; loops flat; no
 * allocation, no thread, no global state. Each kernel is compared with a naive twin under its own
 * tolerance in tests/models/kernels.c.
 *
 * Same inputs on the same machine give the same bits; another machine may take another vector
 * width.
 */
#ifndef SOTTO_MODELS_KERNELS_KERNELS_H
#define SOTTO_MODELS_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "models/kernels/matrix.h"

/* Rows of a layer norm that its backward needs again. */
struct sotto_norm_rows {
    float *mean;        /* [rows] */
    float *inverse_std; /* [rows] 1 / sqrt(variance + epsilon) */
};

struct sotto_attention_shape {
    uint32_t batch;
    uint32_t head_count;
    uint32_t head_width;
    uint32_t query_count; /* rows of q per sample */
    uint32_t key_count;   /* rows of k and v per sample */
};

/* The inputs of an attention; the heads lie side by side in the columns. */
struct sotto_attention_inputs {
    struct sotto_matrix_view query; /* [batch * query_count, head_count * head_width] */
    struct sotto_matrix_view key;   /* [batch * key_count, head_count * head_width] */
    struct sotto_matrix_view value; /* [batch * key_count, head_count * head_width] */
};

struct sotto_attention_gradients {
    struct sotto_matrix query;
    struct sotto_matrix key;
    struct sotto_matrix value;
    float *scores; /* [query_count, key_count] scratch */
};

struct sotto_kernels {
    const char *name;

    /* c = alpha a b + beta c. With beta 0, c may hold anything. */
    void (*matmul)(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b, float alpha,
                   float beta);

    /* y[i, :] = bias + residual[i, :]; bias and residual.at may be NULL; residual is not y. */
    void (*fill_rows)(struct sotto_matrix y, const float *bias, struct sotto_matrix_view residual);

    /* sums[j] += sum_i x[i, j] */
    void (*add_column_sums)(float *sums, struct sotto_matrix_view x);

    /* y[i] += x[i] */
    void (*add)(float *y, const float *x, size_t count);

    /* y[i] *= x[i] */
    void (*multiply)(float *y, const float *x, size_t count);

    /*
     * y = z Phi(z), and z is replaced by the slope Phi(z) + z phi(z). erf by Abramowitz and Stegun
     * 7.1.26: |error| <= 1e-6 (1 + |z|) in both.
     */
    void (*gelu)(float *y, float *z, size_t count);

    /* y = (x - mean) inverse_std gain + bias, over each row; rows out, for the backward. */
    void (*norm_forward)(struct sotto_matrix y, struct sotto_norm_rows rows,
                         struct sotto_matrix_view x, const float *gain, const float *bias,
                         float epsilon);

    /* dx += the gradient with respect to x, for a given dy; dx.at may not be dy.at. */
    void (*norm_backward)(struct sotto_matrix dx, struct sotto_matrix_view dy,
                          struct sotto_matrix_view x, struct sotto_norm_rows rows,
                          const float *gain);

    /* dgain[j] += sum_i dy[i, j] (x[i, j] - mean[i]) inverse_std[i];  dbias[j] += sum_i dy[i, j] */
    void (*norm_parameters)(float *dgain, float *dbias, struct sotto_matrix_view dy,
                            struct sotto_matrix_view x, struct sotto_norm_rows rows);

    /*
     * Per sample and head: p = softmax(q k^T / sqrt(head_width)), y = p v. Vaswani et al., NeurIPS
     * 2017, eq. 1.
     *
     *   y  out  as inputs->query
     *   p  out  [batch, head_count, query_count, key_count]
     */
    void (*attention_forward)(struct sotto_matrix y, float *p,
                              const struct sotto_attention_inputs *inputs,
                              const struct sotto_attention_shape *shape);

    /* The gradients are overwritten; p is what the forward left. */
    void (*attention_backward)(const struct sotto_attention_gradients *gradients,
                               struct sotto_matrix_view dy, const float *p,
                               const struct sotto_attention_inputs *inputs,
                               const struct sotto_attention_shape *shape);

    /* Each row becomes its softmax. */
    void (*softmax_rows)(struct sotto_matrix x);
};

/* The CPU's table, on OpenBLAS, which is set to one thread: parallelism is the caller's. */
const struct sotto_kernels *sotto_kernels_cpu(void);

#endif
