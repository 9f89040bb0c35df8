#include "crypto/secagg/secaggplus/graph/urn.h"

#include <assert.h>

/* Terms smaller than this, beside the largest one, change no tail that is asked for. */
static const double negligible = 1e-250;

/* Pr[x + 1] / Pr[x] */
static double ratio_above(const struct sotto_urn *urn, uint32_t x)
{
    double ways = ((double)urn->marked - x) * ((double)urn->drawn - x);
    double back = ((double)x + 1) * ((double)urn->total - urn->marked - urn->drawn + (double)x + 1);

    return ways / back;
}

static uint32_t least(const struct sotto_urn *urn)
{
    uint64_t held = (uint64_t)urn->marked + urn->drawn;

    return held > urn->total ? (uint32_t)(held - urn->total) : 0;
}

static uint32_t most(const struct sotto_urn *urn)
{
    return urn->marked < urn->drawn ? urn->marked : urn->drawn;
}

static uint32_t mode(const struct sotto_urn *urn)
{
    uint64_t place =
        ((uint64_t)urn->drawn + 1) * ((uint64_t)urn->marked + 1) / ((uint64_t)urn->total + 2);
    uint32_t low = least(urn);
    uint32_t high = most(urn);

    if (place < low)
        return low;
    return place > high ? high : (uint32_t)place;
}

/* The sum of the terms below the mode, the mode's own being 1. */
static double sum_below(const struct sotto_urn *urn, uint32_t x)
{
    double term = 1;
    double sum = 0;

    while (x > least(urn) && term > negligible) {
        x--;
        term /= ratio_above(urn, x);
        sum += term;
    }
    return sum;
}

uint32_t sotto_urn_quantile(const struct sotto_urn *urn, double chance)
{
    assert(urn->marked <= urn->total && urn->drawn <= urn->total);
    assert(chance > 0 && chance < 1);

    uint32_t x = mode(urn);
    double term = 1;
    double all = 1 + sum_below(urn, x);
    double tail = 0;

    for (; x < most(urn) && term > negligible; x++) {
        term *= ratio_above(urn, x);
        all += term;
    }
    /* From the far end back, so that the smallest terms are added first. */
    for (; x > least(urn); x--) {
        tail += term;
        if (tail > chance * all)
            return x;
        term /= ratio_above(urn, x - 1);
    }
    return x;
}
