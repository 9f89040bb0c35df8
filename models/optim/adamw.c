#include "models/optim/adamw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "models/kernels/vector.h"

void sotto_adamw_init(struct sotto_adamw *adamw, float *first_moment, float *second_moment,
                      size_t count)
{
    memset(first_moment, 0, count * sizeof *first_moment);
    memset(second_moment, 0, count * sizeof *second_moment);
    *adamw = (struct sotto_adamw){first_moment, second_moment, count, 0};
}

/* One step's constants; with bias corrections c1, c2: rate m / c1 / (sqrt(v / c2) + epsilon). */
struct factors {
    float beta1;
    float beta2;
    float rest1; /* 1 - beta1, rounded once */
    float rest2;
    float rate;         /* learning rate / c1 */
    float second_scale; /* 1 / sqrt(c2) */
    float epsilon;
};

struct moments {
    float *first;
    float *second;
};

SOTTO_VECTORISED static void step_span(float *restrict weights, const float *restrict gradients,
                                       struct moments moments, const struct factors *factors,
                                       float keep, size_t count)
{
    struct factors f = *factors;
    float *restrict first = moments.first;
    float *restrict second = moments.second;

    for (size_t i = 0; i < count; i++) {
        float gradient = gradients[i];
        float m = f.beta1 * first[i] + f.rest1 * gradient;
        float v = f.beta2 * second[i] + f.rest2 * gradient * gradient;

        first[i] = m;
        second[i] = v;
        weights[i] = keep * weights[i] - f.rate * m / (sqrtf(v) * f.second_scale + f.epsilon);
    }
}

void sotto_adamw_step(struct sotto_adamw *adamw, float *weights, const float *gradients,
                      const struct sotto_adamw_rule *rule, const struct sotto_adamw_span *spans,
                      size_t span_count)
{
    double step = (double)++adamw->step_count;
    struct factors factors = {
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
        struct moments moments = {adamw->first_moment + span->first,
                                  adamw->second_moment + span->first};
        float keep = (float)(1.0 - rule->learning_rate * span->weight_decay);

        assert(span->first + span->count <= adamw->count);
        step_span(weights + span->first, gradients + span->first, moments, &factors, keep,
                  span->count);
    }
}
