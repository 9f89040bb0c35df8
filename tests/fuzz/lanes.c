/*
 * Packed lanes from outside: what unpacks packs to the very same bytes. The first two bytes choose
 * ring and count.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/ring/lanes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint32_t lanes[256];
    uint8_t packed[sizeof lanes];
    struct sotto_view body;
    unsigned ring_bits;
    size_t lane_count;

    if (length < 2)
        return 0;
    ring_bits = 1 + bytes[0] % 32;
    lane_count = bytes[1];
    body = sotto_view_of(bytes + 2, length - 2);
    if (sotto_lanes_unpack(lanes, lane_count, ring_bits, body) != SOTTO_OK)
        return 0;
    sotto_lanes_pack(packed, lanes, lane_count, ring_bits);
    if (memcmp(packed, bytes + 2, body.length) != 0)
        abort();
    return 0;
}
