/*
 * A set of seats. A seat is a participant's position in its cohort, ascending by id, from 0.
 * On the wire: ceil(n / 8) bytes, seat s is bit s % 8 of byte s / 8; bits beyond the cohort are
 * zero.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SEATS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SEATS_H

#include "crypto/secagg/terms.h"

struct sotto_seats {
    uint8_t bits[SOTTO_COHORT_MAX / 8];
};

/* One seat among its neighbours. */
struct sotto_circle {
    uint32_t cohort; /* n */
    uint32_t owner;
    uint32_t count;       /* k */
    uint32_t *neighbours; /* [count] seats, ascending */
};

/* Seats are below SOTTO_COHORT_MAX. */
void sotto_seats_add(struct sotto_seats *seats, uint32_t seat);
/* Public: a set tells nothing that the coordinator does not know. */
bool sotto_seats_has(const struct sotto_seats *seats, uint32_t seat);
void sotto_seats_remove(struct sotto_seats *seats, uint32_t seat);
/* 0 .. SOTTO_COHORT_MAX */
uint32_t sotto_seats_count(const struct sotto_seats *seats);
/* Is every seat of `part` in `whole`? */
bool sotto_seats_within(const struct sotto_seats *part, const struct sotto_seats *whole);

/* How many of the owner's neighbours are in `seats`. */
uint32_t sotto_circle_count(const struct sotto_circle *circle, const struct sotto_seats *seats);

/* ceil(cohort / 8) */
size_t sotto_seats_bytes(uint32_t cohort);
/* The wire form; borrowed from `seats`. */
struct sotto_view sotto_seats_encode(const struct sotto_seats *seats, uint32_t cohort);
/* SOTTO_MALFORMED: too short, or a bit beyond the cohort is set; seats untouched. */
SOTTO_CHECKED enum sotto_status sotto_seats_decode(struct sotto_seats *seats,
                                                   struct sotto_cursor *cursor, uint32_t cohort);

/* SHA-256 of the wire form. */
void sotto_seats_digest(struct sotto_digest *out, const struct sotto_seats *seats, uint32_t cohort);

#endif
