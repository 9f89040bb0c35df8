#include "crypto/secagg/secaggplus/graph/table.h"

#include <assert.h>

enum sotto_status sotto_table_init(struct sotto_table *table, struct sotto_arena *arena,
                                   size_t capacity)
{
    *table = (struct sotto_table){
        .capacity = capacity, .seats = sotto_arena_take(arena, capacity, sizeof table->seats[0])};
    return table->seats != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}

enum sotto_status sotto_table_fill(struct sotto_table *table, const struct sotto_ring *ring,
                                   uint32_t neighbours)
{
    uint32_t row[SOTTO_NEIGHBOURS_MAX];

    static_assert(SOTTO_COHORT_MAX <= UINT16_MAX, "a seat has to fit into a cell");
    if ((size_t)ring->count * neighbours > table->capacity)
        return SOTTO_OVER_LIMIT;
    assert(neighbours <= SOTTO_NEIGHBOURS_MAX);
    table->count = ring->count;
    table->neighbours = neighbours;
    for (uint32_t place = 0; place < ring->count; place++) {
        uint16_t *cells = table->seats + (size_t)ring->order[place] * neighbours;

        sotto_ring_neighbours(row, ring, place, neighbours);
        for (uint32_t slot = 0; slot < neighbours; slot++)
            cells[slot] = (uint16_t)row[slot];
    }
    return SOTTO_OK;
}

const uint16_t *sotto_table_row(const struct sotto_table *table, uint32_t seat)
{
    assert(seat < table->count);
    return table->seats + (size_t)seat * table->neighbours;
}

size_t sotto_table_cell(const struct sotto_table *table, uint32_t seat, uint32_t peer)
{
    const uint16_t *row = sotto_table_row(table, seat);
    uint32_t low = 0;
    uint32_t high = table->neighbours;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (row[middle] < peer)
            low = middle + 1;
        else
            high = middle;
    }
    assert(low < table->neighbours && row[low] == peer);
    return (size_t)seat * table->neighbours + low;
}

uint32_t sotto_table_degree(const struct sotto_table *table, const struct sotto_seats *seats,
                            uint32_t seat)
{
    const uint16_t *row = sotto_table_row(table, seat);
    uint32_t degree = 0;

    for (uint32_t slot = 0; slot < table->neighbours; slot++)
        degree += sotto_seats_has(seats, row[slot]);
    return degree;
}

void sotto_table_well_connected(struct sotto_seats *out, const struct sotto_table *table,
                                const struct sotto_seats *seats, uint32_t degree)
{
    struct sotto_seats kept = {0};

    for (uint32_t seat = 0; seat < table->count; seat++) {
        if (sotto_seats_has(seats, seat) && sotto_table_degree(table, seats, seat) >= degree)
            sotto_seats_add(&kept, seat);
    }
    *out = kept;
}

void sotto_table_core(struct sotto_seats *out, const struct sotto_table *table,
                      const struct sotto_seats *seats, uint32_t degree)
{
    struct sotto_seats core = *seats;
    bool is_stable;

    do {
        is_stable = true;
        for (uint32_t seat = 0; seat < table->count; seat++) {
            if (!sotto_seats_has(&core, seat) || sotto_table_degree(table, &core, seat) >= degree)
                continue;
            sotto_seats_remove(&core, seat);
            is_stable = false;
        }
    } while (!is_stable);
    *out = core;
}

bool sotto_table_is_held(const struct sotto_table *table, const struct sotto_seats *owners,
                         const struct sotto_seats *holders, uint32_t degree)
{
    for (uint32_t seat = 0; seat < table->count; seat++) {
        if (sotto_seats_has(owners, seat) && sotto_table_degree(table, holders, seat) < degree)
            return false;
    }
    return true;
}
