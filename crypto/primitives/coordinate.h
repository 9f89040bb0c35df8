/*
 * Coordinates of points on Curve25519 and edwards25519 as they are written: numbers mod
 * p = 2^255 - 19, little-endian. For public keys only: nothing here is constant time.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_COORDINATE_H
#define SOTTO_CRYPTO_PRIMITIVES_COORDINATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sotto_coordinate {
    uint8_t bytes[32];
};

/* Below p, so that no other bytes mean the same number; bit 255 is clear then. */
bool sotto_coordinate_is_canonical(const struct sotto_coordinate *coordinate);

/* Is it one of list[count]? */
bool sotto_coordinate_is_among(const struct sotto_coordinate *coordinate,
                               const struct sotto_coordinate *list, size_t count);

#endif
