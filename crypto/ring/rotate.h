/*
 * Randomised Hadamard rotation: spreads an update evenly over its lanes, so that a narrow range
 * holds them all, whatever was in the update.
 *
 *     y = H_n D x / sqrt(n);   D = diag(signs), H_n the Hadamard matrix of order n
 *
 * Source: Suresh et al., ICML 2017, section 3 (rotation before quantising); Kairouz et al., ICML
 * 2021, section 3.2 (in distributed noise). Departure: d need not be a power of two, and nothing is
 * padded. With n the largest power of two up to d, the first n values are rotated, then the last n,
 * each time with other signs; if n = d, once is enough. Both are orthonormal, and over the signs
 * each value ends with a variance of at most |x|^2 / n < 2 |x|^2 / d.
 *
 * The signs come from a public seed, the same for all sites of a round: value j changes its sign if
 * bit j mod 8 of stream byte j / 8 is set, for the second rotation from stream byte 2^25 on.
 */
#ifndef SOTTO_CRYPTO_RING_ROTATE_H
#define SOTTO_CRYPTO_RING_ROTATE_H

#include "core/base/bytes.h"

/*
 * The root mean square of a rotated value is at most this times the norm: 1 / sqrt(n). A range of a
 * few times as much holds all.
 */
double sotto_rotation_spread(size_t value_count);

/* What a rotation's signs are made of: HKDF-SHA-256(context, "rotate"). Public. */
void sotto_rotation_seed(struct sotto_secret *seed, const struct sotto_digest *context);

/*
 * In place; the norm stays the same, up to rounding.
 *
 *   values  inout  [value_count], 1 .. SOTTO_LANES_MAX
 *
 * Work: 2 d log2(d) additions at most. Constant time in the values.
 */
void sotto_rotate(float *values, size_t value_count, const struct sotto_secret *seed);
/* The opposite. */
void sotto_unrotate(float *values, size_t value_count, const struct sotto_secret *seed);

#endif
