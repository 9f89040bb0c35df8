/*
 * A linear layer and the low-rank adapter beside it, forward and backward.
 *     y = x W^T + b + scale (x A^T) B^T
 * Source of the adapter: Hu et al., LoRA, ICLR 2022, section 4.1; scale = alpha / rank.
 */
#ifndef SOTTO_MODELS_OPS_LINEAR_H
#define SOTTO_MODELS_OPS_LINEAR_H

#include "models/kernels/kernels.h"

/* Gradients are added to. NULL gradients: the layer is frozen and its product is not computed. */
struct sotto_linear {
    uint32_t in;
    uint32_t out;
    const struct sotto_device_float *weight; /* [out, in] */
    struct sotto_packed packed; /* of the same shape, used in the place of `weight`; rows 0: none */
    const struct sotto_device_float *bias; /* [out] or NULL */
    struct sotto_device_float *weight_gradient;
    struct sotto_device_float *bias_gradient;
};

/* rank 0: no adapter; forward and backward then do nothing. Gradients are added to. */
struct sotto_lora {
    uint32_t rank;
    float scale;
    const struct sotto_device_float *a;    /* [rank, in] */
    const struct sotto_device_float *b;    /* [out, rank] */
    struct sotto_device_float *a_gradient; /* NULL: A is frozen, or evaluation only; so for B */
    struct sotto_device_float *b_gradient;
    struct sotto_dropout dropout; /* of the adapter's input */
};

/*
 *   y         out  [rows, out]
 *   x         in   [rows, in]
 *   residual  in   [rows, out] added to y, or at == NULL
 */
void sotto_linear_forward(const struct sotto_kernels *kernels, const struct sotto_linear *linear,
                          struct sotto_matrix y, struct sotto_matrix_view x,
                          struct sotto_matrix_view residual);

/*
 *   dx  out  [rows, in], overwritten; at == NULL: nothing below needs it; may be x
 *   dy  in   [rows, out]
 *   x   in   what the forward got
 */
void sotto_linear_backward(const struct sotto_kernels *kernels, const struct sotto_linear *linear,
                           struct sotto_matrix dx, struct sotto_matrix_view dy,
                           struct sotto_matrix_view x);

/* y += scale (x A^T) B^T.   down  out  [rows, rank] = x A^T, kept for the backward */
void sotto_lora_forward(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                        struct sotto_matrix y, struct sotto_device_float *down,
                        struct sotto_matrix_view x);

/*
 * Adds the gradients of A and B.
 *
 *   inner  out  [rows, rank] = scale dy B, the gradient of down
 *   dy     in   [rows, out]
 *   down   in   what the forward left
 *   x      in   what the forward got; not looked at if A is frozen
 */
void sotto_lora_backward(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                         struct sotto_device_float *inner, struct sotto_matrix_view dy,
                         const struct sotto_device_float *down, struct sotto_matrix_view x);

/* dx = beta dx + inner A; dx.at == NULL: nothing below needs it. */
void sotto_lora_carry(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                      struct sotto_matrix dx, const struct sotto_device_float *inner, float beta);

#endif
