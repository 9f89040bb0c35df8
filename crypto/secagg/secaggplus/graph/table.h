/*
 * Everybody's neighbours in one cohort, and questions about sets of seats that the coordinator asks
 * before it lets a stage end. To be a neighbour is mutual.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_TABLE_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_TABLE_H

#include "crypto/secagg/secaggplus/graph/ring.h"
#include "crypto/secagg/secaggplus/messages/seats.h"
#include "crypto/secagg/secaggplus/parameters.h"

struct sotto_table {
    size_t capacity;     /* cells */
    uint32_t count;      /* n */
    uint32_t neighbours; /* k */
    uint16_t *seats;     /* [n][k], each row ascending; 16 bits, since nothing is as large */
};

/* SOTTO_NO_MEMORY: everything was asked for, so that a counting arena adds it up. */
SOTTO_CHECKED enum sotto_status sotto_table_init(struct sotto_table *table,
                                                 struct sotto_arena *arena, size_t capacity);

/* Fills the table of this ring. SOTTO_OVER_LIMIT: it has not as many cells; untouched. */
SOTTO_CHECKED enum sotto_status sotto_table_fill(struct sotto_table *table,
                                                 const struct sotto_ring *ring,
                                                 uint32_t neighbours);

/* [neighbours] */
const uint16_t *sotto_table_row(const struct sotto_table *table, uint32_t seat);
/*
 * The cell of a pair in a table of n rows of k: the row of `seat`, at the slot of its neighbour
 * `peer`. It asserts that they are neighbours. O(log k).
 */
size_t sotto_table_cell(const struct sotto_table *table, uint32_t seat, uint32_t peer);

/* How many neighbours of `seat` are in `seats`. */
uint32_t sotto_table_degree(const struct sotto_table *table, const struct sotto_seats *seats,
                            uint32_t seat);
/* Those of `seats` that have at least `degree` neighbours in it. */
void sotto_table_well_connected(struct sotto_seats *out, const struct sotto_table *table,
                                const struct sotto_seats *seats, uint32_t degree);
/*
 * The largest part of `seats` in which everybody has at least `degree` neighbours in that part.
 * Work: n k for each time that somebody falls out.
 */
void sotto_table_core(struct sotto_seats *out, const struct sotto_table *table,
                      const struct sotto_seats *seats, uint32_t degree);
/* Has everybody in `owners` at least `degree` neighbours in `holders`? */
bool sotto_table_is_held(const struct sotto_table *table, const struct sotto_seats *owners,
                         const struct sotto_seats *holders, uint32_t degree);

#endif
