#include "models/optim/adamw.h"

#include <assert.h>
#include <math.h>

void sotto_adamw_init(struct sotto_adamw *adamw, const struct sotto_kernels *kernels,
                      struct sotto_moments moments, size_t count)
{
    kernels->clear(moments.first, count);
    kernels->clear(moments.second, count);
    *adamw = (struct sotto_adamw){kernels, moments, count, 0};
}

void sotto_adamw_step(struct sotto_adamw *adamw, struct sotto_device_float *weights,
                      const struct sotto_device_float *gradients,
                      const struct sotto_adamw_rule *rule, const struct sotto_adamw_span *spans,
                      size_t span_count)
{
    double step = (double)++adamw->step_count;
    struct sotto_adamw_factors factors = {
        .beta1 = (float)rule->beta1,
        .beta2 = (float)rule->beta2,
        .rest1 = (float)(1.0 - rule->beta1),
        .rest2 = (float)(1.0 - rule->beta2),
        .rate = (float)(rule->learning_rate / (1.0 - pow(rule->beta1, step))),
        .second_scale = (float)(1.0 / sqrt(1.0 - pow(rule->beta2, step))),
        .epsilon = (float)rule->epsilon,
    };

    for (size_t i = 0; i < span_count; i++) {
        const struct sotto_adamw_span *span = &spans[i];
        struct sotto_moments moments = {adamw->moments.first + span->first,
                                        adamw->moments.second + span->first};

        assert(span->first + span->count <= adamw->count);
        factors.keep = (float)(1.0 - rule->learning_rate * span->weight_decay);
        adamw->kernels->adamw(weights + span->first, moments, gradients + span->first, &factors,
                              span->count);
    }
}
