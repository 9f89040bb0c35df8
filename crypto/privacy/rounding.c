#include "crypto/privacy/rounding.h"

#include <assert.h>

#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

uint64_t sotto_lanes_square(const uint32_t *lanes, size_t lane_count)
{
    uint64_t square = 0;

    for (size_t i = 0; i < lane_count; i++) {
        int64_t lane = (int32_t)lanes[i];

        square += (uint64_t)(lane * lane);
    }
    return square;
}

void sotto_round_bounded(uint32_t *lanes, const float *values, size_t value_count,
                         const struct sotto_quantiser *quantiser, uint64_t square_max,
                         const struct sotto_secret *seed)
{
    struct sotto_secret dither;
    struct sotto_prg prg;
    bool fits = false;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    sotto_prg_seek(&prg, seed, 0);
    for (unsigned try = 0; try < SOTTO_ROUNDING_TRIES && !fits; try++) {
        sotto_prg_next(&prg, dither.bytes, sizeof dither.bytes);
        sotto_quantise(lanes, values, value_count, 1, quantiser, &dither);
        fits = sotto_lanes_square(lanes, value_count) <= square_max;
    }
    if (!fits)
        sotto_quantise_short(lanes, values, value_count, quantiser);
    assert(sotto_lanes_square(lanes, value_count) <= square_max);
    sotto_prg_close(&prg);
    sotto_wipe(&dither, sizeof dither);
}
