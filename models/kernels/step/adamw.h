/* The kernels of a step's end; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_STEP_ADAMW_H
#define SOTTO_MODELS_KERNELS_STEP_ADAMW_H

#include "models/kernels/device/device.h"

/* What AdamW remembers, [count] each: averages of the gradient and of its square. */
struct sotto_moments {
    struct sotto_device_float *first;
    struct sotto_device_float *second;
};

/* One step's constants; c1 and c2 are the corrections of the averages' bias towards 0. */
struct sotto_adamw_factors {
    float beta1;
    float beta2;
    float rest1; /* 1 - beta1, rounded once */
    float rest2;
    float rate;         /* learning rate / c1 */
    float second_scale; /* 1 / sqrt(c2) */
    float epsilon;
    float keep; /* 1 - learning rate * weight decay */
};

/* One pass over all that a step reads and writes. */
void sotto_cpu_adamw(struct sotto_device_float *weights, struct sotto_moments moments,
                     const struct sotto_device_float *gradients,
                     const struct sotto_adamw_factors *factors, size_t count);

/* y[i] += factor (x[i] - start[i]) */
void sotto_cpu_pull(struct sotto_device_float *y, const struct sotto_device_float *x,
                    const struct sotto_device_float *start, float factor, size_t count);

#endif
