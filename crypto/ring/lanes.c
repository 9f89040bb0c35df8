#include "crypto/ring/lanes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Long enough for every vector unit, and a constant, so that the compiler unrolls and vectorises the loop over it. */
enum { RUN = 32 };

static void run_add(uint32_t *restrict lanes, const uint32_t *restrict other)
{
    for (size_t lane = 0; lane < RUN; lane++)
        lanes[lane] += other[lane];
}

static void run_subtract(uint32_t *restrict lanes, const uint32_t *restrict other)
{
    for (size_t lane = 0; lane < RUN; lane++)
        lanes[lane] -= other[lane];
}

void sotto_lanes_add(uint32_t *lanes, const uint32_t *other, size_t lane_count)
{
    size_t lane = 0;

    for (; lane_count - lane >= RUN; lane += RUN)
        run_add(lanes + lane, other + lane);
    for (; lane < lane_count; lane++)
        lanes[lane] += other[lane];
}

void sotto_lanes_subtract(uint32_t *lanes, const uint32_t *other, size_t lane_count)
{
    size_t lane = 0;

    for (; lane_count - lane >= RUN; lane += RUN)
        run_subtract(lanes + lane, other + lane);
    for (; lane < lane_count; lane++)
        lanes[lane] -= other[lane];
}

size_t sotto_lanes_packed_bytes(size_t lane_count, unsigned ring_bits)
{
    assert(ring_bits >= 1 && ring_bits <= 32 && lane_count <= SOTTO_LANES_MAX);
    return (lane_count * ring_bits + 7) / 8;
}

static uint32_t ring_mask(unsigned ring_bits)
{
    return UINT32_MAX >> (32 - ring_bits);
}

/* `pending` holds the low `pending_bits` < 32 bits that have not been written yet. */
void sotto_lanes_pack(uint8_t *out, const uint32_t *lanes, size_t lane_count, unsigned ring_bits)
{
    const uint32_t mask = ring_mask(ring_bits);
    uint64_t pending = 0;
    unsigned pending_bits = 0;

    for (size_t lane = 0; lane < lane_count; lane++) {
        pending |= (uint64_t)(lanes[lane] & mask) << pending_bits;
        pending_bits += ring_bits;
        if (pending_bits >= 32) {
            uint32_t word = htole32((uint32_t)pending);

            memcpy(out, &word, sizeof word);
            out += sizeof word;
            pending >>= 32;
            pending_bits -= 32;
        }
    }
    for (unsigned bit = 0; bit < pending_bits; bit += 8)
        *out++ = (uint8_t)(pending >> bit);
}

/* The lane that begins at `bit`, without reading beyond the last packed byte. */
static uint32_t lane_at(struct sotto_view packed, size_t bit, uint32_t mask)
{
    size_t first = bit / 8;
    size_t left = packed.length - first;
    uint64_t word = 0;

    memcpy(&word, packed.at + first, left < sizeof word ? left : sizeof word);
    return (uint32_t)(le64toh(word) >> bit % 8) & mask;
}

enum sotto_status sotto_lanes_unpack(uint32_t *lanes, size_t lane_count, unsigned ring_bits,
                                     struct sotto_view packed)
{
    const uint32_t mask = ring_mask(ring_bits);
    size_t used_bits = lane_count * ring_bits;

    if (packed.length != sotto_lanes_packed_bytes(lane_count, ring_bits))
        return SOTTO_MALFORMED;
    if (used_bits % 8 != 0 && packed.at[packed.length - 1] >> used_bits % 8 != 0)
        return SOTTO_MALFORMED;
    for (size_t lane = 0; lane < lane_count; lane++)
        lanes[lane] = lane_at(packed, lane * ring_bits, mask);
    return SOTTO_OK;
}

void sotto_lanes_unpack_add(uint32_t *lanes, size_t lane_count, unsigned ring_bits,
                            const uint8_t *packed)
{
    const uint32_t mask = ring_mask(ring_bits);
    struct sotto_view view = sotto_view_of(packed, sotto_lanes_packed_bytes(lane_count, ring_bits));

    for (size_t lane = 0; lane < lane_count; lane++)
        lanes[lane] += lane_at(view, lane * ring_bits, mask);
}
