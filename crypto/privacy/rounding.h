/*
 * Conditional rounding: the values are rounded stochastically so that the result is no longer than
 * the plan's bound, and rounding adds nothing to a site's sensitivity that the noise was not made
 * for. Source: Kairouz, Liu and Steinke, ICML 2021, Algorithm 1, which tries again until it fits.
 * Departure: SOTTO_ROUNDING_TRIES are always made, each of which fails with a chance of at most
 * exp(-1/2), and the first that fits counts: how many it took would show in the time, and a
 * coordinator that steers values to half steps could read from it. If none fits, the values are
 * rounded towards zero, which never makes them longer.
 */
#ifndef SOTTO_CRYPTO_PRIVACY_ROUNDING_H
#define SOTTO_CRYPTO_PRIVACY_ROUNDING_H

#include "crypto/ring/quantise.h"

enum { SOTTO_ROUNDING_TRIES = 16 }; /* all fail with a chance of at most exp(-8) */

/* Sum of the squares of lanes as signed numbers. Constant time; it must fit. */
uint64_t sotto_lanes_square(const uint32_t *lanes, size_t lane_count);

/*
 *   lanes       out  [value_count + 1], of weight 1
 *   values      in   [value_count], with a norm of at most the clip norm that square_max is of
 *   square_max  in   of sotto_noise_of: not exceeded, whatever the seed
 *   seed        in   of the rounding; one use: dithers are its stream, 32 bytes a try
 *
 * Work: that of sotto_quantise 17 times. Constant time in values and seed.
 */
void sotto_round_bounded(uint32_t *lanes, const float *values, size_t value_count,
                         const struct sotto_quantiser *quantiser, uint64_t square_max,
                         const struct sotto_secret *seed);

#endif
