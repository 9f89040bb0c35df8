#include "crypto/privacy/noise.h"

#include <math.h>

#include "crypto/privacy/gaussian.h"

enum { VARIANCE_MIN = 9 };

/* Whole numbers below it are exact, and so are their squares in 64 bits. */
static const double square_limit = 0x1p52;

static double square_max_of(const struct sotto_noise_terms *terms)
{
    double c = terms->clip_norm / terms->step;
    double count = (double)terms->value_count;

    return floor(c * c + count / 4 + c + sqrt(count) / 2);
}

/* Two tails of 2^-65 each. */
static double tail_of(double variance)
{
    return ceil(sqrt(2 * variance * 65 * log(2)));
}

enum sotto_status sotto_noise_of(struct sotto_noise *noise, const struct sotto_noise_terms *terms)
{
    double corrupt = fmax(1, ceil(terms->corrupt_fraction * terms->cohort_max));
    double honest = terms->survivors_min - corrupt;
    double square_max = square_max_of(terms);
    double variance, tail;

    /* Written so that NaN fails it. */
    if (!(terms->multiplier >= SOTTO_NOISE_MIN && terms->multiplier <= SOTTO_NOISE_MAX))
        return SOTTO_MISMATCH;
    if (!(honest >= 1 && square_max >= 1 && square_max <= square_limit))
        return SOTTO_MISMATCH;
    variance = ceil(terms->multiplier * terms->multiplier * square_max / honest);
    if (!(variance >= VARIANCE_MIN && variance <= (double)SOTTO_VARIANCE_MAX))
        return SOTTO_MISMATCH;
    tail = tail_of(variance * terms->cohort_max);
    if (tail > (double)UINT32_MAX)
        return SOTTO_MISMATCH;
    *noise = (struct sotto_noise){.square_max = (uint64_t)square_max,
                                  .variance = (uint64_t)variance,
                                  .honest_min = (uint32_t)honest,
                                  .tail = (uint32_t)tail};
    return SOTTO_OK;
}
