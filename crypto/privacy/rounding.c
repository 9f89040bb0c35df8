#include "crypto/privacy/rounding.h"

#include "crypto/primitives/prg.h"
#include "crypto/primitives/require.h"

enum { SHORTS = 512 };

uint64_t sotto_lanes_square(const uint32_t *lanes, size_t lane_count)
{
    uint64_t square = 0;

    for (size_t i = 0; i < lane_count; i++) {
        int64_t lane = (int32_t)lanes[i];

        square += (uint64_t)(lane * lane);
    }
    return square;
}

/* All ones if the lanes are short enough, else zero. Both squares are far below
 * 2^63. */
static uint64_t fits(const uint32_t *lanes, size_t lane_count, uint64_t square_max)
{
    return ~(uint64_t)((int64_t)(square_max - sotto_lanes_square(lanes, lane_count)) >> 63);
}

static void take(struct sotto_secret *out, const struct sotto_secret *in, uint64_t mask)
{
    for (size_t i = 0; i < sizeof in->bytes; i++)
        out->bytes[i] ^= (uint8_t)mask & (out->bytes[i] ^ in->bytes[i]);
}

/* Lanes rounded towards zero in place of these, where the mask is set. */
static void take_short(uint32_t *lanes, const float *values, size_t value_count,
                       const struct sotto_quantiser *quantiser, uint64_t mask)
{
    uint32_t shorts[SHORTS + 1];

    for (size_t begin = 0; begin < value_count; begin += SHORTS) {
        size_t count = value_count - begin < SHORTS ? value_count - begin : SHORTS;

        sotto_quantise_short(shorts, values + begin, count, quantiser);
        for (size_t i = 0; i < count; i++)
            lanes[begin + i] ^= (uint32_t)mask & (lanes[begin + i] ^ shorts[i]);
    }
    sotto_wipe(shorts, sizeof shorts);
}

void sotto_round_bounded(uint32_t *lanes, const float *values, size_t value_count,
                         const struct sotto_quantiser *quantiser, uint64_t square_max,
                         const struct sotto_secret *seed)
{
    struct sotto_secret chosen = {{0}};
    struct sotto_secret dither;
    struct sotto_prg prg;
    uint64_t found = 0;

    sotto_require(sotto_prg_open(&prg) == SOTTO_OK);
    sotto_prg_seek(&prg, seed, 0);
    for (unsigned try = 0; try < SOTTO_ROUNDING_TRIES; try++) {
        sotto_prg_next(&prg, dither.bytes, sizeof dither.bytes);
        sotto_quantise(lanes, values, value_count, 1, quantiser, &dither);
        take(&chosen, &dither, ~found);
        found |= fits(lanes, value_count, square_max);
    }
    sotto_quantise(lanes, values, value_count, 1, quantiser, &chosen);
    take_short(lanes, values, value_count, quantiser, ~found);
    sotto_prg_close(&prg);
    sotto_wipe(&chosen, sizeof chosen);
    sotto_wipe(&dither, sizeof dither);
}
