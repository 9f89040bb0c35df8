#include "crypto/ring/lanes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/*
 * Long enough for every vector unit, and a constant, so that the compiler unrolls and vectorises
 * the loop over it.
 */
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

static void run_add_narrow(uint32_t *restrict lanes, const uint16_t *restrict other)
{
    for (size_t lane = 0; lane < RUN; lane++)
        lanes[lane] += other[lane];
}

static void run_subtract_narrow(uint32_t *restrict lanes, const uint16_t *restrict other)
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

void sotto_lanes_add_narrow(uint32_t *lanes, const uint16_t *other, size_t lane_count)
{
    size_t lane = 0;

    for (; lane_count - lane >= RUN; lane += RUN)
        run_add_narrow(lanes + lane, other + lane);
    for (; lane < lane_count; lane++)
        lanes[lane] += other[lane];
}

void sotto_lanes_subtract_narrow(uint32_t *lanes, const uint16_t *other, size_t lane_count)
{
    size_t lane = 0;

    for (; lane_count - lane >= RUN; lane += RUN)
        run_subtract_narrow(lanes + lane, other + lane);
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

/* The lane that begins at `bit`, taken out of eight bytes, all of which are there to be read. */
static uint32_t lane_within(const uint8_t *packed, size_t bit, uint32_t mask)
{
    uint64_t word;

    memcpy(&word, packed + bit / 8, sizeof word);
    return (uint32_t)(le64toh(word) >> bit % 8) & mask;
}

/* The same for a lane of the last eight bytes. */
static uint32_t lane_at_end(struct sotto_view packed, size_t bit, uint32_t mask)
{
    uint8_t bytes[sizeof(uint64_t)] = {0};

    memcpy(bytes, packed.at + bit / 8, packed.length - bit / 8);
    return lane_within(bytes, bit % 8, mask);
}

/* How many lanes from the first on begin at least eight bytes before the end. */
static size_t lanes_within(size_t packed_bytes, size_t lane_count, unsigned ring_bits)
{
    size_t lanes;

    if (packed_bytes < sizeof(uint64_t))
        return 0;
    lanes = ((packed_bytes - sizeof(uint64_t) + 1) * 8 - 1) / ring_bits + 1;
    return lanes < lane_count ? lanes : lane_count;
}

enum sotto_status sotto_lanes_unpack(uint32_t *lanes, size_t lane_count, unsigned ring_bits,
                                     struct sotto_view packed)
{
    const uint32_t mask = ring_mask(ring_bits);
    const size_t used_bits = lane_count * ring_bits;
    const size_t within = lanes_within(packed.length, lane_count, ring_bits);
    size_t lane = 0;

    if (packed.length != sotto_lanes_packed_bytes(lane_count, ring_bits))
        return SOTTO_MALFORMED;
    if (used_bits % 8 != 0 && packed.at[packed.length - 1] >> used_bits % 8 != 0)
        return SOTTO_MALFORMED;
    for (; lane < within; lane++)
        lanes[lane] = lane_within(packed.at, lane * ring_bits, mask);
    for (; lane < lane_count; lane++)
        lanes[lane] = lane_at_end(packed, lane * ring_bits, mask);
    return SOTTO_OK;
}

void sotto_lanes_unpack_add(uint32_t *lanes, size_t lane_count, unsigned ring_bits,
                            const uint8_t *packed)
{
    const uint32_t mask = ring_mask(ring_bits);
    const size_t length = sotto_lanes_packed_bytes(lane_count, ring_bits);
    const size_t within = lanes_within(length, lane_count, ring_bits);
    size_t lane = 0;

    for (; lane < within; lane++)
        lanes[lane] += lane_within(packed, lane * ring_bits, mask);
    for (; lane < lane_count; lane++)
        lanes[lane] += lane_at_end(sotto_view_of(packed, length), lane * ring_bits, mask);
}
