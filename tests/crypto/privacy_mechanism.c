/*
 * From updates to noised lanes and back: how much noise a plan asks of a site, the bound on what is
 * rounded, and what a mean is worth at eight bits.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/privacy/gaussian.h"
#include "crypto/privacy/mechanism.h"
#include "crypto/privacy/rounding.h"
#include "crypto/ring/lanes.h"
#include "tests/support/cmocka.h"

enum { VALUES = 3000, SITES = 5 };

static const struct sotto_noise_terms usual = {.multiplier = 1,
                                               .clip_norm = 10,
                                               .step = 0.01,
                                               .value_count = 40000,
                                               .cohort_max = 100,
                                               .survivors_min = 45,
                                               .corrupt_fraction = 0.05};

/* c = 1000: B^2 = floor(10^6 + 10^4 + 1000 + 100), m = 45 - 5. */
static void noise__usual_terms__are_those_of_the_formula(void **state)
{
    struct sotto_noise noise;

    (void)state;
    assert_int_equal(sotto_noise_of(&noise, &usual), SOTTO_OK);
    assert_int_equal(noise.square_max, 1011100);
    assert_int_equal(noise.honest_min, 40);
    assert_int_equal(noise.variance, 25278);
    assert_true(fabs(noise.tail / sqrt(100 * 25278.0) - sqrt(130 * log(2))) < 0.01);
}

static void noise__terms_out_of_reach__are_a_mismatch(void **state)
{
    struct sotto_noise_terms wrong[] = {usual, usual, usual, usual, usual, usual, usual, usual};
    struct sotto_noise noise = {.variance = 7};

    (void)state;
    wrong[0].multiplier = 0;
    wrong[1].multiplier = (double)NAN;
    wrong[2].multiplier = 1001;
    wrong[3].survivors_min = 5;   /* as many as may be corrupt */
    wrong[4].multiplier = 0.0188; /* V = 8.9, rounded up: 9; see below */
    wrong[4].step = 0.0101;
    wrong[5].step = 1e-9;
    wrong[6].multiplier = 1000;
    wrong[6].step = 1e-5;
    wrong[7].cohort_max = UINT32_MAX;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (i != 4)
            assert_int_equal(sotto_noise_of(&noise, &wrong[i]), SOTTO_MISMATCH);
    assert_int_equal(noise.variance, 7);
    assert_int_equal(sotto_noise_of(&noise, &wrong[4]), SOTTO_OK);
    assert_int_equal(noise.variance, 9);
    wrong[4].multiplier = 0.0178;
    assert_int_equal(sotto_noise_of(&noise, &wrong[4]), SOTTO_MISMATCH);
}

/* Whoever is corrupt and whoever drops out: the honest rest has the promised variance. */
static void noise__any_survivors__have_what_was_promised(void **state)
{
    (void)state;
    for (uint32_t cohort = 3; cohort <= 60; cohort++) {
        for (uint32_t floor = 3; floor <= cohort; floor++) {
            struct sotto_noise_terms terms = usual;
            struct sotto_noise noise;
            uint32_t corrupt = cohort <= 20 ? 1 : (cohort + 19) / 20;

            terms.cohort_max = cohort;
            terms.survivors_min = floor;
            if (floor <= corrupt)
                continue;
            assert_int_equal(sotto_noise_of(&noise, &terms), SOTTO_OK);
            assert_true((floor - corrupt) * noise.variance >= noise.square_max);
            assert_true((floor - corrupt) * (noise.variance - 1) < noise.square_max);
        }
    }
}

static void values_set(float *values, uint32_t kind, double clip, double step)
{
    struct sotto_entropy entropy;

    memset(values, 0, VALUES * sizeof *values);
    sotto_entropy_init_seeded(&entropy, kind);
    for (size_t i = 0; i < VALUES; i++) {
        switch (kind) {
        case 0: values[i] = (float)(step / 2); break;
        case 1: values[i] = (float)(clip / sqrt(VALUES) * 0.999999); break;
        case 2: values[i] = i == 7 ? (float)clip : 0; break;
        case 3: values[i] = (float)(sotto_entropy_normal(&entropy) * clip / 70); break;
        case 4: values[i] = (float)(step * (i % 2 ? 1.5 : -0.5)); break;
        default: break;
        }
    }
}

static double length_of(const float *values)
{
    double square = 0;

    for (size_t i = 0; i < VALUES; i++)
        square += (double)values[i] * (double)values[i];
    return sqrt(square);
}

/* Values whose rounding errors are the largest, with a norm of exactly what the clip allows. */
static void rounding__any_values_and_seed__stay_within_the_bound(void **state)
{
    enum { KINDS = 6, SEEDS = 60 };
    static float values[VALUES];
    static uint32_t lanes[VALUES + 1];

    (void)state;
    for (uint32_t kind = 0; kind < KINDS; kind++) {
        struct sotto_noise_terms terms = usual;
        struct sotto_quantiser quantiser = {
            .value_bits = 16, .ring_bits = 32, .weight_max = 1, .cohort_max = 100};
        struct sotto_noise noise;

        values_set(values, kind, 10, 0.1);
        terms.value_count = VALUES;
        terms.step = 0.1;
        terms.clip_norm = fmax(length_of(values), 0.1);
        quantiser.range = terms.step * 32767;
        assert_int_equal(sotto_noise_of(&noise, &terms), SOTTO_OK);
        for (uint8_t seed = 0; seed < SEEDS; seed++) {
            const struct sotto_secret secret = {{seed, (uint8_t)kind}};

            sotto_round_bounded(lanes, values, VALUES, &quantiser, noise.square_max, &secret);
            assert_true(sotto_lanes_square(lanes, VALUES) <= noise.square_max);
            assert_int_equal(lanes[VALUES], 1);
        }
    }
}

/* A bound that no rounding but the one towards zero meets. */
static void rounding__bound_never_met__goes_towards_zero(void **state)
{
    static float values[VALUES];
    static uint32_t lanes[VALUES + 1];
    const struct sotto_secret seed = {{1}};
    const struct sotto_quantiser quantiser = {
        .range = 3276.7, .value_bits = 16, .ring_bits = 32, .weight_max = 1, .cohort_max = 100};

    (void)state;
    values_set(values, 4, 10, 0.1);
    sotto_round_bounded(lanes, values, VALUES, &quantiser, VALUES / 2, &seed);
    for (size_t i = 0; i < VALUES; i++)
        assert_int_equal((int32_t)lanes[i], i % 2);
}

static struct sotto_mechanism_terms terms_of(unsigned value_bits, double lane_range, bool rotated)
{
    return (struct sotto_mechanism_terms){.value_count = VALUES,
                                          .clip_norm = 1,
                                          .lane_range = lane_range,
                                          .is_rotated = rotated,
                                          .value_bits = value_bits,
                                          .ring_bits = 16,
                                          .weight_max = 1,
                                          .cohort_max = SITES,
                                          .survivors_min = 4,
                                          .corrupt_fraction = 0.05};
}

/* Each site's update: mostly small, a few values large, of norm 1. */
static void update_draw(float *values, uint32_t site, uint32_t round)
{
    struct sotto_entropy entropy;
    double norm;

    sotto_entropy_init_seeded(&entropy, 1000 * round + site);
    for (size_t i = 0; i < VALUES; i++)
        values[i] = (float)(sotto_entropy_normal(&entropy) * (i % 100 == 0 ? 40 : 1));
    norm = length_of(values) * 1.0001;
    for (size_t i = 0; i < VALUES; i++)
        values[i] = (float)(values[i] / norm);
}

struct played {
    float rest[SITES][VALUES];
    double wanted[VALUES]; /* sum over rounds of the mean update */
    double got[VALUES];
};

static void round_play(struct played *played, const struct sotto_mechanism *mechanism,
                       uint32_t round, bool feedback)
{
    static uint32_t sum[VALUES + 1], lanes[VALUES + 1];
    static float mean[VALUES];
    const struct sotto_digest context = {{(uint8_t)round}};
    const struct sotto_mechanism_sum summed = {sum, SITES, &context};
    uint64_t weight_sum;

    memset(sum, 0, sizeof sum);
    for (uint32_t site = 0; site < SITES; site++) {
        const struct sotto_secret seed = {{(uint8_t)site, (uint8_t)round, 7}};
        float values[VALUES];

        update_draw(values, site, round);
        for (size_t i = 0; i < VALUES; i++) {
            played->wanted[i] += (double)values[i] / SITES;
            values[i] += feedback ? played->rest[site][i] : 0;
        }
        assert_int_equal(sotto_mechanism_encode(mechanism, lanes, values, 1, &context, &seed),
                         SOTTO_OK);
        memcpy(played->rest[site], values, sizeof values);
        sotto_lanes_add(sum, lanes, VALUES + 1);
    }
    assert_int_equal(sotto_mechanism_decode(mechanism, mean, &weight_sum, &summed), SOTTO_OK);
    assert_int_equal(weight_sum, SITES);
    for (size_t i = 0; i < VALUES; i++)
        played->got[i] += (double)mean[i];
}

/* L2 distance of the sum of `rounds` means from what was wanted. */
static double error_after(const struct sotto_mechanism_terms *terms, uint32_t rounds, bool feedback)
{
    struct played *played = calloc(1, sizeof *played);
    struct sotto_mechanism mechanism;
    double square = 0;

    assert_non_null(played);
    assert_int_equal(sotto_mechanism_of(&mechanism, terms), SOTTO_FLAW_NONE);
    for (uint32_t round = 1; round <= rounds; round++)
        round_play(played, &mechanism, round, feedback);
    for (size_t i = 0; i < VALUES; i++)
        square += (played->got[i] - played->wanted[i]) * (played->got[i] - played->wanted[i]);
    free(played);
    return sqrt(square);
}

/*
 * Rotated, a value of norm 1 / sqrt(2048) on average fits a range of 0.1, 4.5 deviations; the error
 * is that of rounding, step / 2 a value and site at most: 0.1 / 127 / 2 * sqrt(3000 / 5) = 0.0096.
 * Not rotated, the same range cuts the large values.
 */
static void mechanism__eight_bits__are_enough_if_rotated(void **state)
{
    const struct sotto_mechanism_terms rotated = terms_of(8, 0.1, true);
    const struct sotto_mechanism_terms straight = terms_of(8, 0.1, false);
    const struct sotto_mechanism_terms wide = terms_of(8, 1, false);

    (void)state;
    assert_true(error_after(&rotated, 1, false) < 0.0105);
    assert_true(error_after(&straight, 1, false) > 0.05);
    assert_true(error_after(&wide, 1, false) > 0.05);
}

/* With feedback the errors do not add up; without, they grow as the root of the rounds. */
static void mechanism__feedback__makes_up_for_earlier_rounds(void **state)
{
    const struct sotto_mechanism_terms terms = terms_of(8, 0.1, true);
    double without = error_after(&terms, 16, false);
    double with = error_after(&terms, 16, true);

    (void)state;
    assert_true(without > 2.5 * error_after(&terms, 1, false));
    assert_true(with < 1.3 * error_after(&terms, 1, true));
}

/* The mean carries noise of z C sqrt(n / m) / n a value, on top of what rounding costs. */
static void mechanism__noise__is_as_large_as_planned(void **state)
{
    struct sotto_mechanism_terms terms = terms_of(8, 0.5, true);
    double expected = 1 * sqrt(5.0 / 3) / 5 * sqrt(VALUES);
    double error;

    (void)state;
    terms.ring_bits = 20;
    terms.noise_multiplier = 1;
    error = error_after(&terms, 1, false);
    assert_true(error > 0.95 * expected);
    assert_true(error < 1.25 * expected);
}

static void mechanism__flaws__have_names(void **state)
{
    struct sotto_mechanism_terms terms = terms_of(8, 0.1, true);
    struct sotto_mechanism mechanism;

    (void)state;
    terms.noise_multiplier = 1; /* noise of 1270 steps / sqrt(3), times 9.5 sqrt(5) */
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    terms.noise_multiplier = 3; /* room for the values, none for the noise */
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_WRAP);
    terms.ring_bits = 24;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    terms.weight_max = 2;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_WEIGHT);
    terms.weight_max = 1;
    terms.survivors_min = 1;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NOISE);
    terms.lane_range = 0;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_WRAP);
}

static void mechanism__not_a_number__is_malformed(void **state)
{
    static float values[VALUES];
    static uint32_t lanes[VALUES + 1];
    const struct sotto_mechanism_terms terms = terms_of(8, 0.1, true);
    const struct sotto_digest context = {{1}};
    const struct sotto_secret seed = {{1}};
    struct sotto_mechanism mechanism;

    (void)state;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    values[5] = (float)NAN;
    assert_int_equal(sotto_mechanism_encode(&mechanism, lanes, values, 1, &context, &seed),
                     SOTTO_MALFORMED);
}

/* Values that overflow as they are rotated, with the rest of an earlier round among them. */
static void mechanism__not_finite_under_noise__is_sent_as_zeros(void **state)
{
    static float broken[VALUES], zeros[VALUES];
    static uint32_t lanes[2][VALUES + 1];
    const struct sotto_digest context = {{1}};
    const struct sotto_secret seed = {{1}};
    struct sotto_mechanism_terms terms = terms_of(8, 0.5, true);
    struct sotto_mechanism mechanism;

    (void)state;
    terms.ring_bits = 20;
    terms.noise_multiplier = 1;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    for (size_t i = 0; i < VALUES; i++)
        broken[i] = i % 2 ? 3e38F : 0.001F;
    assert_int_equal(sotto_mechanism_encode(&mechanism, lanes[0], broken, 1, &context, &seed),
                     SOTTO_OK);
    assert_int_equal(sotto_mechanism_encode(&mechanism, lanes[1], zeros, 1, &context, &seed),
                     SOTTO_OK);
    assert_memory_equal(lanes[0], lanes[1], sizeof lanes[0]);
    for (size_t i = 0; i < VALUES; i++)
        assert_true(broken[i] == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise__usual_terms__are_those_of_the_formula),
        cmocka_unit_test(noise__terms_out_of_reach__are_a_mismatch),
        cmocka_unit_test(noise__any_survivors__have_what_was_promised),
        cmocka_unit_test(rounding__any_values_and_seed__stay_within_the_bound),
        cmocka_unit_test(rounding__bound_never_met__goes_towards_zero),
        cmocka_unit_test(mechanism__eight_bits__are_enough_if_rotated),
        cmocka_unit_test(mechanism__feedback__makes_up_for_earlier_rounds),
        cmocka_unit_test(mechanism__noise__is_as_large_as_planned),
        cmocka_unit_test(mechanism__flaws__have_names),
        cmocka_unit_test(mechanism__not_a_number__is_malformed),
        cmocka_unit_test(mechanism__not_finite_under_noise__is_sent_as_zeros),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
