/*
 * The whole way of an update into lanes, and of a sum of lanes into a mean, as the plan has it:
 *
 *     encode  x  -> rotate -> clip to C -> round to steps -> lanes, + noise where the plan has any
 *     decode  sum of lanes -> weighted mean -> rotate back
 *
 * Clipping comes after rotating, which changes no norm but by rounding: what is rounded to steps is
 * surely within C. Sources and formulas: the headers of the steps.
 */
#ifndef SOTTO_CRYPTO_PRIVACY_MECHANISM_H
#define SOTTO_CRYPTO_PRIVACY_MECHANISM_H

#include "crypto/privacy/noise.h"
#include "crypto/ring/quantise.h"

/* What the plan says of it. */
struct sotto_mechanism_terms {
    size_t value_count; /* the weight left out */
    double clip_norm;
    double lane_range;
    bool is_rotated;
    unsigned value_bits;
    unsigned ring_bits;
    uint32_t weight_max;
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction;
    double noise_multiplier; /* 0: no noise */
};

/* Public. */
struct sotto_mechanism {
    size_t value_count;
    double clip_norm;
    bool is_rotated;
    bool has_noise;
    struct sotto_quantiser quantiser;
    struct sotto_noise noise; /* if has_noise */
};

enum sotto_mechanism_flaw {
    SOTTO_FLAW_NONE,
    SOTTO_FLAW_WRAP,   /* a sum could wrap, or a field is out of its range */
    SOTTO_FLAW_WEIGHT, /* noise covers a site's whole update: weight_max must be 1 */
    SOTTO_FLAW_NOISE,  /* sotto_noise_of cannot make it */
};

/* What is wrong with the terms; then the mechanism is not to be used. */
SOTTO_CHECKED enum sotto_mechanism_flaw sotto_mechanism_of(
    struct sotto_mechanism *mechanism, const struct sotto_mechanism_terms *terms);

/*
 *   lanes    out    [value_count + 1]
 *   values   inout  [value_count]; afterwards what rounding took from them, in their own places:
 *                   secret
 *   weight   in     1 .. weight_max
 *   context  in     ctx0: public, the same for all sites of the round
 *   seed     in     of rounding and noise: one use
 *
 * With noise, values that are not all finite count as zeros: whether they are would else be told
 * without noise, by a site that leaves the round.
 *
 * SOTTO_MALFORMED: there is no noise, and a value is NaN or infinite, or becomes so by rotating;
 * lanes untouched, values unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_mechanism_encode(const struct sotto_mechanism *mechanism,
                                                       uint32_t *lanes, float *values,
                                                       uint32_t weight,
                                                       const struct sotto_digest *context,
                                                       const struct sotto_secret *seed);

/* The sum that is decoded, and of how many vectors it is. */
struct sotto_mechanism_sum {
    const uint32_t *lanes; /* [value_count + 1] */
    uint32_t survivors;
    const struct sotto_digest *context;
};

/*
 *   values      out  [value_count] the weighted mean
 *   weight_sum  out
 *
 * SOTTO_MALFORMED: no sum of honest uploads (sotto_dequantise); nothing is written.
 */
SOTTO_CHECKED enum sotto_status sotto_mechanism_decode(const struct sotto_mechanism *mechanism,
                                                       float *values, uint64_t *weight_sum,
                                                       const struct sotto_mechanism_sum *sum);

#endif
