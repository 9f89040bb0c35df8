#include "crypto/ring/quantise.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

enum { DRAWS = 512 };

static const double unit = 0x1p-53;

/* So that the inverse of a step is finite, too. */
static const double range_min = 0x1p-900;

static uint32_t top_of(const struct sotto_quantiser *quantiser)
{
    return ((uint32_t)1 << (quantiser->value_bits - 1)) - 1;
}

enum sotto_status sotto_quantiser_check(const struct sotto_quantiser *quantiser)
{
    uint64_t weight_sum_max = (uint64_t)quantiser->cohort_max * quantiser->weight_max;
    uint64_t room = 0;

    if (!isfinite(quantiser->range) || quantiser->range < range_min)
        return SOTTO_MISMATCH;
    if (quantiser->value_bits < 2 || quantiser->value_bits > 24)
        return SOTTO_MISMATCH;
    if (quantiser->ring_bits < 8 || quantiser->ring_bits > 32)
        return SOTTO_MISMATCH;
    room = ((uint64_t)1 << (quantiser->ring_bits - 1)) - 1;
    if (weight_sum_max == 0 || quantiser->noise_tail > room)
        return SOTTO_MISMATCH;
    /* a * b + c < 2^(w-1), without the product that could itself wrap */
    if (weight_sum_max > (room - quantiser->noise_tail) / top_of(quantiser))
        return SOTTO_MISMATCH;
    return SOTTO_OK;
}

double sotto_quantiser_step(const struct sotto_quantiser *quantiser)
{
    return quantiser->range / top_of(quantiser);
}

/*
 * y between -top and top by its bits: those below the sign order doubles as they order integers,
 * and a comparison of doubles would be compiled to a branch on a secret. A NaN becomes one of the
 * two.
 */
static double clamp(double y, double top)
{
    const int64_t sign_bit = INT64_MIN;
    int64_t bits;
    int64_t size;
    int64_t top_bits;
    int64_t excess;

    memcpy(&bits, &y, sizeof bits);
    memcpy(&top_bits, &top, sizeof top_bits);
    size = bits & ~sign_bit;
    excess = (top_bits - size) >> 63;
    bits = (bits & sign_bit) | (size & ~excess) | (top_bits & excess);
    memcpy(&y, &bits, sizeof y);
    return y;
}

/*
 * floor(y + u) for y = value / step, written as floor(y) + [u < y - floor(y)], which is the same in
 * law and, unlike y + u, loses no bit of either.
 */
static uint32_t round_stochastically(double y, uint64_t draw)
{
    double u = (double)(int64_t)(draw >> 11) * unit;
    int64_t whole = (int64_t)y;

    whole -= (double)whole > y;
    return (uint32_t)(whole + (u < y - (double)whole));
}

void sotto_quantise(uint32_t *lanes, const float *values, size_t value_count, uint32_t weight,
                    const struct sotto_quantiser *quantiser, const struct sotto_secret *dither)
{
    const double top = top_of(quantiser);
    const double scale = 1.0 / sotto_quantiser_step(quantiser);
    uint64_t draws[DRAWS];
    struct sotto_prg prg;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    assert(weight >= 1 && weight <= quantiser->weight_max);
    sotto_prg_seek(&prg, dither, 0);
    for (size_t i = 0; i < value_count; i++) {
        double y = clamp(values[i] * scale, top);

        if (i % DRAWS == 0)
            sotto_prg_next(&prg, (uint8_t *)draws, sizeof draws);
        lanes[i] = weight * round_stochastically(y, le64toh(draws[i % DRAWS]));
    }
    lanes[value_count] = weight;
    sotto_prg_close(&prg);
    sotto_wipe(draws, sizeof draws);
}

void sotto_quantise_short(uint32_t *lanes, const float *values, size_t value_count,
                          const struct sotto_quantiser *quantiser)
{
    const double top = top_of(quantiser);
    const double scale = 1.0 / sotto_quantiser_step(quantiser);

    for (size_t i = 0; i < value_count; i++)
        lanes[i] = (uint32_t)(int32_t)clamp(values[i] * scale, top);
    lanes[value_count] = 1;
}

void sotto_quantise_rest(float *values, const uint32_t *lanes, size_t value_count, uint32_t weight,
                         const struct sotto_quantiser *quantiser)
{
    const double worth = sotto_quantiser_step(quantiser) / weight;

    for (size_t i = 0; i < value_count; i++)
        values[i] = (float)(values[i] - (int32_t)lanes[i] * worth);
}

/* The representative of the lane nearest to zero. */
static int64_t centred(uint32_t lane, unsigned ring_bits)
{
    const unsigned beyond = 32 - ring_bits;

    return (int32_t)(lane << beyond) >> beyond;
}

static uint64_t weight_in(uint32_t lane, unsigned ring_bits)
{
    return lane & (((uint64_t)1 << ring_bits) - 1);
}

/* Whether the lanes can be a sum of `survivors` quantised vectors. */
static bool is_possible(const uint32_t *sum, size_t value_count,
                        const struct sotto_quantiser *quantiser, uint32_t survivors)
{
    const uint64_t weight_sum = weight_in(sum[value_count], quantiser->ring_bits);
    const int64_t lane_max = (int64_t)(weight_sum * top_of(quantiser) + quantiser->noise_tail);

    if (weight_sum == 0 || weight_sum < survivors)
        return false;
    if (weight_sum > (uint64_t)survivors * quantiser->weight_max)
        return false;
    for (size_t i = 0; i < value_count; i++) {
        int64_t lane = centred(sum[i], quantiser->ring_bits);

        if (lane > lane_max || lane < -lane_max)
            return false;
    }
    return true;
}

enum sotto_status sotto_dequantise(float *values, uint64_t *weight_sum, const uint32_t *sum,
                                   size_t value_count, const struct sotto_quantiser *quantiser,
                                   uint32_t survivors)
{
    double worth;

    if (!is_possible(sum, value_count, quantiser, survivors))
        return SOTTO_MALFORMED;
    *weight_sum = weight_in(sum[value_count], quantiser->ring_bits);
    worth = sotto_quantiser_step(quantiser) / (double)*weight_sum;
    for (size_t i = 0; i < value_count; i++)
        values[i] = (float)((double)centred(sum[i], quantiser->ring_bits) * worth);
    return SOTTO_OK;
}
