#include "crypto/ring/rotate.h"

#include <math.h>

#include "crypto/primitives/hkdf.h"
#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

enum { SECOND_AT = 1 << 25, SIGNS_BYTES = 4096, RUN = 8 };

void sotto_rotation_seed(struct sotto_secret *seed, const struct sotto_digest *context)
{
    sotto_hkdf(seed, sotto_view_digest(context), sotto_view_text(""), sotto_view_text("rotate"));
}

static void turn(float *values, size_t value_count, const struct sotto_secret *seed,
                 uint64_t offset)
{
    uint8_t signs[SIGNS_BYTES];
    struct sotto_prg prg;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    sotto_prg_seek(&prg, seed, offset);
    for (size_t i = 0; i < value_count; i++) {
        size_t bit = i % (8 * sizeof signs);

        if (bit == 0)
            sotto_prg_next(&prg, signs, sizeof signs);
        values[i] *= 1.0F - 2.0F * (float)(signs[bit / 8] >> bit % 8 & 1);
    }
    sotto_prg_close(&prg);
}

/* The size of a run is a constant, so that the compiler vectorises the loop over it. */
static void run_mix(float *restrict low, float *restrict high)
{
    for (size_t i = 0; i < RUN; i++) {
        float sum = low[i] + high[i];

        high[i] = low[i] - high[i];
        low[i] = sum;
    }
}

static void half_mix(float *low, float *high, size_t half)
{
    size_t i = 0;

    for (; i + RUN <= half; i += RUN)
        run_mix(low + i, high + i);
    for (; i < half; i++) {
        float sum = low[i] + high[i];

        high[i] = low[i] - high[i];
        low[i] = sum;
    }
}

/* H_n / sqrt(n), which is its own inverse. */
static void mix(float *values, size_t order)
{
    const float scale = (float)(1.0 / sqrt((double)order));

    for (size_t half = 1; half < order; half *= 2)
        for (size_t first = 0; first < order; first += 2 * half)
            half_mix(values + first, values + first + half, half);
    for (size_t i = 0; i < order; i++)
        values[i] *= scale;
}

static size_t order_of(size_t value_count)
{
    size_t order = 1;

    while (order <= value_count / 2)
        order *= 2;
    return order;
}

double sotto_rotation_spread(size_t value_count)
{
    return 1 / sqrt((double)order_of(value_count));
}

void sotto_rotate(float *values, size_t value_count, const struct sotto_secret *seed)
{
    size_t order = order_of(value_count);
    float *second = values + (value_count - order);

    turn(values, order, seed, 0);
    mix(values, order);
    if (second == values)
        return;
    turn(second, order, seed, SECOND_AT);
    mix(second, order);
}

void sotto_unrotate(float *values, size_t value_count, const struct sotto_secret *seed)
{
    size_t order = order_of(value_count);
    float *second = values + (value_count - order);

    if (second != values) {
        mix(second, order);
        turn(second, order, seed, SECOND_AT);
    }
    mix(values, order);
    turn(values, order, seed, 0);
}
