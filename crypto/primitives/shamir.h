/*
 * Shamir's secret sharing over GF(2^61 - 1): a 32-byte secret as five limbs of 52 bits,
 * little-endian. Source: Shamir, CACM 1979. Branch-free in secrets; threshold, count and indices
 * are public.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_SHAMIR_H
#define SOTTO_CRYPTO_PRIMITIVES_SHAMIR_H

#include "core/base/bytes.h"

enum { SOTTO_SHARE_BYTES = 40, SOTTO_SHARE_LIMBS = 5, SOTTO_SHARE_COUNT_MAX = 65535 };

/* The value of the five polynomials at x = index + 1, as five little-endian u64 below 2^61 - 1. */
struct sotto_share {
    uint8_t bytes[SOTTO_SHARE_BYTES];
};

/*
 * Splits so that any `threshold` of `count` shares give the secret and fewer say nothing about it.
 *
 *   shares       out    [count], share i is for holder index i
 *   secret       in
 *   seed         in     coefficients are derived from it by the PRG: one seed, one secret, one use
 *   threshold    in     1 .. count
 *   count        in     1 .. SOTTO_SHARE_COUNT_MAX
 *
 * Work: 5 * threshold * count multiplications. No memory but the shares. Constant time in secret
 * and seed.
 */
void sotto_share_split(struct sotto_share *shares, const struct sotto_secret *secret,
                       const struct sotto_secret *seed, size_t threshold, size_t count);

/* Holders by their indices, where not everybody from 0 on is one. */
struct sotto_holders {
    const uint32_t
        *indices; /* [count] distinct, below SOTTO_SHARE_COUNT_MAX; NULL: 0 .. count - 1 */
    size_t count;
};

/* The same shares, of these holders only: share i is for holders->indices[i]. */
void sotto_share_split_among(struct sotto_share *shares, const struct sotto_secret *secret,
                             const struct sotto_secret *seed, size_t threshold,
                             const struct sotto_holders *holders);

/*
 * Joins exactly `threshold` shares.
 *
 *   secret   out
 *   shares   in   [threshold], as they came from outside
 *   indices  in   [threshold] distinct holder indices below SOTTO_SHARE_COUNT_MAX
 *
 * Wrong shares that pass these tests give a wrong secret: compare it with the commitment to it.
 * Work: 2 * threshold^2 multiplications. Constant time in the shares.
 *
 * SOTTO_MALFORMED: a limb out of the field, an index repeated or out of range, or the result is no
 * 32-byte value; secret is zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_share_join(struct sotto_secret *secret,
                                                 const struct sotto_share *shares,
                                                 const uint32_t *indices, size_t threshold);

#endif
