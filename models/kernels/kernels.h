/*
 * The table of compute kernels that every op is written over. float32, row-major; loops flat; no
 * allocation, no thread, no global state. Each kernel is compared with a naive twin under its own
 * tolerance in tests/models.
 *
 * Same inputs on the same machine give the same bits; another machine may take another vector
 * width.
 */
#ifndef SOTTO_MODELS_KERNELS_KERNELS_H
#define SOTTO_MODELS_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/kernels/matrix.h"
#include "models/kernels/packed/packed.h"

enum sotto_norm_kind { SOTTO_NORM_LAYER, SOTTO_NORM_RMS };

/*
 * Layer normalisation over the columns: Ba, Kiros, Hinton, arXiv:1607.06450, eq. 4. RMS
 * normalisation takes off no mean and has no bias: Zhang, Sennrich, NeurIPS 2019, eq. 4.
 */
struct sotto_norm {
    enum sotto_norm_kind kind;
    float epsilon;
    const float *gain;    /* [width] */
    const float *bias;    /* [width], or NULL: none */
    float *gain_gradient; /* added to; NULL: frozen */
    float *bias_gradient;
};

/* Rows of a norm that its backward needs again. */
struct sotto_norm_rows {
    float *mean;        /* [rows], 0 for RMS */
    float *inverse_std; /* [rows] 1 / sqrt(mean of (x - mean)^2 + epsilon) */
};

enum sotto_activation {
    SOTTO_ACTIVATION_GELU_ERF,  /* z Phi(z) */
    SOTTO_ACTIVATION_GELU_TANH, /* its approximation: Hendrycks, Gimpel, arXiv:1606.08415 */
    SOTTO_ACTIVATION_SILU_GATE  /* z = gate | in side by side: gate sigmoid(gate) in */
};

/*
 * Samples lie one after another, without padding; each attends to itself alone. The query heads
 * h of one group share the key head h / (head_count / kv_head_count).
 */
/* Over rows; without their weight. */
struct sotto_cross_entropy {
    double loss_sum;      /* -log p[label] */
    size_t correct_count; /* rows whose largest logit (the first of equals) is the label's */
};

struct sotto_attention_shape {
    uint32_t batch;
    const uint32_t *starts; /* [batch + 1] first row of each sample; NULL: length_max rows each */
    uint32_t length_max;    /* rows of a sample, at most */
    bool is_first_only;     /* queries of each sample's first row alone, [batch] rows */
    bool is_causal;         /* a query sees its own row and those before it */
    uint32_t head_count;
    uint32_t kv_head_count;
    uint32_t head_width;
};

/* The inputs of an attention; the heads lie side by side in the columns. */
struct sotto_attention_inputs {
    struct sotto_matrix_view query; /* [rows or batch, head_count * head_width] */
    struct sotto_matrix_view key;   /* [rows, kv_head_count * head_width] */
    struct sotto_matrix_view value; /* [rows, kv_head_count * head_width] */
};

struct sotto_attention_gradients {
    struct sotto_matrix query;
    struct sotto_matrix key;
    struct sotto_matrix value;
};

/* Scores of some queries at a time: what an attention needs of scratch, in floats. */
enum { SOTTO_ATTENTION_TILE = 128 };
size_t sotto_attention_scratch(uint32_t length_max);

/* Rotary positions: Su et al., arXiv:2104.09864. Each [positions, head_width / 2]. */
struct sotto_rotary {
    const float *cosines;
    const float *sines;
};

/* Which elements go: those whose hash under the key falls below the rate. Rate 0: none. */
struct sotto_dropout {
    float rate; /* [0, 1) */
    uint64_t key;
};

struct sotto_kernels {
    const char *name;

    /* c = alpha a b + beta c. With beta 0, c may hold anything. */
    void (*matmul)(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b, float alpha,
                   float beta);

    /*
     * y = x weight^T + bias + residual; bias and residual.at may be NULL; residual is not y.
     *
     *   weight  in  [columns of y, columns of x]
     *   bias    in  [columns of y], added to each row
     */
    void (*affine)(struct sotto_matrix y, struct sotto_matrix_view x,
                   struct sotto_matrix_view weight, const float *bias,
                   struct sotto_matrix_view residual);

    /* Weights as bfloat16 in the order of the product below; models/kernels/packed/packed.h. */
    struct sotto_packed (*pack)(uint16_t *memory, struct sotto_matrix_view w);

    /* c = a W^T or a W, plus c if `adds`. */
    void (*matmul_packed)(struct sotto_matrix c, struct sotto_matrix_view a,
                          const struct sotto_packed *w, enum sotto_packed_way way, bool adds);

    /* y[i, :] = bias + residual[i, :]; bias and residual.at may be NULL; residual is not y. */
    void (*fill_rows)(struct sotto_matrix y, const float *bias, struct sotto_matrix_view residual);

    /* sums[j] += sum_i x[i, j] */
    void (*add_column_sums)(float *sums, struct sotto_matrix_view x);

    /* y[i] += x[i] */
    void (*add)(float *y, const float *x, size_t count);

    /* y[i] = x[i]; the two may overlap. */
    void (*copy)(float *y, const float *x, size_t count);

    /* y[i] = 0 */
    void (*clear)(float *y, size_t count);

    /* y[i] *= factor */
    void (*scale)(float *y, float factor, size_t count);

    /*
     * y = activation(z). Exponentials within 3e-7 relative; erf by Abramowitz and Stegun 7.1.26:
     * |error| <= 1e-6 (1 + |z|) in y and in the slope.
     *
     *   y  out  [rows, columns]
     *   z  in   [rows, columns], or twice as many columns with a gate
     */
    void (*activate)(struct sotto_matrix y, struct sotto_matrix_view z,
                     enum sotto_activation activation);

    /* dz = dy times the slope at z; dz, as z, is not dy. */
    void (*activate_backward)(struct sotto_matrix dz, struct sotto_matrix_view dy,
                              struct sotto_matrix_view z, enum sotto_activation activation);

    /* y = (x - mean) inverse_std gain + bias, over each row; rows out, for the backward. */
    void (*norm_forward)(struct sotto_matrix y, struct sotto_norm_rows rows,
                         struct sotto_matrix_view x, const struct sotto_norm *norm);

    /* dx += the gradient with respect to x, for a given dy; dx.at may not be dy.at. */
    void (*norm_backward)(struct sotto_matrix dx, struct sotto_matrix_view dy,
                          struct sotto_matrix_view x, struct sotto_norm_rows rows,
                          const struct sotto_norm *norm);

    /*
     * Adds to the norm's gradients, where it has such:
     *     dgain[j] += sum_i dy[i, j] (x[i, j] - mean[i]) inverse_std[i]
     *     dbias[j] += sum_i dy[i, j]
     */
    void (*norm_parameters)(const struct sotto_norm *norm, struct sotto_matrix_view dy,
                            struct sotto_matrix_view x, struct sotto_norm_rows rows);

    /*
     * Turns each head of row i, the sample's position i, in place: of a head's halves a | b
     *     a' = a cos - b sin,  b' = b cos + a sin
     * or, back, by the opposite angle, which is the transpose.
     *
     *   x  inout  [length, heads * head_width], one sample
     */
    void (*rotate)(struct sotto_matrix x, const struct sotto_rotary *rotary, uint32_t head_width,
                   bool is_back);

    /* y = x / (1 - rate), or 0 where an element goes; y may be x. Srivastava et al., JMLR 2014. */
    void (*drop)(struct sotto_matrix y, struct sotto_matrix_view x,
                 const struct sotto_dropout *dropout);

    /*
     * Per sample and head: p = softmax(q k^T / sqrt(head_width)), y = p v. Vaswani et al., NeurIPS
     * 2017, eq. 1.
     *
     *   y        out  as inputs->query
     *   scratch  out  [sotto_attention_scratch(length_max)]
     */
    void (*attention_forward)(struct sotto_matrix y, const struct sotto_attention_inputs *inputs,
                              const struct sotto_attention_shape *shape, float *scratch);

    /* The gradients are overwritten. p is computed again. */
    void (*attention_backward)(const struct sotto_attention_gradients *gradients,
                               struct sotto_matrix_view dy,
                               const struct sotto_attention_inputs *inputs,
                               const struct sotto_attention_shape *shape, float *scratch);

    /*
     * Softmax cross-entropy of each row against its label. The loss is log sum exp(z - m) + m -
     * z[label] with m the largest logit, in double: no probability is rounded to 0. Each row's
     * largest logit, the first of equals, is the label's in correct_count of them.
     *
     *   logits  inout  comes back as (p - onehot) weight
     *   labels  in     [rows], each below the column count
     *   sums    inout  is added to
     */
    void (*cross_entropy)(struct sotto_matrix logits, const uint32_t *labels, float weight,
                          struct sotto_cross_entropy *sums);

    /* Each row becomes its softmax. */
    void (*softmax_rows)(struct sotto_matrix x);

    /* Index of the largest of one or more values, the first of equals. */
    size_t (*largest)(const float *x, size_t count);

    /* x[i] = tanh(x[i]) */
    void (*tanh_forward)(float *x, size_t count);

    /* dx[i] *= 1 - y[i]^2, where y is what the forward made */
    void (*tanh_backward)(float *dx, const float *y, size_t count);

    /* y[i, :] = x[rows[i], :]; rows below the rows of x */
    void (*gather_rows)(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows);

    /* y[rows[i], :] += x[i, :]; rows below the rows of y */
    void (*scatter_rows)(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows);
};

/* The CPU's table. OpenBLAS in it is set to one thread: parallelism is the caller's. */
const struct sotto_kernels *sotto_kernels_cpu(void);

#endif
