/*
 * The ring of a large cohort: who is whose neighbour.
 *
 *     position = SHA-256("sotto/1 ring" || ctx1 || leaf)
 *
 * Seats stand in order of position, and a seat's neighbours are the k / 2 before and the k / 2
 * after it, the last being followed by the first. Source: the k-regular graph of Bell et al., CCS
 * 2020, whose order is drawn here by a hash of all that the round agreed on, so that nobody draws
 * it alone.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_RING_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_RING_H

#include "core/base/arena.h"
#include "core/base/bytes.h"

struct sotto_ring {
    uint32_t count;
    struct sotto_digest *positions; /* [capacity] by seat */
    uint32_t *order;                /* [capacity] seats in order of position */
};

/* SOTTO_NO_MEMORY: everything was asked for, so that a counting arena adds it up. */
SOTTO_CHECKED enum sotto_status sotto_ring_init(struct sotto_ring *ring, struct sotto_arena *arena,
                                                uint32_t capacity);

/* leaves: [count], count up to the capacity. Work: count hashes and a sort. */
void sotto_ring_place(struct sotto_ring *ring, const struct sotto_digest *context,
                      const struct sotto_digest *leaves, uint32_t count);

/* Where in the order a seat stands. O(count). */
uint32_t sotto_ring_find(const struct sotto_ring *ring, uint32_t seat);

/*
 *   seats       out  [neighbours] those of the seat at `place` in the order, ascending
 *   neighbours  in   even and below count, or count - 1: everybody else
 */
void sotto_ring_neighbours(uint32_t *seats, const struct sotto_ring *ring, uint32_t place,
                           uint32_t neighbours);

#endif
