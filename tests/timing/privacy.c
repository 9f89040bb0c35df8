/*
 * Constant time of what makes an update private, by valgrind's memcheck: noise in the words it is
 * made of, rotation, rounding and length in the values. What may be looked at is marked as defined.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/privacy/gaussian.h"
#include "crypto/privacy/rounding.h"
#include "crypto/ring/rotate.h"
#include "tests/timing/taint.h"

enum { LANES = 5003 };

/* The plain form of a trial branches on its words: that it is noticed shows that the test can. */
static void control__plain_trial__is_noticed(void **state)
{
    struct sotto_gaussian gaussian;
    uint64_t words[SOTTO_TRIAL_WORDS];
    int64_t value;

    sotto_gaussian_init(&gaussian, 123456789);
    for (size_t i = 0; i < SOTTO_TRIAL_WORDS; i++)
        words[i] = UINT64_MAX / 3 * 2 + i;
    classify(words, sizeof words);
    (void)sotto_trial_settle(&value, words, &gaussian, NULL);
    assert_true(traces(state) > 0);
}

/* Only which trials are accepted and which are undecided may be looked at. */
static void noise__words__leave_no_trace_but_the_verdicts(void **state)
{
    static struct sotto_trial_words words;
    struct sotto_secret key = secret_of(8);
    struct sotto_gaussian gaussian;
    struct sotto_trials trials;
    struct sotto_prg prg;
    unsigned accepted = 0;

    sotto_gaussian_init(&gaussian, 123456789);
    assert_int_equal(sotto_prg_open(&prg), SOTTO_OK);
    sotto_prg_seek(&prg, &key, 0);
    for (unsigned batch = 0; batch < 20; batch++) {
        sotto_prg_next(&prg, (uint8_t *)&words, sizeof words);
        classify(&words, sizeof words);
        sotto_trials_run(&trials, &words, &gaussian);
        declassify(trials.accepted, sizeof trials.accepted);
        declassify(trials.undecided, sizeof trials.undecided);
        for (size_t i = 0; i < SOTTO_TRIALS; i++) {
            assert_int_equal(trials.undecided[i], 0);
            accepted += trials.accepted[i] != 0;
        }
    }
    sotto_prg_close(&prg);
    assert_in_range(accepted, 120, 240);
    assert_no_trace(state);
}

static void rotation_and_square__values_and_lanes__leave_no_trace(void **state)
{
    const struct sotto_digest context = {{1}};
    struct sotto_secret seed;
    static float values[LANES];
    static uint32_t lanes[LANES];

    sotto_rotation_seed(&seed, &context);
    classify(values, sizeof values);
    classify(lanes, sizeof lanes);
    sotto_rotate(values, LANES, &seed);
    sotto_unrotate(values, LANES, &seed);
    (void)sotto_lanes_square(lanes, LANES);
    assert_no_trace(state);
}

static const struct sotto_quantiser eight_bits = {
    .range = 127, .value_bits = 8, .ring_bits = 32, .weight_max = 1, .cohort_max = 1};

/* Half steps: a try's square is the number of values that it rounded up. */
static void half_steps_of(float values[LANES])
{
    for (size_t i = 0; i < LANES; i++)
        values[i] = 0.5F;
    classify(values, LANES * sizeof *values);
}

/* Trying again until it fits is a branch on the lanes: the verdict of one try is noticed. */
static void control__try_that_fits__is_noticed(void **state)
{
    static float values[LANES];
    static uint32_t lanes[LANES + 1];
    struct sotto_secret dither = secret_of(9);
    volatile bool is_short = false;

    half_steps_of(values);
    sotto_quantise(lanes, values, LANES, 1, &eight_bits, &dither);
    if (sotto_lanes_square(lanes, LANES) <= LANES / 2)
        is_short = true;
    (void)is_short;
    assert_true(traces(state) > 0);
}

/* Bounds that every try, about every second and no try meets. */
static void rounding__values_and_seed__leave_no_trace(void **state)
{
    static const uint64_t bounds[] = {LANES, LANES / 2, 0};
    static float values[LANES];
    static uint32_t lanes[LANES + 1];

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        struct sotto_secret seed = secret_of(10);

        half_steps_of(values);
        sotto_round_bounded(lanes, values, LANES, &eight_bits, bounds[i], &seed);
        assert_no_trace(state);
        declassify(lanes, sizeof lanes);
        assert_true(sotto_lanes_square(lanes, LANES) <= bounds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(control__plain_trial__is_noticed, errors_counted),
        cmocka_unit_test_setup(noise__words__leave_no_trace_but_the_verdicts, errors_counted),
        cmocka_unit_test_setup(rotation_and_square__values_and_lanes__leave_no_trace,
                               errors_counted),
        cmocka_unit_test_setup(control__try_that_fits__is_noticed, errors_counted),
        cmocka_unit_test_setup(rounding__values_and_seed__leave_no_trace, errors_counted),
    };

    if (!RUNNING_ON_VALGRIND) {
        puts("SKIP: constant time is checked under valgrind only");
        return TAINT_SKIPPED;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
