/* The rotation: its inverse, the norm, and that it spreads whatever it is given. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "crypto/ring/rotate.h"

static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 100, 255, 256, 257, 1000, 4096, 70001};

enum { SIZES = sizeof sizes / sizeof *sizes };

static double norm_of(const float *values, size_t count)
{
    double square = 0;

    for (size_t i = 0; i < count; i++)
        square += (double)values[i] * (double)values[i];
    return sqrt(square);
}

static float *values_drawn(size_t count, uint64_t seed)
{
    float *values = calloc(count, sizeof *values);
    struct sotto_entropy entropy;

    assert_non_null(values);
    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)sotto_entropy_normal(&entropy);
    return values;
}

static void rotate__there_and_back__is_the_same_and_keeps_the_norm(void **state)
{
    const struct sotto_secret seed = {{1}};

    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        float *values = values_drawn(sizes[i], i);
        float *rotated = values_drawn(sizes[i], i);
        double norm = norm_of(values, sizes[i]);

        sotto_rotate(rotated, sizes[i], &seed);
        assert_true(fabs(norm_of(rotated, sizes[i]) - norm) < 1e-5 * norm);
        if (sizes[i] > 2)
            assert_memory_not_equal(rotated, values, sizes[i] * sizeof *values);
        sotto_unrotate(rotated, sizes[i], &seed);
        for (size_t k = 0; k < sizes[i]; k++)
            assert_true(fabs((double)(rotated[k] - values[k])) < 1e-5);
        free(values);
        free(rotated);
    }
}

/* An orthonormal map of sums is the sum of the maps: that is why a sum can be rotated back. */
static void rotate__sum__is_the_sum_of_the_rotated(void **state)
{
    enum { COUNT = 777 };
    const struct sotto_secret seed = {{2}};
    float *left = values_drawn(COUNT, 1), *right = values_drawn(COUNT, 2);
    float sum[COUNT];

    (void)state;
    for (size_t i = 0; i < COUNT; i++)
        sum[i] = left[i] + right[i];
    sotto_rotate(left, COUNT, &seed);
    sotto_rotate(right, COUNT, &seed);
    sotto_rotate(sum, COUNT, &seed);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(fabs((double)(left[i] + right[i] - sum[i])) < 1e-4);
    free(left);
    free(right);
}

/*
 * All of the norm in one value, whichever: rotated, no value is far above 1 / sqrt(n), n > d / 2.
 */
static void rotate__one_spike__is_spread_over_all_lanes(void **state)
{
    enum { COUNT = 3000 };
    static const size_t places[] = {0, 1, 951, 952, 1500, 2047, 2048, 2999};
    const struct sotto_secret seed = {{3}};

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        float values[COUNT] = {0};

        values[places[i]] = 1;
        sotto_rotate(values, COUNT, &seed);
        for (size_t k = 0; k < COUNT; k++)
            assert_true(fabs((double)values[k]) < 5.5 * sotto_rotation_spread(COUNT));
    }
}

static void rotate__other_seed__is_another_rotation(void **state)
{
    enum { COUNT = 64 };
    const struct sotto_digest context = {{1}}, other = {{2}};
    struct sotto_secret seed, other_seed;
    float *values = values_drawn(COUNT, 3), *rotated = values_drawn(COUNT, 3);

    (void)state;
    sotto_rotation_seed(&seed, &context);
    sotto_rotation_seed(&other_seed, &other);
    sotto_rotate(values, COUNT, &seed);
    sotto_rotate(rotated, COUNT, &other_seed);
    assert_memory_not_equal(values, rotated, COUNT * sizeof *values);
    free(values);
    free(rotated);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rotate__there_and_back__is_the_same_and_keeps_the_norm),
        cmocka_unit_test(rotate__sum__is_the_sum_of_the_rotated),
        cmocka_unit_test(rotate__one_spike__is_spread_over_all_lanes),
        cmocka_unit_test(rotate__other_seed__is_another_rotation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
