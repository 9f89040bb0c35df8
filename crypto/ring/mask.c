#include "crypto/ring/mask.h"

#include <assert.h>
#include <endian.h>

#include "crypto/ring/lanes.h"

enum { WORDS_MAX = SOTTO_MASK_TILE_BYTES / sizeof(uint32_t), RUN = 32 };

/* One piece of a mask. Lanes of 16 bits come as halves and are widened. */
struct tile {
    _Alignas(64) uint32_t lanes[WORDS_MAX];
    _Alignas(64) uint16_t halves[WORDS_MAX];
};

/* The size of a run is a constant, so that the compiler vectorises the loop over it. */
static void run_widen(uint32_t *restrict lanes, const uint16_t *restrict halves)
{
    for (size_t lane = 0; lane < RUN; lane++)
        lanes[lane] = le16toh(halves[lane]);
}

/* Widens whole runs: what lies beyond `lane_count` is the tile's own and nobody reads it. */
static void tile_fill_halves(struct tile *tile, size_t lane_count, struct sotto_prg *prg)
{
    sotto_prg_next(prg, (uint8_t *)tile->halves, lane_count * sizeof(uint16_t));
    for (size_t lane = 0; lane < lane_count; lane += RUN)
        run_widen(tile->lanes + lane, tile->halves + lane);
}

static void tile_fill_words(struct tile *tile, size_t lane_count, struct sotto_prg *prg)
{
    sotto_prg_next(prg, (uint8_t *)tile->lanes, lane_count * sizeof(uint32_t));
    for (size_t lane = 0; lane < lane_count; lane++)
        tile->lanes[lane] = le32toh(tile->lanes[lane]);
}

typedef void combine(uint32_t *lanes, const uint32_t *other, size_t lane_count);

static void apply(combine *direction, uint32_t *lanes, struct sotto_lane_window window,
                  const struct sotto_secret *key, unsigned ring_bits, struct sotto_prg *prg)
{
    const bool is_half = ring_bits <= 16;
    const size_t word_bytes = is_half ? sizeof(uint16_t) : sizeof(uint32_t);
    struct tile tile;

    assert(ring_bits >= 1 && ring_bits <= 32 && window.first % 8 == 0);
    sotto_prg_seek(prg, key, (uint64_t)window.first * word_bytes);
    for (size_t done = 0; done < window.count; done += WORDS_MAX) {
        size_t left = window.count - done;
        size_t lane_count = left < WORDS_MAX ? left : WORDS_MAX;

        if (is_half)
            tile_fill_halves(&tile, lane_count, prg);
        else
            tile_fill_words(&tile, lane_count, prg);
        direction(lanes + done, tile.lanes, lane_count);
    }
    sotto_wipe(&tile, sizeof tile);
}

void sotto_mask_add(uint32_t *lanes, struct sotto_lane_window window,
                    const struct sotto_secret *key, unsigned ring_bits, struct sotto_prg *prg)
{
    apply(sotto_lanes_add, lanes, window, key, ring_bits, prg);
}

void sotto_mask_subtract(uint32_t *lanes, struct sotto_lane_window window,
                         const struct sotto_secret *key, unsigned ring_bits, struct sotto_prg *prg)
{
    apply(sotto_lanes_subtract, lanes, window, key, ring_bits, prg);
}
