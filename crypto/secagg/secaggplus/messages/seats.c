#include "crypto/secagg/secaggplus/messages/seats.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hash.h"

void sotto_seats_add(struct sotto_seats *seats, uint32_t seat)
{
    assert(seat < SOTTO_COHORT_MAX);
    seats->bits[seat / 8] = (uint8_t)(seats->bits[seat / 8] | 1u << seat % 8);
}

bool sotto_seats_has(const struct sotto_seats *seats, uint32_t seat)
{
    assert(seat < SOTTO_COHORT_MAX);
    return seats->bits[seat / 8] >> seat % 8 & 1;
}

void sotto_seats_remove(struct sotto_seats *seats, uint32_t seat)
{
    assert(seat < SOTTO_COHORT_MAX);
    seats->bits[seat / 8] = (uint8_t)(seats->bits[seat / 8] & ~(1u << seat % 8));
}

uint32_t sotto_seats_count(const struct sotto_seats *seats)
{
    uint32_t count = 0;

    /* Each step clears the lowest bit that is set. */
    for (size_t i = 0; i < sizeof seats->bits; i++)
        for (unsigned bits = seats->bits[i]; bits != 0; bits &= bits - 1)
            count++;
    return count;
}

bool sotto_seats_within(const struct sotto_seats *part, const struct sotto_seats *whole)
{
    for (size_t i = 0; i < sizeof part->bits; i++) {
        if (part->bits[i] & ~whole->bits[i])
            return false;
    }
    return true;
}

uint32_t sotto_circle_count(const struct sotto_circle *circle, const struct sotto_seats *seats)
{
    uint32_t count = 0;

    for (uint32_t slot = 0; slot < circle->count; slot++)
        count += sotto_seats_has(seats, circle->neighbours[slot]);
    return count;
}

size_t sotto_seats_bytes(uint32_t cohort)
{
    assert(cohort <= SOTTO_COHORT_MAX);
    return (cohort + 7) / 8;
}

struct sotto_view sotto_seats_encode(const struct sotto_seats *seats, uint32_t cohort)
{
    return sotto_view_of(seats->bits, sotto_seats_bytes(cohort));
}

enum sotto_status sotto_seats_decode(struct sotto_seats *seats, struct sotto_cursor *cursor,
                                     uint32_t cohort)
{
    struct sotto_view bytes = sotto_cursor_take(cursor, sotto_seats_bytes(cohort));
    struct sotto_seats read = {0};

    if (bytes.length != sotto_seats_bytes(cohort))
        return SOTTO_MALFORMED;
    memcpy(read.bits, bytes.at, bytes.length);
    if (cohort % 8 != 0 && read.bits[cohort / 8] >> cohort % 8 != 0)
        return SOTTO_MALFORMED;
    *seats = read;
    return SOTTO_OK;
}

void sotto_seats_digest(struct sotto_digest *out, const struct sotto_seats *seats, uint32_t cohort)
{
    struct sotto_view bytes = sotto_seats_encode(seats, cohort);

    sotto_hash(out, &bytes, 1);
}
