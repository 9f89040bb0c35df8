#include "crypto/ring/quantise.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

enum { DRAWS = 512 };

static const double unit = 0x1p-53;

static uint32_t steps_of(const struct sotto_quantiser *quantiser)
{
    return ((uint32_t)1 << quantiser->value_bits) - 1;
}

static uint64_t ring_max(const struct sotto_quantiser *quantiser)
{
    return ((uint64_t)1 << quantiser->ring_bits) - 1;
}

enum sotto_status sotto_quantiser_check(const struct sotto_quantiser *quantiser)
{
    uint64_t weight_sum_max = (uint64_t)quantiser->cohort_max * quantiser->weight_max;

    if (!isfinite(quantiser->range) || quantiser->range <= 0.0)
        return SOTTO_MISMATCH;
    if (quantiser->value_bits < 2 || quantiser->value_bits > 24)
        return SOTTO_MISMATCH;
    if (quantiser->ring_bits < 8 || quantiser->ring_bits > 32)
        return SOTTO_MISMATCH;
    if (weight_sum_max == 0)
        return SOTTO_MISMATCH;
    /* a * b < 2^w, without the product that could itself wrap */
    if (weight_sum_max > ring_max(quantiser) / steps_of(quantiser))
        return SOTTO_MISMATCH;
    return SOTTO_OK;
}

/*
 * y between 0 and top by its bits, which order non-negative doubles as they order integers: a
 * comparison of doubles would be compiled to a branch on a secret. A negative NaN becomes 0,
 * another one top.
 */
static double clamp(double y, double top)
{
    int64_t bits;
    int64_t top_bits;
    int64_t excess;

    memcpy(&bits, &y, sizeof bits);
    memcpy(&top_bits, &top, sizeof top_bits);
    bits &= ~(bits >> 63);
    excess = (top_bits - bits) >> 63;
    bits = (bits & ~excess) | (top_bits & excess);
    memcpy(&y, &bits, sizeof y);
    return y;
}

/*
 * floor(y + u) for y = (value / range + 1) / 2 * steps, written as floor(y) + [u < y - floor(y)],
 * which is the same in law and, unlike y + u, loses no bit of either.
 */
static uint32_t round_stochastically(double y, uint64_t draw)
{
    double u = (double)(int64_t)(draw >> 11) * unit;
    int64_t whole = (int64_t)y;

    return (uint32_t)(whole + (u < y - (double)whole));
}

void sotto_quantise(uint32_t *lanes, const float *values, size_t value_count, uint32_t weight,
                    const struct sotto_quantiser *quantiser, const struct sotto_secret *dither)
{
    const double steps = steps_of(quantiser);
    const double scale = 0.5 * steps / quantiser->range;
    uint64_t draws[DRAWS];
    struct sotto_prg prg;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    assert(weight >= 1 && weight <= quantiser->weight_max);
    sotto_prg_seek(&prg, dither, 0);
    for (size_t i = 0; i < value_count; i++) {
        double y = clamp(values[i] * scale + 0.5 * steps, steps);

        if (i % DRAWS == 0)
            sotto_prg_next(&prg, (uint8_t *)draws, sizeof draws);
        lanes[i] = weight * round_stochastically(y, le64toh(draws[i % DRAWS]));
    }
    lanes[value_count] = weight;
    sotto_prg_close(&prg);
    sotto_wipe(draws, sizeof draws);
}

/* Whether the lanes can be a sum of `survivors` quantised vectors. */
static bool is_possible(const uint32_t *sum, size_t value_count,
                        const struct sotto_quantiser *quantiser, uint32_t survivors)
{
    const uint32_t mask = (uint32_t)ring_max(quantiser);
    const uint64_t weight_sum = sum[value_count] & mask;
    const uint64_t lane_max = weight_sum * steps_of(quantiser);

    if (weight_sum == 0 || weight_sum < survivors)
        return false;
    if (weight_sum > (uint64_t)survivors * quantiser->weight_max)
        return false;
    for (size_t i = 0; i < value_count; i++)
        if ((sum[i] & mask) > lane_max)
            return false;
    return true;
}

enum sotto_status sotto_dequantise(float *values, uint64_t *weight_sum, const uint32_t *sum,
                                   size_t value_count, const struct sotto_quantiser *quantiser,
                                   uint32_t survivors)
{
    const uint32_t mask = (uint32_t)ring_max(quantiser);
    double step;

    if (!is_possible(sum, value_count, quantiser, survivors))
        return SOTTO_MALFORMED;
    *weight_sum = sum[value_count] & mask;
    step = 2.0 * quantiser->range / ((double)*weight_sum * steps_of(quantiser));
    for (size_t i = 0; i < value_count; i++)
        values[i] = (float)((double)(sum[i] & mask) * step - quantiser->range);
    return SOTTO_OK;
}
