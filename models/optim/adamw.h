/*
 * AdamW: Adam with decoupled weight decay. Loshchilov, Hutter, ICLR 2019, Algorithm 2.
 *     m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2
 *     w = w - rate (m' / (sqrt(v') + epsilon) + decay w),   m' = m / (1 - beta1^t), v' = v / (1 -
 *     beta2^t)
 */
#ifndef SOTTO_MODELS_OPTIM_ADAMW_H
#define SOTTO_MODELS_OPTIM_ADAMW_H

#include "models/kernels/kernels.h"

/* The moments are the caller's memory, [count] each. Only the table computes: nothing is linked. */
struct sotto_adamw {
    const struct sotto_kernels *kernels;
    struct sotto_moments moments;
    size_t count;
    uint64_t step_count;
};

struct sotto_adamw_rule {
    double learning_rate;
    double beta1;   /* 0.9 */
    double beta2;   /* 0.999; 0.95 for masked image modelling */
    double epsilon; /* 1e-8 */
};

/* Weights that decay alike; decay is 0 for norms, biases, tokens and positions. */
struct sotto_adamw_span {
    size_t first;
    size_t count;
    double weight_decay;
};

/* Moments to zero, step 0. */
void sotto_adamw_init(struct sotto_adamw *adamw, const struct sotto_kernels *kernels,
                      struct sotto_moments moments, size_t count);

/*
 * One step. Spans do not overlap; weights outside all spans stay.
 *
 *   weights    inout  [adamw->count]
 *   gradients  in     [adamw->count]
 */
void sotto_adamw_step(struct sotto_adamw *adamw, struct sotto_device_float *weights,
                      const struct sotto_device_float *gradients,
                      const struct sotto_adamw_rule *rule, const struct sotto_adamw_span *spans,
                      size_t span_count);

#endif
