/*
 * Real vector to ring elements and back: uniform quantiser centred at zero, with stochastic
 * rounding, multiplied by the weight.
 *
 *     step  = range / top,   top = 2^(value_bits - 1) - 1
 *     q(x)  = floor(x / step + u),   u uniform in [0, 1);   E[q] = x / step, exactly
 *     lane  = weight * q(x) mod 2^w, two's complement;   the last lane is the weight itself
 *     mean  = centred(sum lane) * step / sum weight
 *
 * centred() is the representative in -2^(w-1) .. 2^(w-1) - 1. Centred at zero, so that a site whose
 * update is small fills few of the bits, and noise may be added to a lane.
 *
 * Source: Alistarh et al., QSGD, NeurIPS 2017, section 3.1 (stochastic rounding). The sum cannot
 * wrap if n_max * weight_max * top + noise_tail < 2^(w-1), which sotto_quantiser_check proves once
 * per plan.
 */
#ifndef SOTTO_CRYPTO_RING_QUANTISE_H
#define SOTTO_CRYPTO_RING_QUANTISE_H

#include "core/base/bytes.h"

struct sotto_quantiser {
    double range;        /* >= 2^-900; at most the clip norm, which bounds every coordinate */
    unsigned value_bits; /* 2 .. 24 */
    unsigned ring_bits;  /* 8 .. 32 */
    uint32_t weight_max; /* >= 1 */
    uint32_t cohort_max; /* >= 1 */
    /* What noise adds to a lane of the sum at most, however it is made; 0: none is added. */
    uint32_t noise_tail;
};

/*
 * SOTTO_MISMATCH: some sum over cohort_max participants could wrap, or a field is out of its range.
 */
SOTTO_CHECKED enum sotto_status sotto_quantiser_check(const struct sotto_quantiser *quantiser);

/* What one unit of a lane of weight 1 is worth. */
double sotto_quantiser_step(const struct sotto_quantiser *quantiser);

/*
 *   lanes   out  [value_count + 1]
 *   values  in   [value_count], each within -range .. range (else saturated), finite
 *   weight  in   1 .. weight_max
 *   dither  in   seed of the rounding; one use
 *
 * Work: 8 stream bytes a value. Constant time in values and dither.
 */
void sotto_quantise(uint32_t *lanes, const float *values, size_t value_count, uint32_t weight,
                    const struct sotto_quantiser *quantiser, const struct sotto_secret *dither);

/* The same with weight 1, rounded towards zero: no lane is further from zero than its value. */
void sotto_quantise_short(uint32_t *lanes, const float *values, size_t value_count,
                          const struct sotto_quantiser *quantiser);

/*
 * What quantising took from the values: values <- values - dequantised lanes. The sum of what is
 * sent and what is left is the update, so that the next round can make up for this one.
 *
 *   values  inout  [value_count], as given to sotto_quantise
 *   lanes   in     [value_count], as it made them, with the same weight
 *
 * Constant time in values, lanes and weight.
 */
void sotto_quantise_rest(float *values, const uint32_t *lanes, size_t value_count, uint32_t weight,
                         const struct sotto_quantiser *quantiser);

/*
 *   values      out  [value_count] the weighted mean
 *   weight_sum  out  not NULL
 *   sum         in   [value_count + 1] lanes of the sum; bits above w are ignored
 *   survivors   in   how many vectors were added, >= 1
 *
 * SOTTO_MALFORMED: the weight sum is not within survivors .. survivors * weight_max, or a lane is
 * further from zero than weight_sum * top + noise_tail; nothing is written. That is how an
 * overflowing or random upload shows.
 */
SOTTO_CHECKED enum sotto_status sotto_dequantise(float *values, uint64_t *weight_sum,
                                                 const uint32_t *sum, size_t value_count,
                                                 const struct sotto_quantiser *quantiser,
                                                 uint32_t survivors);

#endif
