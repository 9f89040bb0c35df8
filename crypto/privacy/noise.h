/*
 * How much noise each site adds, from what the plan says alone.
 *
 * Values of L2 norm C, in steps, are rounded to whole steps of norm at most B (crypto/privacy/
 * rounding.h):
 *
 *     c = C / step;   B^2 = c^2 + d/4 + c + sqrt(d)/2
 *
 * which is Kairouz, Liu and Steinke, ICML 2021, main theorem, with beta = exp(-1/2), where the
 * first of its two bounds is always the smaller one. The sum carries noise of variance (z B)^2,
 * made by the honest survivors alone, of whom there are at least m. Each adds noise of variance V,
 * and every larger set of survivors has more noise than promised:
 *
 *     m = survivors_min - max(1, ceil(gamma cohort_max));   V = ceil(z^2 B^2 / m)
 *
 * V is at least 9, so that a sum of discrete Gaussians is within 10^-35 of one (ibid., tau).
 */
#ifndef SOTTO_CRYPTO_PRIVACY_NOISE_H
#define SOTTO_CRYPTO_PRIVACY_NOISE_H

#include "core/base/bytes.h"

struct sotto_noise_terms {
    double multiplier; /* z, within SOTTO_NOISE_MIN .. SOTTO_NOISE_MAX */
    double clip_norm;  /* C and step in the same unit */
    double step;
    size_t value_count; /* d */
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction; /* gamma, [0, 1) */
};

#define SOTTO_NOISE_MIN 1e-3
#define SOTTO_NOISE_MAX 1e3

struct sotto_noise {
    uint64_t square_max; /* floor(B^2): of the rounded values' norm */
    uint64_t variance;   /* V */
    uint32_t honest_min; /* m */
    /*
     * No lane of a sum over cohort_max has more noise, except with a chance of 2^-64: a discrete
     * Gaussian's tail is below that of the Gaussian (Canonne, Kamath and Steinke, NeurIPS 2020).
     */
    uint32_t tail;
};

/*
 * SOTTO_MISMATCH: z out of range, nobody honest among survivors_min, V below 9 or above
 * SOTTO_VARIANCE_MAX, steps too fine or a tail too long to compute with; noise untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_noise_of(struct sotto_noise *noise,
                                               const struct sotto_noise_terms *terms);

#endif
