#include "crypto/secagg/secaggplus/graph/ring.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/graph/order.h"

enum sotto_status sotto_ring_init(struct sotto_ring *ring, struct sotto_arena *arena,
                                  uint32_t capacity)
{
    *ring = (struct sotto_ring){.positions =
                                    sotto_arena_take(arena, capacity, sizeof ring->positions[0]),
                                .order = sotto_arena_take(arena, capacity, sizeof ring->order[0])};
    return ring->positions != NULL && ring->order != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}

static bool is_position_before(const void *list, uint32_t left, uint32_t right)
{
    const struct sotto_digest *positions = list;

    return memcmp(&positions[left], &positions[right], sizeof positions[left]) < 0;
}

void sotto_ring_place(struct sotto_ring *ring, const struct sotto_digest *context,
                      const struct sotto_digest *leaves, uint32_t count)
{
    const struct sotto_order order = {.is_before = is_position_before, .list = ring->positions};

    ring->count = count;
    for (uint32_t seat = 0; seat < count; seat++) {
        const struct sotto_view parts[] = {sotto_view_text("sotto/1 ring"),
                                           sotto_view_digest(context),
                                           sotto_view_digest(&leaves[seat])};

        sotto_hash(&ring->positions[seat], parts, 3);
        ring->order[seat] = seat;
    }
    sotto_order_sort(ring->order, count, &order);
}

uint32_t sotto_ring_find(const struct sotto_ring *ring, uint32_t seat)
{
    uint32_t place = 0;

    while (ring->order[place] != seat) {
        place++;
        assert(place < ring->count);
    }
    return place;
}

static bool is_seat_before(const void *list, uint32_t left, uint32_t right)
{
    (void)list;
    return left < right;
}

/* Counted forward from the first one on the left; of an odd number one more stands on the right. */
void sotto_ring_neighbours(uint32_t *seats, const struct sotto_ring *ring, uint32_t place,
                           uint32_t neighbours)
{
    static const struct sotto_order by_seat = {.is_before = is_seat_before};
    uint32_t left = neighbours / 2;
    uint32_t first = place + ring->count - left;

    assert(place < ring->count && neighbours < ring->count);
    assert(neighbours % 2 == 0 || neighbours == ring->count - 1);
    for (uint32_t i = 0; i < neighbours; i++)
        seats[i] = ring->order[(first + i + (i >= left)) % ring->count];
    sotto_order_sort(seats, neighbours, &by_seat);
}
