#include "models/answer/choice.h"

#include <math.h>

static uint32_t largest(const float *logits, uint32_t count)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (!isfinite(logits[i]))
            return SOTTO_CHOICE_NONE;
        if (logits[i] > logits[found])
            found = i;
    }
    return found;
}

uint32_t sotto_choice_make(struct sotto_entropy *entropy, const float *logits, uint32_t count,
                           double temperature)
{
    uint32_t top = largest(logits, count);
    double sum = 0.0;
    double left;

    if (temperature <= 0.0 || top == SOTTO_CHOICE_NONE)
        return top;
    for (uint32_t i = 0; i < count; i++)
        sum += exp(((double)logits[i] - (double)logits[top]) / temperature);
    left = sotto_entropy_unit(entropy) * sum;
    for (uint32_t i = 0; i < count; i++) {
        left -= exp(((double)logits[i] - (double)logits[top]) / temperature);
        if (left < 0.0)
            return i;
    }
    return top;
}
