/*
 * The table of compute kernels that every op is written over. float32, row-major; loops flat; no
 * allocation but where it says so, no thread, no global state. Each kernel is compared with a naive
 * twin under its own tolerance in tests/models.
 *
 * Whatever has a type of models/kernels/device/device.h lies in the memory of the table's device.
 * The rest is the host's: shapes, and small arrays of rows, starts and labels. An entry has read
 * them when it returns; what it does on the device may still be to come, in the order of the calls,
 * whichever thread they come from. The downloads alone wait for what was asked before them.
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
#include "models/kernels/step/adamw.h"
#include "models/kernels/step/patches.h"

enum sotto_norm_kind { SOTTO_NORM_LAYER, SOTTO_NORM_RMS };

/*
 * Layer normalisation over the columns: Ba, Kiros, Hinton, arXiv:1607.06450, eq. 4. RMS
 * normalisation takes off no mean and has no bias: Zhang, Sennrich, NeurIPS 2019, eq. 4.
 */
struct sotto_norm {
    enum sotto_norm_kind kind;
    float epsilon;
    const struct sotto_device_float *gain;    /* [width] */
    const struct sotto_device_float *bias;    /* [width], or NULL: none */
    struct sotto_device_float *gain_gradient; /* added to; NULL: frozen */
    struct sotto_device_float *bias_gradient;
};

/* Rows of a norm that its backward needs again. */
struct sotto_norm_rows {
    struct sotto_device_float *mean;        /* [rows], 0 for RMS */
    struct sotto_device_float *inverse_std; /* [rows] 1 / sqrt(mean of (x - mean)^2 + epsilon) */
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
struct sotto_attention_shape {
    uint32_t batch;
    const uint32_t *starts; /* [batch + 1] first row of each sample; NULL: length_max rows each */
    uint32_t length_max;    /* rows of a sample, at most */
    uint32_t known;         /* of the only sample: keys before that of the first query; forward */
    bool is_first_only;     /* queries of each sample's first row alone, [batch] rows */
    bool is_causal;         /* a query sees its own row and those before it */
    uint32_t head_count;
    uint32_t kv_head_count;
    uint32_t head_width;
};

/* The inputs of an attention; the heads lie side by side in the columns. */
struct sotto_attention_inputs {
    struct sotto_matrix_view query; /* [rows or batch, head_count * head_width] */
    struct sotto_matrix_view key;   /* [known + rows, kv_head_count * head_width] */
    struct sotto_matrix_view value; /* [known + rows, kv_head_count * head_width] */
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
    const struct sotto_device_float *cosines;
    const struct sotto_device_float *sines;
};

/* Which elements go: those whose hash under the key falls below the rate. Rate 0: none. */
struct sotto_dropout {
    float rate; /* [0, 1) */
    uint64_t key;
};

struct sotto_kernels {
    const char *name;

    /* `bytes` bytes at SOTTO_ARENA_ALIGNMENT at least, all zero; NULL: there are none left. */
    struct sotto_device_memory *(*reserve)(size_t bytes);
    /* Wipes what reserve gave, and gives it back. */
    void (*release)(struct sotto_device_memory *memory, size_t bytes);

    /* From the host's memory, which may change once it returns, and back. */
    void (*upload)(struct sotto_device_float *to, const float *from, size_t count);
    void (*download)(float *to, const struct sotto_device_float *from, size_t count);
    void (*download_loss)(struct sotto_loss *to, const struct sotto_device_loss *from);

    /*
     * What is large and never changes: the same address where the device can read the host's
     * memory, else a copy. The values stay until disown. NULL: there is no memory left.
     */
    const struct sotto_device_float *(*adopt)(const float *values, size_t count);
    void (*disown)(const struct sotto_device_float *values, size_t count);

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
                   struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                   struct sotto_matrix_view residual);

    /*
     * Frozen weights in the order of the two products below: models/kernels/packed/packed.h. As
     * bfloat16, or as they are, where the table's products gain by it.
     *
     *   memory  out  [rows * columns of w]
     */
    struct sotto_packed (*pack)(struct sotto_device_bf16 *memory, struct sotto_matrix_view w);
    struct sotto_packed (*pack_floats)(struct sotto_device_float *memory,
                                       struct sotto_matrix_view w);
    bool (*packs_floats)(void);

    /* y = x W^T + bias + residual, as affine */
    void (*affine_packed)(struct sotto_matrix y, struct sotto_matrix_view x,
                          const struct sotto_packed *w, const struct sotto_device_float *bias,
                          struct sotto_matrix_view residual);

    /* c = a W */
    void (*matmul_packed)(struct sotto_matrix c, struct sotto_matrix_view a,
                          const struct sotto_packed *w);

    /* y[i, :] = bias + residual[i, :]; bias and residual.at may be NULL; residual is not y. */
    void (*fill_rows)(struct sotto_matrix y, const struct sotto_device_float *bias,
                      struct sotto_matrix_view residual);

    /* sums[j] += sum_i x[i, j] */
    void (*add_column_sums)(struct sotto_device_float *sums, struct sotto_matrix_view x);

    /* y[i] += x[i] */
    void (*add)(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count);

    /* y[i, :] += x[i, :]; x of stride 0 is one row, added to each of y. */
    void (*add_rows)(struct sotto_matrix y, struct sotto_matrix_view x);

    /* y[i] = x[i]; the two may overlap. */
    void (*copy)(struct sotto_device_float *y, const struct sotto_device_float *x, size_t count);

    /* y[i] = 0 */
    void (*clear)(struct sotto_device_float *y, size_t count);

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
     *   scratch  out  [sotto_attention_scratch(known + length_max)]
     */
    void (*attention_forward)(struct sotto_matrix y, const struct sotto_attention_inputs *inputs,
                              const struct sotto_attention_shape *shape,
                              struct sotto_device_float *scratch);

    /* The gradients are overwritten. p is computed again. */
    void (*attention_backward)(const struct sotto_attention_gradients *gradients,
                               struct sotto_matrix_view dy,
                               const struct sotto_attention_inputs *inputs,
                               const struct sotto_attention_shape *shape,
                               struct sotto_device_float *scratch);

    /*
     * Softmax cross-entropy of each row against its label. The loss is log sum exp(z - m) + m -
     * z[label] with m the largest logit, in double: no probability is rounded to 0. Each row's
     * largest logit, the first of equals, is the label's in correct_count of them.
     *
     *   logits  inout  comes back as (p - onehot) weight
     *   labels  in     [rows], each below the column count
     *   loss    inout  is added to
     */
    void (*cross_entropy)(struct sotto_matrix logits, const uint32_t *labels, float weight,
                          struct sotto_device_loss *loss);

    /*
     * Squared error of each row against row rows[i] of the patches, whose own mean is taken off
     * and whose own deviation is divided out: He et al., CVPR 2022, section 3.
     *
     *   drawn  inout  comes back as 2 scale (drawn - target)
     *   rows   in     [rows of drawn], each below the rows of patches
     *   loss   inout  its sum is added to
     */
    void (*compare_patches)(struct sotto_matrix drawn, struct sotto_matrix_view patches,
                            const uint32_t *rows, double scale, struct sotto_device_loss *loss);

    void (*clear_loss)(struct sotto_device_loss *loss);

    /* all += part */
    void (*add_loss)(struct sotto_device_loss *all, const struct sotto_device_loss *part);

    /* Each row becomes its softmax. */
    void (*softmax_rows)(struct sotto_matrix x);

    /* x[i] = tanh(x[i]) */
    void (*tanh_forward)(struct sotto_device_float *x, size_t count);

    /* dx[i] *= 1 - y[i]^2, where y is what the forward made */
    void (*tanh_backward)(struct sotto_device_float *dx, const struct sotto_device_float *y,
                          size_t count);

    /* y[i, :] = x[rows[i], :]; rows below the rows of x */
    void (*gather_rows)(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows);

    /* y[rows[i], :] += x[i, :]; rows below the rows of y; x of stride 0 is one row for all */
    void (*scatter_rows)(struct sotto_matrix y, struct sotto_matrix_view x, const uint32_t *rows);

    /*
     * Cuts one picture into patches, row by row from the top left; in a patch the order is channel,
     * row, column, as a convolution weight [width, channels, patch_side, patch_side] flattens.
     * Dosovitskiy et al., ICLR 2021, section 3.1.
     *
     *   rows    out  [patch count, patch values]
     *   pixels  in   [channels, image_side, image_side], the host's
     */
    void (*cut_patches)(struct sotto_device_float *rows, const uint8_t *pixels,
                        const struct sotto_patch_shape *shape, const struct sotto_pixel_map *map);

    /*
     * One step of AdamW over weights that decay alike; models/optim/adamw.h has the formula.
     *
     *   weights, moments  inout  [count]
     *   gradients         in     [count]
     */
    void (*adamw)(struct sotto_device_float *weights, struct sotto_moments moments,
                  const struct sotto_device_float *gradients,
                  const struct sotto_adamw_factors *factors, size_t count);

    /*
     * y[i] += factor (x[i] - start[i]): with x the weights and y their gradient, FedProx's pull
     * towards the weights that the round started from, factor mu. Its term of the loss is
     * mu / 2 |x - start|^2: Li et al., MLSys 2020, eq. 2.
     */
    void (*pull)(struct sotto_device_float *y, const struct sotto_device_float *x,
                 const struct sotto_device_float *start, float factor, size_t count);
};

/* The CPU's table. OpenBLAS in it is set to one thread: parallelism is the caller's. */
const struct sotto_kernels *sotto_kernels_cpu(void);

#endif
