/*
 * Lanes: elements of Z_2^w, w = 1..32, held as uint32_t. Sums wrap mod 2^32 and are reduced to w
 * bits when they are packed or read, which is the same because 2^w divides 2^32.
 */
#ifndef SOTTO_CRYPTO_RING_LANES_H
#define SOTTO_CRYPTO_RING_LANES_H

#include "core/base/bytes.h"

enum { SOTTO_LANES_MAX = 1 << 28 };

/* lanes[i] <- lanes[i] + other[i] mod 2^32, for i below lane_count. */
void sotto_lanes_add(uint32_t *lanes, const uint32_t *other, size_t lane_count);
/* The opposite. */
void sotto_lanes_subtract(uint32_t *lanes, const uint32_t *other, size_t lane_count);

/* The same with numbers of 16 bits. */
void sotto_lanes_add_narrow(uint32_t *lanes, const uint16_t *other, size_t lane_count);
void sotto_lanes_subtract_narrow(uint32_t *lanes, const uint16_t *other, size_t lane_count);

/* ceil(lane_count * ring_bits / 8) */
size_t sotto_lanes_packed_bytes(size_t lane_count, unsigned ring_bits);

/*
 * The low w bits of each lane, one after the other, least significant bit first; the last byte is
 * filled with zeros.
 */
void sotto_lanes_pack(uint8_t *out, const uint32_t *lanes, size_t lane_count, unsigned ring_bits);

/*
 * SOTTO_MALFORMED: a wrong length, or filling bits that are not zero; lanes are then unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_lanes_unpack(uint32_t *lanes, size_t lane_count,
                                                   unsigned ring_bits, struct sotto_view packed);

/*
 * Unpacks and adds in one pass, for lanes [first, first + lane_count) of a vector whose packed
 * bytes start at a whole byte. first * ring_bits is a multiple of 8.
 */
void sotto_lanes_unpack_add(uint32_t *lanes, size_t lane_count, unsigned ring_bits,
                            const uint8_t *packed);

#endif
