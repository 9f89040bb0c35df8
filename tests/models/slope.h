/* Central finite differences of a scalar function, the yardstick for every explicit gradient. */
#ifndef SOTTO_TESTS_MODELS_SLOPE_H
#define SOTTO_TESTS_MODELS_SLOPE_H

#include <stddef.h>
#include <stdint.h>

struct slope {
    double (*loss)(void *context);
    void *context;
    double step;
    double
        tolerance; /* of |difference - gradient|, relative to the largest gradient of the tensor */
};

/* [count] from malloc, N(0, scale^2). */
float *normal_floats(size_t count, double scale, uint64_t seed);

/*
 * Fails the running test, naming `what`, unless gradient[i] is the slope of the loss in values[i]
 * for every i (or a regular sample of 64 of them).
 */
void assert_slope(const struct slope *slope, const char *what, float *values, const float *gradient,
                  size_t count);

/* The same with a regular sample of `sample_max`. */
void assert_slope_sampled(const struct slope *slope, const char *what, float *values,
                          const float *gradient, size_t count, size_t sample_max);

/* Fails unless |a - b| <= tolerance (1 + |b|) for all elements. */
void assert_near(const float *a, const float *b, size_t count, double tolerance);

#endif
