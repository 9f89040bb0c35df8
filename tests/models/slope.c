#include "tests/models/slope.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/base/entropy.h"

enum { SAMPLES_MAX = 64 };

float *normal_floats(size_t count, double scale, uint64_t seed)
{
    float *values = malloc(count * sizeof *values);
    struct sotto_entropy entropy;

    assert_non_null(values);
    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)(scale * sotto_entropy_normal(&entropy));
    return values;
}

static double difference(const struct slope *slope, float *value)
{
    float kept = *value;
    float above = (float)(kept + slope->step);
    float below = (float)(kept - slope->step);
    double high;
    double low;

    *value = above;
    high = slope->loss(slope->context);
    *value = below;
    low = slope->loss(slope->context);
    *value = kept;
    return (high - low) / ((double)above - (double)below);
}

void assert_slope(const struct slope *slope, const char *what, float *values, const float *gradient,
                  size_t count)
{
    assert_slope_sampled(slope, what, values, gradient, count, SAMPLES_MAX);
}

void assert_slope_sampled(const struct slope *slope, const char *what, float *values,
                          const float *gradient, size_t count, size_t sample_max)
{
    size_t stride = count / sample_max + 1;
    double largest = 0.1; /* below that the differences are rounding */

    for (size_t i = 0; i < count; i++)
        largest = fabs(gradient[i]) > largest ? fabs(gradient[i]) : largest;
    for (size_t i = 0; i < count; i += stride) {
        double expected = difference(slope, &values[i]);

        if (!(fabs(expected - gradient[i]) <= slope->tolerance * largest))
            fail_msg("%s[%zu]: gradient %g, difference quotient %g", what, i, gradient[i],
                     expected);
    }
}

void assert_near(const float *a, const float *b, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(a[i] - b[i]) <= tolerance * (1.0 + fabs(b[i]))))
            fail_msg("element %zu: %g, expected %g", i, a[i], b[i]);
    }
}
