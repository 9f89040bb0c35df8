/*
 * Real vector to ring elements and back: uniform quantiser with stochastic rounding, multiplied by
 * the weight.
 *
 *     q(x)  = floor((x / range + 1) / 2 * (2^value_bits - 1) + u),   u uniform in [0, 1)
 *     E[q]  = (x / range + 1) / 2 * (2^value_bits - 1), exactly
 *     lane  = weight * q(x) mod 2^w;   the last lane is the weight itself
 *     mean  = (sum lane / sum weight / (2^value_bits - 1) * 2 - 1) * range
 *
 * Source: Alistarh et al., QSGD, NeurIPS 2017, section 3.1 (stochastic rounding); the sum cannot
 * wrap if n_max * weight_max * (2^value_bits - 1) < 2^w, which sotto_quantiser_check proves once
 * per plan.
 */
#ifndef SOTTO_CRYPTO_RING_QUANTISE_H
#define SOTTO_CRYPTO_RING_QUANTISE_H

#include "core/base/bytes.h"

struct sotto_quantiser {
    double range;        /* > 0: the clip norm, which bounds every coordinate */
    unsigned value_bits; /* 2 .. 24 */
    unsigned ring_bits;  /* 8 .. 32 */
    uint32_t weight_max; /* >= 1 */
    uint32_t cohort_max; /* >= 1 */
};

/*
 * SOTTO_MISMATCH: some sum over cohort_max participants could wrap, or a field is out of its range.
 */
SOTTO_CHECKED enum sotto_status sotto_quantiser_check(const struct sotto_quantiser *quantiser);

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

/*
 *   values      out  [value_count] the weighted mean
 *   weight_sum  out  not NULL
 *   sum         in   [value_count + 1] lanes of the sum; bits above w are ignored
 *   survivors   in   how many vectors were added, >= 1
 *
 * SOTTO_MALFORMED: the weight sum is not within survivors .. survivors * weight_max, or a lane is
 * above weight_sum * (2^value_bits - 1); nothing is written. That is how an overflowing or random
 * upload shows.
 */
SOTTO_CHECKED enum sotto_status sotto_dequantise(float *values, uint64_t *weight_sum,
                                                 const uint32_t *sum, size_t value_count,
                                                 const struct sotto_quantiser *quantiser,
                                                 uint32_t survivors);

#endif
