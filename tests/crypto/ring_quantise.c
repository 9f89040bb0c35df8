/* The quantiser: exact in expectation, bounded in error, and no sum that wraps or could not be. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/ring/lanes.h"
#include "crypto/ring/quantise.h"

static const struct sotto_quantiser usual = {
    .range = 10.0, .value_bits = 16, .ring_bits = 32, .weight_max = 512, .cohort_max = 128};

enum { TOP = 32767 }; /* of `usual` */

static double exact_position(double value)
{
    return value / usual.range * TOP;
}

static void check__usual_parameters__are_accepted(void **state)
{
    (void)state;
    assert_int_equal(sotto_quantiser_check(&usual), SOTTO_OK);
}

/*
 * 128 * 512 * 32767 < 2^31, the largest power of two for which it is so; 65538 * 32767 = 2^31 - 2
 * just fits.
 */
static void check__sum_at_the_edge_of_the_ring__is_refused_only_beyond_it(void **state)
{
    struct sotto_quantiser quantiser = usual;

    (void)state;
    quantiser.weight_max = 65538;
    quantiser.cohort_max = 1;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_OK);
    quantiser.weight_max = 65539;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
    quantiser.weight_max = 512;
    quantiser.cohort_max = 129;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
    quantiser.ring_bits = 31;
    quantiser.cohort_max = 64;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_OK);
    quantiser.cohort_max = 65;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
}

/* 2^31 - 2 of 2^31 - 1 are taken by values: noise may add one. */
static void check__noise_at_the_edge_of_the_ring__is_refused_only_beyond_it(void **state)
{
    struct sotto_quantiser quantiser = usual;

    (void)state;
    quantiser.weight_max = 65538;
    quantiser.cohort_max = 1;
    quantiser.noise_tail = 1;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_OK);
    quantiser.noise_tail = 2;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
    quantiser.noise_tail = UINT32_MAX;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
}

/* Products that wrap even 64 bits; the second is 12 mod 2^64. */
static void check__enormous_cohort_and_weight__are_refused(void **state)
{
    struct sotto_quantiser quantiser = usual;

    (void)state;
    quantiser.value_bits = 24;
    quantiser.weight_max = UINT32_MAX;
    quantiser.cohort_max = UINT32_MAX;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
    quantiser.value_bits = 4;
    quantiser.weight_max = 4294836226;
    quantiser.cohort_max = 859019674;
    assert_int_equal(sotto_quantiser_check(&quantiser), SOTTO_MISMATCH);
}

static void check__field_out_of_range__is_refused(void **state)
{
    struct sotto_quantiser wrong[] = {usual, usual, usual, usual, usual,
                                      usual, usual, usual, usual, usual};

    (void)state;
    wrong[0].range = 0.0;
    wrong[1].range = -1.0;
    wrong[2].range = (double)NAN;
    wrong[3].range = (double)INFINITY;
    wrong[4].value_bits = 1;
    wrong[5].value_bits = 25;
    wrong[6].ring_bits = 7;
    wrong[7].ring_bits = 33;
    wrong[8].weight_max = 0;
    wrong[9].cohort_max = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(sotto_quantiser_check(&wrong[i]), SOTTO_MISMATCH);
}

static void quantise__any_value__is_less_than_a_step_away(void **state)
{
    enum { COUNT = 5000 };
    const struct sotto_secret dither = {{1}};
    static float values[COUNT];
    static uint32_t lanes[COUNT + 1];
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 51);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)((2.0 * sotto_entropy_unit(&entropy) - 1.0) * usual.range);
    sotto_quantise(lanes, values, COUNT, 3, &usual, &dither);
    assert_int_equal(lanes[COUNT], 3);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal((int32_t)lanes[i] % 3, 0);
        assert_true(fabs((int32_t)lanes[i] / 3 - exact_position((double)values[i])) < 1.0);
    }
}

static void quantise__bounds_and_beyond__saturate(void **state)
{
    const struct sotto_secret dither = {{2}};
    const float values[] = {10.0F,  -10.0F,  10.0001F, -10.0001F,       1e30F,
                            -1e30F, FLT_MAX, -FLT_MAX, (float)INFINITY, (float)-INFINITY};
    uint32_t lanes[11];

    (void)state;
    sotto_quantise(lanes, values, 10, 7, &usual, &dither);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal((int32_t)lanes[i], i % 2 == 0 ? 7 * TOP : -7 * TOP);
}

/*
 * One value, rounded N times: each rounding is exact in expectation with a variance of at most 1/4,
 * so the mean is within 5 / (2 sqrt N) of it except with 6e-7. A rounding to nearest would be off
 * by up to 1/2, which is 100 times the bound for the fourth value.
 */
static void quantise__one_value_many_times__is_exact_in_the_mean(void **state)
{
    enum { COUNT = 1 << 18 };
    static const double targets[] = {-32766.99, -0.001, 0.0, 0.5, -17.25, 32766.9};
    static float values[COUNT];
    static uint32_t lanes[COUNT + 1];
    const double bound = 5.0 / (2.0 * sqrt(COUNT));

    (void)state;
    for (size_t target = 0; target < sizeof targets / sizeof *targets; target++) {
        const struct sotto_secret dither = {{3, (uint8_t)target}};
        float value = (float)(targets[target] / TOP * usual.range);
        double sum = 0.0;

        for (size_t i = 0; i < COUNT; i++)
            values[i] = value;
        sotto_quantise(lanes, values, COUNT, 1, &usual, &dither);
        for (size_t i = 0; i < COUNT; i++)
            sum += (int32_t)lanes[i];
        assert_true(fabs(sum / COUNT - exact_position((double)value)) < bound);
    }
}

static void quantise__other_dither__rounds_otherwise(void **state)
{
    enum { COUNT = 1000 };
    static float values[COUNT];
    uint32_t one[COUNT + 1];
    uint32_t same[COUNT + 1];
    uint32_t other[COUNT + 1];

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)i * 0.0037F;
    sotto_quantise(one, values, COUNT, 1, &usual, &(struct sotto_secret){{4}});
    sotto_quantise(same, values, COUNT, 1, &usual, &(struct sotto_secret){{4}});
    sotto_quantise(other, values, COUNT, 1, &usual, &(struct sotto_secret){{5}});
    assert_memory_equal(one, same, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
}

enum { SITES = 5, VALUES = 777 };

struct cohort {
    float values[SITES][VALUES];
    uint32_t weights[SITES];
    uint32_t sum[VALUES + 1];
};

static void cohort_sum(struct cohort *cohort, const struct sotto_quantiser *quantiser)
{
    struct sotto_entropy entropy;

    memset(cohort, 0, sizeof *cohort);
    sotto_entropy_init_seeded(&entropy, 61);
    for (uint8_t site = 0; site < SITES; site++) {
        const struct sotto_secret dither = {{6, site}};
        uint32_t lanes[VALUES + 1];

        cohort->weights[site] = 1 + (uint32_t)sotto_entropy_below(&entropy, quantiser->weight_max);
        for (size_t i = 0; i < VALUES; i++)
            cohort->values[site][i] =
                (float)((2.0 * sotto_entropy_unit(&entropy) - 1.0) * quantiser->range);
        sotto_quantise(lanes, cohort->values[site], VALUES, cohort->weights[site], quantiser,
                       &dither);
        sotto_lanes_add(cohort->sum, lanes, VALUES + 1);
    }
}

/* Each rounding is less than a step off, so the weighted mean is too. */
static void assert_mean_is_near(const struct cohort *cohort,
                                const struct sotto_quantiser *quantiser)
{
    double step = sotto_quantiser_step(quantiser);
    float means[VALUES];
    uint64_t weight_sum = 0;
    uint64_t expected = 0;

    assert_int_equal(sotto_dequantise(means, &weight_sum, cohort->sum, VALUES, quantiser, SITES),
                     SOTTO_OK);
    for (size_t site = 0; site < SITES; site++)
        expected += cohort->weights[site];
    assert_int_equal(weight_sum, expected);
    for (size_t i = 0; i < VALUES; i++) {
        double mean = 0.0;

        for (size_t site = 0; site < SITES; site++)
            mean += (double)cohort->weights[site] * (double)cohort->values[site][i];
        mean /= (double)expected;
        assert_true(fabs((double)means[i] - mean) < step * (1.0 + 1e-6));
    }
}

static void dequantise__sum_of_weighted_vectors__is_their_mean_within_a_step(void **state)
{
    static const struct sotto_quantiser quantisers[] = {
        {.range = 10.0, .value_bits = 16, .ring_bits = 32, .weight_max = 512, .cohort_max = 128},
        {.range = 0.5, .value_bits = 8, .ring_bits = 16, .weight_max = 40, .cohort_max = 6},
        {.range = 1e-3, .value_bits = 2, .ring_bits = 8, .weight_max = 25, .cohort_max = 5},
        {.range = 1e6, .value_bits = 24, .ring_bits = 32, .weight_max = 51, .cohort_max = 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof quantisers / sizeof *quantisers; i++) {
        struct cohort cohort;

        assert_int_equal(sotto_quantiser_check(&quantisers[i]), SOTTO_OK);
        cohort_sum(&cohort, &quantisers[i]);
        assert_mean_is_near(&cohort, &quantisers[i]);
    }
}

static void dequantise__bits_above_the_ring__are_ignored(void **state)
{
    const struct sotto_quantiser narrow = {
        .range = 0.5, .value_bits = 8, .ring_bits = 16, .weight_max = 40, .cohort_max = 6};
    struct cohort cohort;

    (void)state;
    cohort_sum(&cohort, &narrow);
    for (size_t i = 0; i <= VALUES; i++)
        cohort.sum[i] += (uint32_t)(i + 1) << 16;
    assert_mean_is_near(&cohort, &narrow);
}

static void assert_impossible(const uint32_t sum[3], uint32_t survivors)
{
    float values[2] = {1.5F, 2.5F};
    uint64_t weight_sum = 99;

    assert_int_equal(sotto_dequantise(values, &weight_sum, sum, 2, &usual, survivors),
                     SOTTO_MALFORMED);
    assert_true(values[0] == 1.5F && values[1] == 2.5F);
    assert_int_equal(weight_sum, 99);
}

static void dequantise__impossible_sum__is_malformed_and_writes_nothing(void **state)
{
    float values[2];
    uint64_t weight_sum;

    (void)state;
    assert_int_equal(sotto_dequantise(values, &weight_sum,
                                      (uint32_t[]){4 * TOP, (uint32_t)(-4 * TOP), 4}, 2, &usual, 4),
                     SOTTO_OK);
    assert_impossible((uint32_t[]){0, 0, 0}, 4);
    assert_impossible((uint32_t[]){0, 0, 3}, 4);
    assert_impossible((uint32_t[]){0, 0, 4 * 512 + 1}, 4);
    assert_impossible((uint32_t[]){4 * TOP + 1, 0, 4}, 4);
    assert_impossible((uint32_t[]){0, (uint32_t)(-4 * TOP - 1), 4}, 4);
    assert_impossible((uint32_t[]){0, 1U << 31, 4}, 4);
}

/* With noise a lane may go that far beyond what values alone can reach, and no further. */
static void dequantise__noise__widens_what_is_possible(void **state)
{
    struct sotto_quantiser noised = usual;
    float values[2];
    uint64_t weight_sum;
    const uint32_t high = 4 * TOP + 1000, low = (uint32_t)(-4 * TOP - 1000);

    (void)state;
    noised.noise_tail = 1000;
    assert_impossible((uint32_t[]){high, low, 4}, 4);
    assert_int_equal(
        sotto_dequantise(values, &weight_sum, (uint32_t[]){high, low, 4}, 2, &noised, 4), SOTTO_OK);
    assert_int_equal(
        sotto_dequantise(values, &weight_sum, (uint32_t[]){high + 1, 0, 4}, 2, &noised, 4),
        SOTTO_MALFORMED);
    assert_int_equal(
        sotto_dequantise(values, &weight_sum, (uint32_t[]){0, low - 1, 4}, 2, &noised, 4),
        SOTTO_MALFORMED);
}

static void dequantise__ends_of_the_scale__are_the_range(void **state)
{
    float values[3];
    uint64_t weight_sum;

    (void)state;
    assert_int_equal(
        sotto_dequantise(values, &weight_sum,
                         (uint32_t[]){(uint32_t)(-9 * TOP), 9 * TOP, (uint32_t)(-3 * TOP), 9}, 3,
                         &usual, 2),
        SOTTO_OK);
    assert_true(values[0] == -10.0F && values[1] == 10.0F);
    assert_true(fabs((double)values[2] + 10.0 / 3.0) < 1e-6);
}

/* What was sent and what is left make the value again, and less than a step is left. */
static void rest__any_value__and_its_lane_make_the_value(void **state)
{
    enum { COUNT = 2000 };
    const struct sotto_secret dither = {{7}};
    const double step = sotto_quantiser_step(&usual);
    static float values[COUNT];
    static float rest[COUNT];
    static uint32_t lanes[COUNT + 1];
    struct sotto_entropy entropy;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 71);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = rest[i] = (float)((2.0 * sotto_entropy_unit(&entropy) - 1.0) * usual.range);
    sotto_quantise(lanes, values, COUNT, 300, &usual, &dither);
    sotto_quantise_rest(rest, lanes, COUNT, 300, &usual);
    for (size_t i = 0; i < COUNT; i++) {
        double sent = (int32_t)lanes[i] / 300.0 * step;

        assert_true(fabs((double)rest[i]) < step * (1.0 + 1e-6));
        assert_true(fabs(sent + (double)rest[i] - (double)values[i]) < 1e-6 * step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__usual_parameters__are_accepted),
        cmocka_unit_test(check__sum_at_the_edge_of_the_ring__is_refused_only_beyond_it),
        cmocka_unit_test(check__noise_at_the_edge_of_the_ring__is_refused_only_beyond_it),
        cmocka_unit_test(check__enormous_cohort_and_weight__are_refused),
        cmocka_unit_test(check__field_out_of_range__is_refused),
        cmocka_unit_test(quantise__any_value__is_less_than_a_step_away),
        cmocka_unit_test(quantise__bounds_and_beyond__saturate),
        cmocka_unit_test(quantise__one_value_many_times__is_exact_in_the_mean),
        cmocka_unit_test(quantise__other_dither__rounds_otherwise),
        cmocka_unit_test(dequantise__sum_of_weighted_vectors__is_their_mean_within_a_step),
        cmocka_unit_test(dequantise__bits_above_the_ring__are_ignored),
        cmocka_unit_test(dequantise__impossible_sum__is_malformed_and_writes_nothing),
        cmocka_unit_test(dequantise__noise__widens_what_is_possible),
        cmocka_unit_test(rest__any_value__and_its_lane_make_the_value),
        cmocka_unit_test(dequantise__ends_of_the_scale__are_the_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
