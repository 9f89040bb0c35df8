#include "crypto/primitives/shamir.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

enum {
    FIELD_BITS = 61,
    LIMB_BITS = 52,
    LIMBS = SOTTO_SHARE_LIMBS,
    WORDS = 4, /* of 64 bits in a secret */
    TOP_LIMB_BITS = 256 - (LIMBS - 1) * LIMB_BITS,
    COEFFICIENT_BYTES = 16,
};

static const uint64_t prime = ((uint64_t)1 << FIELD_BITS) - 1;

__extension__ typedef unsigned __int128 wide;

/* All ones if value >= bound, else zero. */
static uint64_t mask_at_least(uint64_t value, uint64_t bound)
{
    uint64_t borrow = (uint64_t)(((wide)value - bound) >> 64);

    return ~borrow;
}

/*
 * The representative below the prime p of any value. 2^61 = 1 (mod p), so the three 61-bit digits
 * of `value` are added: below 2^62 + 2^6; their two digits again: at most p + 1; then p is taken
 * off once if it is there.
 */
static uint64_t reduce(wide value)
{
    uint64_t sum = ((uint64_t)value & prime) + ((uint64_t)(value >> FIELD_BITS) & prime) +
                   (uint64_t)(value >> (2 * FIELD_BITS));

    sum = (sum & prime) + (sum >> FIELD_BITS);
    return sum - (prime & mask_at_least(sum, prime));
}

static uint64_t multiply(uint64_t left, uint64_t right)
{
    return reduce((wide)left * right);
}

/* value^(p - 2) = 1 / value; 0 for 0. Fermat; the exponent is 2^61 - 3. */
static uint64_t invert(uint64_t value)
{
    uint64_t result = 1;

    for (int bit = FIELD_BITS - 1; bit >= 0; bit--) {
        result = multiply(result, result);
        if (((prime - 2) >> bit) & 1)
            result = multiply(result, value);
    }
    return result;
}

static void limbs_of_secret(uint64_t limbs[LIMBS], const struct sotto_secret *secret)
{
    uint64_t words[WORDS + 1] = {0};

    for (size_t word = 0; word < WORDS; word++)
        words[word] = sotto_load_u64(secret->bytes + 8 * word);
    for (size_t limb = 0; limb < LIMBS; limb++) {
        size_t word = limb * LIMB_BITS / 64;
        size_t shift = limb * LIMB_BITS % 64;
        uint64_t bits = words[word] >> shift | words[word + 1] << 1 << (63 - shift);

        limbs[limb] = bits & (((uint64_t)1 << LIMB_BITS) - 1);
    }
    sotto_wipe(words, sizeof words);
}

/*
 * The opposite; a mask of ones if the limbs are a secret, else of zeros and the secret is
 * unspecified.
 */
static uint64_t secret_of_limbs(struct sotto_secret *secret, const uint64_t limbs[LIMBS])
{
    uint64_t words[WORDS + 1] = {0};
    uint64_t bad = mask_at_least(limbs[LIMBS - 1], (uint64_t)1 << TOP_LIMB_BITS);

    for (size_t limb = 0; limb < LIMBS; limb++) {
        size_t word = limb * LIMB_BITS / 64;
        size_t shift = limb * LIMB_BITS % 64;

        bad |= mask_at_least(limbs[limb], (uint64_t)1 << LIMB_BITS);
        words[word] |= limbs[limb] << shift;
        words[word + 1] |= limbs[limb] >> 1 >> (63 - shift);
    }
    for (size_t word = 0; word < WORDS; word++)
        sotto_store_u64(secret->bytes + 8 * word, words[word]);
    sotto_wipe(words, sizeof words);
    return ~bad;
}

/*
 * One coefficient of each limb's polynomial. 128 bits reduced mod p are within 2^-67 of uniform in
 * the field (each value has floor or ceil of 2^128 / p preimages), so that nothing is ever drawn
 * again and the work, and the place in the stream, do not depend on what was drawn: 65535 * 5
 * coefficients are within 2^-48 of ideal ones together.
 */
static void draw_coefficients(uint64_t coefficients[LIMBS], struct sotto_prg *prg)
{
    uint8_t stream[LIMBS * COEFFICIENT_BYTES];

    sotto_prg_next(prg, stream, sizeof stream);
    for (size_t limb = 0; limb < LIMBS; limb++) {
        const uint8_t *at = stream + limb * COEFFICIENT_BYTES;

        coefficients[limb] = reduce((wide)sotto_load_u64(at + 8) << 64 | sotto_load_u64(at));
    }
    sotto_wipe(stream, sizeof stream);
}

static uint64_t load_limb(const struct sotto_share *share, size_t limb)
{
    uint64_t stored;

    memcpy(&stored, share->bytes + 8 * limb, sizeof stored);
    return le64toh(stored);
}

static void store_limb(struct sotto_share *share, size_t limb, uint64_t value)
{
    uint64_t stored = htole64(value);

    memcpy(share->bytes + 8 * limb, &stored, sizeof stored);
}

/* One step of Horner's rule, in the share's own bytes: y <- y * x + coefficient. */
static void share_step(struct sotto_share *share, uint64_t x, const uint64_t coefficients[LIMBS])
{
    for (size_t limb = 0; limb < LIMBS; limb++) {
        wide value = (wide)load_limb(share, limb) * x + coefficients[limb];

        store_limb(share, limb, reduce(value));
    }
}

/*
 * Horner's rule for all shares side by side, highest coefficient first and the secret last, so that
 * each coefficient is used up where it is drawn and the shares are all the memory there is. Without
 * indices the holders are 0 .. count - 1.
 */
void sotto_share_split_among(struct sotto_share *shares, const struct sotto_secret *secret,
                             const struct sotto_secret *seed, size_t threshold,
                             const struct sotto_holders *holders)
{
    size_t count = holders->count;
    uint64_t coefficients[LIMBS];
    struct sotto_prg prg;

    assert(threshold >= 1 && threshold <= count && count <= SOTTO_SHARE_COUNT_MAX);
    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    sotto_prg_seek(&prg, seed, 0);
    memset(shares, 0, count * sizeof *shares);
    for (size_t power = threshold; power > 0; power--) {
        if (power > 1)
            draw_coefficients(coefficients, &prg);
        else
            limbs_of_secret(coefficients, secret);
        for (size_t i = 0; i < count; i++) {
            uint64_t index = holders->indices != NULL ? holders->indices[i] : i;

            share_step(&shares[i], index + 1, coefficients);
        }
    }
    sotto_prg_close(&prg);
    sotto_wipe(coefficients, sizeof coefficients);
}

void sotto_share_split(struct sotto_share *shares, const struct sotto_secret *secret,
                       const struct sotto_secret *seed, size_t threshold, size_t count)
{
    const struct sotto_holders everybody = {.indices = NULL, .count = count};

    sotto_share_split_among(shares, secret, seed, threshold, &everybody);
}

/*
 * The weight of share `own` in the value at zero: product over the others of x_j / (x_j - x_own).
 * Zero if an index is there twice, for then a factor below is zero, and so is its inverse. Indices
 * are public.
 */
static uint64_t weight_at_zero(const uint32_t *indices, size_t threshold, size_t own)
{
    uint64_t above = 1;
    uint64_t below = 1;

    for (size_t j = 0; j < threshold; j++) {
        if (j == own)
            continue;
        above = multiply(above, (uint64_t)indices[j] + 1);
        below = multiply(below, reduce((wide)prime + indices[j] - indices[own]));
    }
    return multiply(above, invert(below));
}

/* limbs <- limbs + weight * share; a mask of ones if every limb of the share is in the field. */
static uint64_t add_weighted(uint64_t limbs[LIMBS], const struct sotto_share *share,
                             uint64_t weight)
{
    uint64_t bad = 0;

    for (size_t limb = 0; limb < LIMBS; limb++) {
        uint64_t value = load_limb(share, limb);

        bad |= mask_at_least(value, prime);
        limbs[limb] = reduce((wide)weight * value + limbs[limb]);
    }
    return ~bad;
}

/*
 * Whether the result is a secret is public, the result is not: it is kept or zeroed by a mask, and
 * the status is computed from the mask too.
 */
enum sotto_status sotto_share_join(struct sotto_secret *secret, const struct sotto_share *shares,
                                   const uint32_t *indices, size_t threshold)
{
    uint64_t limbs[LIMBS] = {0};
    uint64_t good = ~(uint64_t)0;

    assert(threshold >= 1 && threshold <= SOTTO_SHARE_COUNT_MAX);
    for (size_t share = 0; share < threshold; share++) {
        uint64_t weight = weight_at_zero(indices, threshold, share);

        good &= ~mask_at_least(indices[share], SOTTO_SHARE_COUNT_MAX);
        good &= mask_at_least(weight, 1);
        good &= add_weighted(limbs, &shares[share], weight);
    }
    good &= secret_of_limbs(secret, limbs);
    for (size_t i = 0; i < sizeof secret->bytes; i++)
        secret->bytes[i] &= (uint8_t)good;
    sotto_wipe(limbs, sizeof limbs);
    return (enum sotto_status)(SOTTO_MALFORMED & ~good);
}
