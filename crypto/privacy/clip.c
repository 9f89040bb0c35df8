#include "crypto/privacy/clip.h"

#include <assert.h>
#include <float.h>
#include <math.h>
#include <string.h>

/*
 * Partial sums of squares: their additions do not wait for one another, and their rounding errors
 * are smaller.
 */
enum { PARTS = 8 };

/*
 * Room for one rounding to float a value, which is at most 2^-24 of it, and for those of the sum
 * itself.
 */
static const double margin = 1.0 - 0x1p-22;

/* In double no square of a float overflows, so the norm is finite exactly if every value is. */
static double norm_of(const float *values, size_t value_count)
{
    double squares[PARTS] = {0.0};
    double sum = 0.0;

    for (size_t i = 0; i < value_count; i++)
        squares[i % PARTS] += (double)values[i] * values[i];
    for (size_t part = 0; part < PARTS; part++)
        sum += squares[part];
    return sqrt(sum);
}

/* One of two, without a branch. */
static double chosen(bool is_first, double first, double second)
{
    uint64_t mask = 0U - (uint64_t)is_first;
    uint64_t bits[2];

    memcpy(&bits[0], &first, sizeof first);
    memcpy(&bits[1], &second, sizeof second);
    bits[0] = (bits[0] & mask) | (bits[1] & ~mask);
    memcpy(&first, &bits[0], sizeof first);
    return first;
}

/*
 * Below the normal floats the relative rounding error has no bound; zero is always short enough.
 * What is not clipped stays as it is.
 */
static float scaled_down(float value, double scale, bool is_clipped)
{
    double scaled = value * scale;

    return (float)chosen(!is_clipped | (fabs(scaled) >= (double)FLT_MIN), scaled, 0.0);
}

enum sotto_status sotto_clip(float *values, double *norm, size_t value_count, double norm_max)
{
    double before = norm_of(values, value_count);
    bool is_clipped = before > norm_max;
    double scale = chosen(is_clipped, norm_max / before * margin, 1.0);

    assert(norm_max > 0.0);
    if (!isfinite(before))
        return SOTTO_MALFORMED;
    *norm = before;
    for (size_t i = 0; i < value_count; i++)
        values[i] = scaled_down(values[i], scale, is_clipped);
    return SOTTO_OK;
}
