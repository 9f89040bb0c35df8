/* Clipping: the norm is bounded in double, whatever the floats. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/privacy/clip.h"

enum { COUNT = 4099 };

static double norm_of(const float *values, size_t value_count)
{
    double sum = 0.0;

    for (size_t i = 0; i < value_count; i++)
        sum += (double)values[i] * (double)values[i];
    return sqrt(sum);
}

static void draw(float *values, double scale, uint64_t seed)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t i = 0; i < COUNT; i++)
        values[i] = (float)(sotto_entropy_normal(&entropy) * scale);
}

static void clip__long_vector__is_at_most_the_bound_and_points_the_same_way(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        static float before[COUNT];
        static float values[COUNT];
        double norm = 0.0;

        draw(before, 1.0, seed);
        memcpy(values, before, sizeof values);
        assert_int_equal(sotto_clip(values, &norm, COUNT, 3.7), SOTTO_OK);
        assert_true(fabs(norm / norm_of(before, COUNT) - 1.0) < 1e-12);
        assert_true(norm_of(values, COUNT) <= 3.7);
        assert_true(norm_of(values, COUNT) > 3.7 * (1.0 - 1e-6));
        for (size_t i = 0; i < COUNT; i++)
            assert_true(fabs((double)values[i] - (double)before[i] * 3.7 / norm) < 2e-6);
    }
}

static void clip__extreme_magnitudes__stay_within_the_bound(void **state)
{
    static const double scales[] = {1e-36, 1e-20, 1.0, 1e20, 1e37};
    static const double bounds[] = {1e-44, 1e-38, 1e-30, 1.0, 1e30};

    (void)state;
    for (size_t scale = 0; scale < 5; scale++)
        for (size_t bound = 0; bound < 5; bound++) {
            static float values[COUNT];
            double norm = 0.0;

            draw(values, scales[scale], 7);
            assert_int_equal(sotto_clip(values, &norm, COUNT, bounds[bound]), SOTTO_OK);
            assert_true(norm_of(values, COUNT) <= bounds[bound]);
        }
}

/* Three quarters of the least float would be rounded up to it, and the norm with them. */
static void clip__values_below_the_normal_floats__are_not_rounded_up(void **state)
{
    static float values[COUNT];
    const double bound = 0.75 * 0x1p-149 * sqrt(COUNT);
    double norm = 0.0;

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        values[i] = 1.0F;
    assert_int_equal(sotto_clip(values, &norm, COUNT, bound), SOTTO_OK);
    assert_true(norm_of(values, COUNT) <= bound);
}

static void clip__short_vector__is_untouched(void **state)
{
    static float before[COUNT];
    static float values[COUNT];
    double norm = 0.0;

    (void)state;
    draw(before, 1e-3, 9);
    memcpy(values, before, sizeof values);
    assert_int_equal(sotto_clip(values, &norm, COUNT, 3.7), SOTTO_OK);
    assert_memory_equal(values, before, sizeof values);
    assert_true(norm > 0.0 && norm < 3.7);
}

static void clip__norm_equal_to_the_bound__is_untouched(void **state)
{
    float values[] = {3.0F, -4.0F};
    double norm = 0.0;

    (void)state;
    assert_int_equal(sotto_clip(values, &norm, 2, 5.0), SOTTO_OK);
    assert_true(norm == 5.0 && values[0] == 3.0F && values[1] == -4.0F);
}

static void clip__zero_vector__stays(void **state)
{
    float values[9] = {0.0F};
    double norm = 1.0;

    (void)state;
    assert_int_equal(sotto_clip(values, &norm, 9, 5.0), SOTTO_OK);
    assert_true(norm == 0.0);
    for (size_t i = 0; i < 9; i++)
        assert_true(values[i] == 0.0F);
}

static void clip__value_not_finite__is_malformed_and_untouched(void **state)
{
    static const float strange[] = {(float)NAN, (float)-NAN, (float)INFINITY, (float)-INFINITY};

    (void)state;
    for (size_t kind = 0; kind < 4; kind++)
        for (size_t at = 0; at < COUNT; at += 257) {
            static float before[COUNT];
            static float values[COUNT];
            double norm = -1.0;

            draw(before, 1.0, 11);
            before[at] = strange[kind];
            memcpy(values, before, sizeof values);
            assert_int_equal(sotto_clip(values, &norm, COUNT, 3.7), SOTTO_MALFORMED);
            assert_memory_equal(values, before, sizeof values);
            assert_true(norm == -1.0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clip__long_vector__is_at_most_the_bound_and_points_the_same_way),
        cmocka_unit_test(clip__extreme_magnitudes__stay_within_the_bound),
        cmocka_unit_test(clip__values_below_the_normal_floats__are_not_rounded_up),
        cmocka_unit_test(clip__short_vector__is_untouched),
        cmocka_unit_test(clip__norm_equal_to_the_bound__is_untouched),
        cmocka_unit_test(clip__zero_vector__stays),
        cmocka_unit_test(clip__value_not_finite__is_malformed_and_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
