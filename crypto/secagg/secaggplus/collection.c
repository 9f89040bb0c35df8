#include "crypto/secagg/secaggplus/collection.h"

#include <assert.h>
#include <string.h>

enum sotto_status sotto_collection_init(struct sotto_collection *collection,
                                        struct sotto_arena *arena, uint32_t capacity,
                                        const struct sotto_collector_setup *setup)
{
    size_t cells = (size_t)capacity * capacity;
    bool is_whole;

    *collection = (struct sotto_collection){.capacity = capacity};
    collection->entries = sotto_arena_take(arena, capacity, sizeof(void *));
    collection->adverts = sotto_arena_take(arena, capacity, sizeof(struct sotto_advert));
    collection->leaves = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
    collection->commitments = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
    collection->sealed = sotto_arena_take(arena, cells, SOTTO_SEALED_BYTES);
    collection->macs = sotto_arena_take(arena, cells, SOTTO_INCLUSION_MAC_BYTES);
    collection->shares = sotto_arena_take(arena, cells, SOTTO_SHARE_BYTES);
    is_whole = sotto_quota_init(&collection->quota, arena, setup->roster,
                                setup->terms->organisation_max) == SOTTO_OK;
    is_whole = is_whole && collection->entries != NULL && collection->adverts != NULL &&
               collection->leaves != NULL && collection->commitments != NULL &&
               collection->sealed != NULL && collection->macs != NULL && collection->shares != NULL;
    for (size_t stage = 0; stage < SOTTO_HEARD_STAGES; stage++) {
        struct sotto_heard *heard = &collection->heard[stage];

        heard->answers = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
        is_whole = is_whole && heard->answers != NULL;
    }
    return is_whole ? SOTTO_OK : SOTTO_NO_MEMORY;
}

/*
 * Adverts, commitments and digests are public; sealed shares are not for us; revealed shares and
 * MACs are wiped too.
 */
void sotto_collection_wipe(struct sotto_collection *collection)
{
    size_t cells = (size_t)collection->capacity * collection->capacity;

    sotto_wipe(collection->sealed, cells * SOTTO_SEALED_BYTES);
    sotto_wipe(collection->macs, cells * SOTTO_INCLUSION_MAC_BYTES);
    sotto_wipe(collection->shares, cells * SOTTO_SHARE_BYTES);
    collection->count = 0;
    for (size_t stage = 0; stage < SOTTO_HEARD_STAGES; stage++)
        collection->heard[stage].who = (struct sotto_seats){0};
    collection->survivors = (struct sotto_survivors){0};
}

/* The first seat whose id is not below `id`. */
static uint32_t find_place(const struct sotto_collection *collection, uint32_t id)
{
    uint32_t seat = 0;

    while (seat < collection->count && collection->adverts[seat].id < id)
        seat++;
    return seat;
}

uint32_t sotto_collection_seat(const struct sotto_collection *collection, uint32_t id)
{
    uint32_t seat = find_place(collection, id);

    return seat < collection->count && collection->adverts[seat].id == id ? seat : SOTTO_SEAT_NONE;
}

bool sotto_collection_has(const struct sotto_collection *collection,
                          const struct sotto_roster_entry *entry)
{
    for (uint32_t seat = 0; seat < collection->count; seat++) {
        const struct sotto_roster_entry *seated = collection->entries[seat];

        if (memcmp(&entry->identity, &seated->identity, sizeof entry->identity) == 0 ||
            sotto_digest_equal(&entry->certificate, &seated->certificate))
            return true;
    }
    return false;
}

static void shift(struct sotto_collection *collection, uint32_t to, uint32_t from)
{
    struct sotto_digest *answers = collection->heard[SOTTO_STAGE_GATHERING].answers;
    size_t count = collection->count - (to < from ? from : to - 1);

    memmove(&collection->entries[to], &collection->entries[from],
            count * sizeof collection->entries[0]);
    memmove(&collection->adverts[to], &collection->adverts[from],
            count * sizeof collection->adverts[0]);
    memmove(&answers[to], &answers[from], count * sizeof answers[0]);
}

static void mark_seated(struct sotto_collection *collection)
{
    struct sotto_seats seated = {0};

    for (uint32_t seat = 0; seat < collection->count; seat++)
        sotto_seats_add(&seated, seat);
    collection->heard[SOTTO_STAGE_GATHERING].who = seated;
}

void sotto_collection_seat_take(struct sotto_collection *collection,
                                const struct sotto_roster_entry *entry,
                                const struct sotto_advert *advert,
                                const struct sotto_digest *answer)
{
    uint32_t seat = find_place(collection, advert->id);

    assert(collection->count < collection->capacity);
    shift(collection, seat + 1, seat);
    collection->entries[seat] = entry;
    collection->adverts[seat] = *advert;
    collection->heard[SOTTO_STAGE_GATHERING].answers[seat] = *answer;
    collection->count++;
    sotto_quota_take(&collection->quota, entry);
    mark_seated(collection);
}

void sotto_collection_seat_leave(struct sotto_collection *collection, uint32_t seat)
{
    assert(seat < collection->count);
    sotto_quota_give(&collection->quota, collection->entries[seat]);
    shift(collection, seat, seat + 1);
    collection->count--;
    mark_seated(collection);
}

static size_t cell(const struct sotto_collection *collection, uint32_t row, uint32_t column)
{
    assert(row < collection->capacity && column < collection->capacity);
    return (size_t)row * collection->capacity + column;
}

uint8_t *sotto_collection_sealed(const struct sotto_collection *collection, uint32_t from,
                                 uint32_t to)
{
    return collection->sealed + cell(collection, from, to) * SOTTO_SEALED_BYTES;
}

uint8_t *sotto_collection_mac(const struct sotto_collection *collection, uint32_t from, uint32_t to)
{
    return collection->macs + cell(collection, from, to) * SOTTO_INCLUSION_MAC_BYTES;
}

uint8_t *sotto_collection_share(const struct sotto_collection *collection, uint32_t holder,
                                uint32_t owner)
{
    return collection->shares + cell(collection, holder, owner) * SOTTO_SHARE_BYTES;
}
