#include "crypto/primitives/coordinate.h"

#include <string.h>

enum { LOW_BYTE_OF_P = 0xed, MIDDLE_BYTE_OF_P = 0xff, HIGH_BYTE_OF_P = 0x7f };

/* p is ed ff ff .. ff 7f: what is not below it has all high bits set. */
bool sotto_coordinate_is_canonical(const struct sotto_coordinate *coordinate)
{
    const uint8_t *bytes = coordinate->bytes;

    if (bytes[31] != HIGH_BYTE_OF_P)
        return bytes[31] < HIGH_BYTE_OF_P;
    for (size_t at = 30; at > 0; at--)
        if (bytes[at] != MIDDLE_BYTE_OF_P)
            return true;
    return bytes[0] < LOW_BYTE_OF_P;
}

bool sotto_coordinate_is_among(const struct sotto_coordinate *coordinate,
                               const struct sotto_coordinate *list, size_t count)
{
    for (size_t at = 0; at < count; at++)
        if (memcmp(coordinate, &list[at], sizeof *coordinate) == 0)
            return true;
    return false;
}
