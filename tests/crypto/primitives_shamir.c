/* Secret sharing, beside a naive twin of its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/primitives/prg.h"
#include "crypto/primitives/shamir.h"

enum { HOLDERS_MAX = 6 };

__extension__ typedef unsigned __int128 wide;

static const uint64_t prime = 2305843009213693951U;

static uint64_t multiply(uint64_t left, uint64_t right)
{
    return (uint64_t)((wide)left * right % prime);
}

static uint64_t power(uint64_t base, uint64_t exponent)
{
    uint64_t result = 1;

    for (; exponent > 0; exponent /= 2) {
        if (exponent % 2 == 1)
            result = multiply(result, base);
        base = multiply(base, base);
    }
    return result;
}

/*
 * The polynomial of least degree through (xs[i], ys[i]), at x: Lagrange's formula as it is printed.
 */
static uint64_t interpolated(const uint64_t *xs, const uint64_t *ys, size_t count, uint64_t x)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t term = ys[i];

        for (size_t j = 0; j < count; j++) {
            if (j == i)
                continue;
            term = multiply(term, (x + prime - xs[j]) % prime);
            term = multiply(term, power((xs[i] + prime - xs[j]) % prime, prime - 2));
        }
        sum = (sum + term) % prime;
    }
    return sum;
}

static uint64_t limb_of(const struct sotto_share *share, size_t limb)
{
    return sotto_load_u64(share->bytes + 8 * limb);
}

static void limb_set(struct sotto_share *share, size_t limb, uint64_t value)
{
    sotto_store_u64(share->bytes + 8 * limb, value);
}

/* Limb of 52 bits of a secret, bit by bit. */
static uint64_t secret_limb(const struct sotto_secret *secret, size_t limb)
{
    uint64_t value = 0;

    for (size_t bit = 0; bit < 52 && 52 * limb + bit < 256; bit++) {
        size_t at = 52 * limb + bit;

        value |= (uint64_t)(secret->bytes[at / 8] >> at % 8 & 1) << bit;
    }
    return value;
}

struct sharing {
    struct sotto_secret secret;
    struct sotto_secret seed;
    struct sotto_share shares[HOLDERS_MAX];
};

static void sharing_make(struct sharing *sharing, uint64_t seed, size_t threshold, size_t count)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    sotto_entropy_fill(&entropy, &sharing->secret, sizeof sharing->secret);
    sotto_entropy_fill(&entropy, &sharing->seed, sizeof sharing->seed);
    sotto_share_split(sharing->shares, &sharing->secret, &sharing->seed, threshold, count);
}

/* The members of a bit set as indices and their shares. */
static size_t subset(uint32_t *indices, struct sotto_share *shares, const struct sharing *sharing,
                     unsigned members)
{
    size_t count = 0;

    for (uint32_t index = 0; index < HOLDERS_MAX; index++)
        if (members >> index & 1) {
            indices[count] = index;
            shares[count++] = sharing->shares[index];
        }
    return count;
}

static void assert_every_subset_joins(const struct sharing *sharing, size_t threshold, size_t count)
{
    for (unsigned members = 1; members < 1U << count; members++) {
        uint32_t indices[HOLDERS_MAX];
        struct sotto_share shares[HOLDERS_MAX];
        struct sotto_secret joined;

        if (subset(indices, shares, sharing, members) != threshold)
            continue;
        assert_int_equal(sotto_share_join(&joined, shares, indices, threshold), SOTTO_OK);
        assert_memory_equal(joined.bytes, sharing->secret.bytes, sizeof joined.bytes);
    }
}

static void join__every_subset_of_threshold_size__gives_the_secret(void **state)
{
    (void)state;
    for (size_t count = 1; count <= HOLDERS_MAX; count++)
        for (size_t threshold = 1; threshold <= count; threshold++) {
            struct sharing sharing;

            sharing_make(&sharing, 100 * count + threshold, threshold, count);
            assert_every_subset_joins(&sharing, threshold, count);
        }
}

static void join__extreme_secrets__come_back(void **state)
{
    static const uint8_t fills[] = {0x00, 0xff, 0x0f, 0xf0, 0x80, 0x01};
    static const uint32_t indices[] = {4, 0, 2};

    (void)state;
    for (size_t i = 0; i < sizeof fills; i++) {
        struct sotto_secret secret;
        struct sotto_secret joined;
        struct sotto_share shares[5];

        memset(secret.bytes, fills[i], sizeof secret.bytes);
        sotto_share_split(shares, &secret, &secret, 3, 5);
        assert_int_equal(sotto_share_join(&joined,
                                          (struct sotto_share[]){shares[4], shares[0], shares[2]},
                                          indices, 3),
                         SOTTO_OK);
        assert_memory_equal(joined.bytes, secret.bytes, sizeof joined.bytes);
    }
}

static void join__full_cohort__gives_the_secret(void **state)
{
    enum { COUNT = 127, THRESHOLD = 67 };
    static struct sotto_share shares[COUNT];
    uint32_t indices[THRESHOLD];
    struct sotto_secret secret = {{1, 2, 3, [31] = 0xff}};
    struct sotto_secret joined;

    (void)state;
    sotto_share_split(shares, &secret, &secret, THRESHOLD, COUNT);
    for (uint32_t i = 0; i < THRESHOLD; i++)
        indices[i] = COUNT - THRESHOLD + i;
    assert_int_equal(sotto_share_join(&joined, shares + COUNT - THRESHOLD, indices, THRESHOLD),
                     SOTTO_OK);
    assert_memory_equal(joined.bytes, secret.bytes, sizeof joined.bytes);
}

/* Shares lie on polynomials of degree threshold - 1 whose value at zero are the secret's limbs. */
static void split__any_limb__is_a_polynomial_through_the_secret(void **state)
{
    static const uint64_t xs[] = {0, 1, 2, 3};
    struct sharing sharing;

    (void)state;
    sharing_make(&sharing, 7, 4, 6);
    for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++) {
        uint64_t ys[4] = {secret_limb(&sharing.secret, limb)};

        for (size_t i = 1; i < 4; i++)
            ys[i] = limb_of(&sharing.shares[xs[i] - 1], limb);
        for (size_t index = 3; index < 6; index++)
            assert_int_equal(interpolated(xs, ys, 4, index + 1),
                             limb_of(&sharing.shares[index], limb));
    }
}

/*
 * Whatever secret somebody with too few shares thinks of, there is a polynomial through it and
 * through their shares: a share that completes it is made, and the join then gives that secret.
 */
static void split__one_share_too_few__fits_any_secret(void **state)
{
    static const uint64_t xs[] = {0, 1, 2};
    static const uint32_t indices[] = {0, 1, 4};
    struct sharing sharing;

    (void)state;
    sharing_make(&sharing, 11, 3, 5);
    for (uint8_t guess = 0; guess < 32; guess++) {
        struct sotto_secret wanted = {{guess, [17] = 0xee, [31] = (uint8_t)(255 - guess)}};
        struct sotto_share shares[3] = {sharing.shares[0], sharing.shares[1]};
        struct sotto_secret joined;

        for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++) {
            uint64_t ys[] = {secret_limb(&wanted, limb), limb_of(&shares[0], limb),
                             limb_of(&shares[1], limb)};

            limb_set(&shares[2], limb, interpolated(xs, ys, 3, 5));
        }
        assert_int_equal(sotto_share_join(&joined, shares, indices, 3), SOTTO_OK);
        assert_memory_equal(joined.bytes, wanted.bytes, sizeof joined.bytes);
    }
}

static void join__too_few_shares__does_not_give_the_secret(void **state)
{
    static const uint32_t indices[] = {0, 1};
    struct sharing sharing;
    struct sotto_secret joined;

    (void)state;
    sharing_make(&sharing, 13, 3, 3);
    if (sotto_share_join(&joined, sharing.shares, indices, 2) == SOTTO_OK)
        assert_memory_not_equal(joined.bytes, sharing.secret.bytes, sizeof joined.bytes);
}

/*
 * Shares of one secret under many seeds fall evenly into 64 bins of the field: chi-square with 63
 * degrees of freedom is below 120 except with 2e-5.
 */
static void split__many_seeds__spreads_shares_evenly(void **state)
{
    enum { BINS = 64, DRAWS = 64 * 100 };
    size_t bins[BINS] = {0};
    double chi_square = 0.0;

    (void)state;
    for (uint64_t seed = 0; seed < DRAWS / SOTTO_SHARE_LIMBS; seed++) {
        struct sharing sharing;

        sharing_make(&sharing, seed, 2, 2);
        sharing.secret = (struct sotto_secret){{0}};
        sotto_share_split(sharing.shares, &sharing.secret, &sharing.seed, 2, 2);
        for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++)
            bins[limb_of(&sharing.shares[1], limb) >> 55]++;
    }
    for (size_t bin = 0; bin < BINS; bin++) {
        double off = (double)bins[bin] - (double)DRAWS / BINS;

        chi_square += off * off / ((double)DRAWS / BINS);
    }
    assert_true(chi_square < 120.0);
}

/* Where the first two shares of each limb fall, in eighths of the field, over many seeds. */
static void bin_pairs(size_t bins[64], uint8_t fill)
{
    struct sotto_secret secret;

    memset(secret.bytes, fill, sizeof secret.bytes);
    for (uint64_t seed = 0; seed < 1280; seed++) {
        struct sharing sharing;

        sharing_make(&sharing, 10000 * (uint64_t)fill + seed, 3, 3);
        sotto_share_split(sharing.shares, &secret, &sharing.seed, 3, 3);
        for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++)
            bins[(limb_of(&sharing.shares[0], limb) >> 58) * 8 +
                 (limb_of(&sharing.shares[1], limb) >> 58)]++;
    }
}

/*
 * Two of three shares fall alike whatever the secret is. Two samples of the same size: chi-square
 * with 63 degrees of freedom is below 120 except with 2e-5.
 */
static void split__two_secrets__cannot_be_told_by_too_few_shares(void **state)
{
    size_t left[64] = {0};
    size_t right[64] = {0};
    double chi_square = 0.0;

    (void)state;
    bin_pairs(left, 0x00);
    bin_pairs(right, 0xff);
    for (size_t bin = 0; bin < 64; bin++) {
        double off = (double)left[bin] - (double)right[bin];

        chi_square += off * off / (double)(left[bin] + right[bin]);
    }
    assert_true(chi_square < 120.0);
}

/*
 * With a threshold of two, the share at x = 1 is the limb plus one coefficient: 128 bits of the
 * stream mod p.
 */
static void split__coefficients__are_stream_bits_mod_p(void **state)
{
    uint8_t stream[SOTTO_SHARE_LIMBS * 16];
    struct sharing sharing;
    struct sotto_prg prg;

    (void)state;
    sharing_make(&sharing, 15, 2, 2);
    assert_int_equal(sotto_prg_open(&prg), SOTTO_OK);
    sotto_prg_seek(&prg, &sharing.seed, 0);
    sotto_prg_next(&prg, stream, sizeof stream);
    sotto_prg_close(&prg);
    for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++) {
        wide bits =
            (wide)sotto_load_u64(stream + 16 * limb + 8) << 64 | sotto_load_u64(stream + 16 * limb);

        assert_int_equal(limb_of(&sharing.shares[0], limb),
                         (secret_limb(&sharing.secret, limb) + (uint64_t)(bits % prime)) % prime);
    }
}

static void split__same_seed__is_the_same_split(void **state)
{
    struct sharing left;
    struct sharing right;

    (void)state;
    sharing_make(&left, 17, 3, 6);
    sharing_make(&right, 17, 3, 6);
    assert_memory_equal(left.shares, right.shares, sizeof left.shares);
    right.seed.bytes[0] ^= 1;
    sotto_share_split(right.shares, &right.secret, &right.seed, 3, 6);
    for (size_t index = 0; index < 6; index++)
        assert_memory_not_equal(&left.shares[index], &right.shares[index], sizeof *left.shares);
}

static void join__any_tampered_byte__never_gives_the_secret(void **state)
{
    static const uint32_t indices[] = {0, 1, 2};
    struct sharing sharing;

    (void)state;
    sharing_make(&sharing, 19, 3, 3);
    for (size_t byte = 0; byte < SOTTO_SHARE_BYTES; byte++) {
        struct sotto_secret joined;

        sharing.shares[1].bytes[byte] ^= 0x04;
        if (sotto_share_join(&joined, sharing.shares, indices, 3) == SOTTO_OK)
            assert_memory_not_equal(joined.bytes, sharing.secret.bytes, sizeof joined.bytes);
        sharing.shares[1].bytes[byte] ^= 0x04;
    }
}

static void assert_malformed(const struct sharing *sharing, const uint32_t indices[3])
{
    static const uint8_t zeros[32];
    struct sotto_secret joined;

    memset(joined.bytes, 0xa5, sizeof joined.bytes);
    assert_int_equal(sotto_share_join(&joined, sharing->shares, indices, 3), SOTTO_MALFORMED);
    assert_memory_equal(joined.bytes, zeros, sizeof zeros);
}

/* value + p is the same element in another writing, which must not pass. */
static void join__limb_out_of_the_field__is_malformed(void **state)
{
    static const uint32_t indices[] = {0, 1, 2};

    (void)state;
    for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++)
        for (uint64_t copy = 1; copy <= 7; copy++) {
            struct sharing sharing;

            sharing_make(&sharing, 23, 3, 3);
            limb_set(&sharing.shares[2], limb, limb_of(&sharing.shares[2], limb) + copy * prime);
            assert_malformed(&sharing, indices);
        }
}

static void join__limb_equal_to_the_prime__is_malformed(void **state)
{
    static const uint32_t indices[] = {0, 1, 2};
    struct sharing sharing = {0};

    (void)state;
    limb_set(&sharing.shares[0], 4, prime);
    assert_malformed(&sharing, indices);
}

static void join__index_repeated_or_out_of_range__is_malformed(void **state)
{
    struct sharing sharing;

    (void)state;
    sharing_make(&sharing, 29, 3, 3);
    assert_malformed(&sharing, (uint32_t[]){0, 1, 0});
    assert_malformed(&sharing, (uint32_t[]){2, 2, 2});
    assert_malformed(&sharing, (uint32_t[]){0, 1, SOTTO_SHARE_COUNT_MAX});
    assert_malformed(&sharing, (uint32_t[]){0, UINT32_MAX, 2});
}

/* A constant's shares are all the same, so that any indices would do. */
static void join__last_index__is_in_range_and_the_next_is_not(void **state)
{
    const struct sharing constant = {0};
    const uint32_t last[] = {0, 1, SOTTO_SHARE_COUNT_MAX - 1};
    struct sotto_secret joined;

    (void)state;
    assert_int_equal(sotto_share_join(&joined, constant.shares, last, 3), SOTTO_OK);
    assert_malformed(&constant, (uint32_t[]){0, 1, SOTTO_SHARE_COUNT_MAX});
    assert_malformed(&constant, (uint32_t[]){0, UINT32_MAX, 1});
    assert_malformed(&constant, (uint32_t[]){0, 1, 1});
}

/* Shares that are all the same are those of a constant: the limbs themselves. */
static void join__result_wider_than_a_secret__is_malformed(void **state)
{
    static const uint32_t indices[] = {0, 1, 2};
    static const uint64_t too_wide[SOTTO_SHARE_LIMBS] = {(uint64_t)1 << 52, (uint64_t)1 << 52,
                                                         (uint64_t)1 << 52, (uint64_t)1 << 52,
                                                         (uint64_t)1 << 48};

    (void)state;
    for (size_t limb = 0; limb < SOTTO_SHARE_LIMBS; limb++) {
        struct sharing sharing = {0};
        struct sotto_secret joined;

        for (size_t share = 0; share < 3; share++)
            limb_set(&sharing.shares[share], limb, too_wide[limb] - 1);
        assert_int_equal(sotto_share_join(&joined, sharing.shares, indices, 3), SOTTO_OK);
        for (size_t share = 0; share < 3; share++)
            limb_set(&sharing.shares[share], limb, too_wide[limb]);
        assert_malformed(&sharing, indices);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(join__every_subset_of_threshold_size__gives_the_secret),
        cmocka_unit_test(join__extreme_secrets__come_back),
        cmocka_unit_test(join__full_cohort__gives_the_secret),
        cmocka_unit_test(split__any_limb__is_a_polynomial_through_the_secret),
        cmocka_unit_test(split__one_share_too_few__fits_any_secret),
        cmocka_unit_test(join__too_few_shares__does_not_give_the_secret),
        cmocka_unit_test(split__many_seeds__spreads_shares_evenly),
        cmocka_unit_test(split__two_secrets__cannot_be_told_by_too_few_shares),
        cmocka_unit_test(split__coefficients__are_stream_bits_mod_p),
        cmocka_unit_test(split__same_seed__is_the_same_split),
        cmocka_unit_test(join__any_tampered_byte__never_gives_the_secret),
        cmocka_unit_test(join__limb_out_of_the_field__is_malformed),
        cmocka_unit_test(join__limb_equal_to_the_prime__is_malformed),
        cmocka_unit_test(join__index_repeated_or_out_of_range__is_malformed),
        cmocka_unit_test(join__last_index__is_in_range_and_the_next_is_not),
        cmocka_unit_test(join__result_wider_than_a_secret__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
