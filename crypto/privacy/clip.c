#include "crypto/privacy/clip.h"

#include <assert.h>
#include <float.h>
#include <math.h>

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

enum sotto_status sotto_clip(float *values, double *norm, size_t value_count, double norm_max)
{
    double before = norm_of(values, value_count);
    double scale;

    assert(norm_max > 0.0);
    if (!isfinite(before))
        return SOTTO_MALFORMED;
    *norm = before;
    if (before <= norm_max)
        return SOTTO_OK;
    scale = norm_max / before * margin;
    for (size_t i = 0; i < value_count; i++) {
        double scaled = values[i] * scale;

        /*
         * Below the normal floats the relative rounding error has no bound; zero is always short
         * enough.
         */
        values[i] = fabs(scaled) < (double)FLT_MIN ? 0.0F : (float)scaled;
    }
    return SOTTO_OK;
}
