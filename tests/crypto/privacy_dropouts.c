/*
 * Noise in the sum of real rounds of five: whoever drops out, and whenever, what is unmasked has
 * the variance of its survivors' noise, and without a colluder's still what was promised. With
 * five, one may drop out at any stage; the sums of all other patterns are none (secagg_dropouts).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/privacy/mechanism.h"
#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT = 5, VALUES = 4096, LANES = VALUES + 1, EVERYBODY = (1 << COUNT) - 1, NOBODY = COUNT };

static const struct sotto_mechanism_terms terms = {.value_count = VALUES,
                                                   .clip_norm = 1,
                                                   .lane_range = 1,
                                                   .is_rotated = true,
                                                   .value_bits = 8,
                                                   .ring_bits = 20,
                                                   .weight_max = 1,
                                                   .cohort_max = COUNT,
                                                   .survivors_min = 4,
                                                   .corrupt_fraction = 0.05,
                                                   .noise_multiplier = 2};

/* Everybody's lanes of an update of zeros: noise and nothing else. */
static uint32_t *noise_drawn(const struct sotto_mechanism *mechanism)
{
    static float values[VALUES];
    const struct sotto_digest context = {{1}};
    uint32_t *plain = calloc((size_t)COUNT * LANES, sizeof *plain);

    assert_non_null(plain);
    for (uint8_t place = 0; place < COUNT; place++) {
        const struct sotto_secret seed = {{place, 5}};

        memset(values, 0, sizeof values);
        assert_int_equal(sotto_mechanism_encode(mechanism, plain + (size_t)place * LANES, values, 1,
                                                &context, &seed),
                         SOTTO_OK);
    }
    return plain;
}

/* As signed numbers of the ring, less what `without` put in; COUNT: nobody. */
static double variance_of(const uint32_t *sum, const uint32_t *plain, uint32_t without)
{
    double square = 0;

    for (size_t lane = 0; lane < VALUES; lane++) {
        uint32_t value = sum[lane] - (without < COUNT ? plain[without * LANES + lane] : 0);
        double centred = (double)((int32_t)(value << 12) >> 12);

        square += centred * centred / VALUES;
    }
    return square;
}

/* The standard error of a variance over 4096 lanes is 2.2 % of it; five of them are 11 %. */
static void check_noise(const struct chorus *chorus, const struct sotto_mechanism *mechanism)
{
    const double promised = 4 * (double)mechanism->noise.square_max;
    uint32_t sum[LANES];
    uint32_t survivors = 0;

    chorus_check_sum(chorus);
    chorus_unmask(chorus, sum);
    for (uint32_t place = 0; place < COUNT; place++) {
        if (!chorus->protocol->collector_survived(chorus->collector, chorus_id(place)))
            continue;
        survivors++;
        assert_true(variance_of(sum, chorus->plain, place) > 0.89 * promised);
    }
    assert_int_equal(sum[VALUES] % (1 << 20), survivors);
    assert_true(fabs(variance_of(sum, chorus->plain, NOBODY) /
                         (survivors * (double)mechanism->noise.variance) -
                     1) < 0.11);
    assert_true(variance_of(sum, chorus->plain, NOBODY) > promised);
}

/* One that stops before its answer in a stage. */
static void play(const struct sotto_mechanism *mechanism, const uint32_t *plain, uint32_t leaver,
                 enum sotto_stage at)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 17 + leaver);
    struct chorus *chorus;
    enum sotto_stage stage = SOTTO_STAGE_GATHERING;
    uint32_t places = EVERYBODY;

    setup.lane_count = LANES;
    setup.ring_bits = terms.ring_bits;
    setup.survivors_min = terms.survivors_min;
    chorus = chorus_open(&setup);
    chorus->plain = plain;
    while (stage < SOTTO_STAGE_UNMASKED) {
        if (stage == at && leaver < COUNT)
            places &= ~(1U << leaver);
        stage = chorus_play(chorus, places);
    }
    assert_int_equal(stage, SOTTO_STAGE_UNMASKED);
    check_noise(chorus, mechanism);
    chorus_close(chorus);
}

static void noise__every_dropout_pattern_of_five__has_what_was_promised(void **state)
{
    struct sotto_mechanism mechanism;
    uint32_t *plain;

    (void)state;
    assert_int_equal(sotto_mechanism_of(&mechanism, &terms), SOTTO_FLAW_NONE);
    assert_int_equal(mechanism.noise.honest_min, 3);
    plain = noise_drawn(&mechanism);
    play(&mechanism, plain, NOBODY, SOTTO_STAGE_GATHERING);
    for (uint32_t leaver = 0; leaver < COUNT; leaver++)
        for (int at = SOTTO_STAGE_GATHERING; at < SOTTO_STAGE_UNMASKED; at++)
            play(&mechanism, plain, leaver, (enum sotto_stage)at);
    free(plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise__every_dropout_pattern_of_five__has_what_was_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
