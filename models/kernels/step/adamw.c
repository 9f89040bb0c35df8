#include "models/kernels/step/adamw.h"

#include <math.h>

#include "models/kernels/device/host.h"
#include "models/kernels/vector.h"

/* The moments as the host's. */
struct averages {
    float *first;
    float *second;
};

SOTTO_VECTORISED static void step(float *restrict weights, struct averages averages,
                                  const float *restrict gradients,
                                  const struct sotto_adamw_factors *factors, size_t count)
{
    struct sotto_adamw_factors f = *factors;
    float *restrict first = averages.first;
    float *restrict second = averages.second;

    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i];
        float m = f.beta1 * first[i] + f.rest1 * gradient;
        float v = f.beta2 * second[i] + f.rest2 * gradient * gradient;

        first[i] = m;
        second[i] = v;
        weights[i] = f.keep * weights[i] - f.rate * m / (sqrtf(v) * f.second_scale + f.epsilon);
    }
}

void sotto_cpu_adamw(struct sotto_device_float *weights, struct sotto_moments moments,
                     const struct sotto_device_float *gradients,
                     const struct sotto_adamw_factors *factors, size_t count)
{
    step(sotto_host_write(weights),
         (struct averages){sotto_host_write(moments.first), sotto_host_write(moments.second)},
         sotto_host_read(gradients), factors, count);
}

static void pull(float *y, const float *x, const float *start, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] += factor * (x[i] - start[i]);
}

void sotto_cpu_pull(struct sotto_device_float *y, const struct sotto_device_float *x,
                    const struct sotto_device_float *start, float factor, size_t count)
{
    pull(sotto_host_write(y), sotto_host_read(x), sotto_host_read(start), factor, count);
}
