#include "crypto/secagg/secaggplus/collection.h"

#include <assert.h>
#include <string.h>

#include "crypto/secagg/secaggplus/graph/order.h"
#include "crypto/secagg/secaggplus/messages/cohort.h"

/* A key in the table: its line and which of the two it is. Two keys a line, at most half full. */
enum { KEY_NONE = 0, KEYS_OF_LINE = 2, KEY_ROOM = 4 };

/* Of a cell's room for sealed shares, what MACs and revealed shares leave. */
enum { LATE_CELL_BYTES = SOTTO_SEALED_BYTES - SOTTO_INCLUSION_MAC_BYTES - SOTTO_SHARE_BYTES };

static size_t key_capacity_of(size_t lines)
{
    size_t capacity = KEY_ROOM;

    while (capacity < KEY_ROOM * lines)
        capacity *= 2;
    return capacity;
}

/* False: something is missing; everything was asked for. */
static bool take_lines(struct sotto_collection *collection, struct sotto_arena *arena, size_t lines)
{
    collection->key_capacity = key_capacity_of(lines);
    collection->seats = sotto_arena_take(arena, lines, sizeof collection->seats[0]);
    collection->twins = sotto_arena_take(arena, lines, sizeof collection->twins[0]);
    collection->key_table =
        sotto_arena_take(arena, collection->key_capacity, sizeof collection->key_table[0]);
    collection->entries = sotto_arena_take(arena, lines, sizeof(void *));
    collection->adverts = sotto_arena_take(arena, lines, sizeof collection->adverts[0]);
    collection->heard[SOTTO_STAGE_GATHERING].answers =
        sotto_arena_take(arena, lines, sizeof(struct sotto_digest));
    return collection->seats != NULL && collection->twins != NULL &&
           collection->key_table != NULL && collection->entries != NULL &&
           collection->adverts != NULL && collection->heard[SOTTO_STAGE_GATHERING].answers != NULL;
}

static bool take_seats(struct sotto_collection *collection, struct sotto_arena *arena)
{
    size_t capacity = collection->capacity;
    bool is_whole;

    collection->ids = sotto_arena_take(arena, capacity, sizeof(uint32_t));
    collection->leaves = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
    collection->commitments = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
    collection->receipts = sotto_arena_take(arena, capacity, SOTTO_RECEIPT_BYTES);
    is_whole = sotto_ring_init(&collection->ring, arena, collection->capacity) == SOTTO_OK &&
               collection->ids != NULL && collection->leaves != NULL &&
               collection->commitments != NULL && collection->receipts != NULL;
    for (size_t stage = SOTTO_STAGE_SHARING; stage < SOTTO_HEARD_COUNT; stage++) {
        struct sotto_heard *heard = &collection->heard[stage];

        heard->answers = sotto_arena_take(arena, capacity, sizeof(struct sotto_digest));
        is_whole = is_whole && heard->answers != NULL;
    }
    return is_whole;
}

/* Two cells for each seat at least, which a roster of one site would not need. */
static bool take_cells(struct sotto_collection *collection, struct sotto_arena *arena,
                       const struct sotto_extent *extent)
{
    size_t cells_min = 2 * (size_t)extent->cohort;
    size_t cells = extent->cells > cells_min ? extent->cells : cells_min;
    bool is_whole = sotto_table_init(&collection->table, arena, cells) == SOTTO_OK;

    collection->sealed = sotto_arena_take(arena, cells, SOTTO_SEALED_BYTES);
    if (collection->sealed == NULL)
        return false;
    collection->macs = collection->sealed;
    collection->shares = collection->macs + cells * SOTTO_INCLUSION_MAC_BYTES;
    collection->late_room = collection->shares + cells * SOTTO_SHARE_BYTES;
    collection->late_bytes = cells * LATE_CELL_BYTES;
    return is_whole;
}

static bool is_identity_before(const void *list, uint32_t left, uint32_t right)
{
    const struct sotto_roster_entry *entries = list;

    return memcmp(&entries[left].identity, &entries[right].identity,
                  sizeof entries[left].identity) < 0;
}

static bool is_certificate_before(const void *list, uint32_t left, uint32_t right)
{
    const struct sotto_roster_entry *entries = list;

    return memcmp(&entries[left].certificate, &entries[right].certificate,
                  sizeof entries[left].certificate) < 0;
}

/* Lines in order: those that are the same stand side by side. The seats lend their room. */
static void mark_twins(struct sotto_collection *collection, const struct sotto_order *order)
{
    uint32_t *lines = collection->seats;
    size_t count = collection->roster->entry_count;

    for (uint32_t line = 0; line < count; line++)
        lines[line] = line;
    sotto_order_sort(lines, count, order);
    for (size_t i = 1; i < count; i++) {
        if (order->is_before(order->list, lines[i - 1], lines[i]))
            continue;
        collection->twins[lines[i - 1]] = true;
        collection->twins[lines[i]] = true;
    }
}

enum sotto_status sotto_collection_init(struct sotto_collection *collection,
                                        struct sotto_arena *arena,
                                        const struct sotto_extent *extent,
                                        const struct sotto_collector_setup *setup)
{
    const struct sotto_roster *roster = setup->roster;
    const struct sotto_order by_identity = {is_identity_before, roster->entries};
    const struct sotto_order by_certificate = {is_certificate_before, roster->entries};
    bool is_whole;

    *collection = (struct sotto_collection){.capacity = extent->cohort, .roster = roster};
    is_whole = take_lines(collection, arena, roster->entry_count);
    is_whole = take_seats(collection, arena) && is_whole;
    is_whole = take_cells(collection, arena, extent) && is_whole;
    is_whole = sotto_quota_init(&collection->quota, arena, roster,
                                setup->terms->organisation_max) == SOTTO_OK &&
               is_whole;
    if (!is_whole)
        return SOTTO_NO_MEMORY;
    mark_twins(collection, &by_identity);
    mark_twins(collection, &by_certificate);
    for (size_t line = 0; line < roster->entry_count; line++)
        collection->seats[line] = SOTTO_SEAT_NONE;
    return SOTTO_OK;
}

/*
 * Adverts, commitments and digests are public; sealed shares are not for us; revealed shares and
 * MACs are wiped too.
 */
void sotto_collection_wipe(struct sotto_collection *collection)
{
    size_t cells = collection->table.capacity;

    sotto_wipe(collection->sealed, cells * SOTTO_SEALED_BYTES);
    collection->count = 0;
    for (size_t line = 0; line < collection->roster->entry_count; line++)
        collection->seats[line] = SOTTO_SEAT_NONE;
    for (size_t stage = 0; stage < SOTTO_HEARD_COUNT; stage++)
        collection->heard[stage].who = (struct sotto_seats){0};
    collection->survivors = (struct sotto_survivors){0};
}

static uint32_t line_of(const struct sotto_collection *collection,
                        const struct sotto_roster_entry *entry)
{
    return (uint32_t)(entry - collection->roster->entries);
}

uint32_t sotto_collection_seat(const struct sotto_collection *collection, uint32_t id)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(collection->roster, id);

    return entry != NULL ? collection->seats[line_of(collection, entry)] : SOTTO_SEAT_NONE;
}

static bool is_twin(const struct sotto_roster_entry *left, const struct sotto_roster_entry *right)
{
    return memcmp(&left->identity, &right->identity, sizeof left->identity) == 0 ||
           sotto_digest_equal(&left->certificate, &right->certificate);
}

bool sotto_collection_has(const struct sotto_collection *collection,
                          const struct sotto_roster_entry *entry)
{
    const struct sotto_roster *roster = collection->roster;

    if (!collection->twins[line_of(collection, entry)])
        return collection->seats[line_of(collection, entry)] != SOTTO_SEAT_NONE;
    for (size_t line = 0; line < roster->entry_count; line++) {
        if (collection->seats[line] != SOTTO_SEAT_NONE && is_twin(entry, &roster->entries[line]))
            return true;
    }
    return false;
}

static const struct sotto_x25519_public *key_of(const struct sotto_collection *collection,
                                                uint32_t key)
{
    const struct sotto_advert *advert = &collection->adverts[(key - 1) / KEYS_OF_LINE];

    return (key - 1) % KEYS_OF_LINE == 0 ? &advert->mask_key : &advert->share_key;
}

/*
 * Where the key is, or the free cell where it belongs. Keys are drawn at random unless somebody
 * wants to slow the coordinator down, who would have to be enrolled for every single one.
 */
static uint32_t *find_key(const struct sotto_collection *collection,
                          const struct sotto_x25519_public *key)
{
    size_t at = sotto_load_u32(key->bytes);

    for (;; at++) {
        uint32_t *cell = &collection->key_table[at & (collection->key_capacity - 1)];

        if (*cell == KEY_NONE || memcmp(key_of(collection, *cell), key, sizeof *key) == 0)
            return cell;
    }
}

bool sotto_collection_has_key(const struct sotto_collection *collection,
                              const struct sotto_x25519_public *key)
{
    return *find_key(collection, key) != KEY_NONE;
}

void sotto_collection_seat_take(struct sotto_collection *collection,
                                const struct sotto_roster_entry *entry,
                                const struct sotto_advert *advert,
                                const struct sotto_digest *answer)
{
    uint32_t line = line_of(collection, entry);

    assert(collection->count < collection->capacity && collection->seats[line] == SOTTO_SEAT_NONE);
    collection->seats[line] = line;
    collection->entries[line] = entry;
    *find_key(collection, &advert->mask_key) = line * KEYS_OF_LINE + 1;
    *find_key(collection, &advert->share_key) = line * KEYS_OF_LINE + 2;
    collection->adverts[line] = *advert;
    collection->heard[SOTTO_STAGE_GATHERING].answers[line] = *answer;
    sotto_seats_add(&collection->heard[SOTTO_STAGE_GATHERING].who, line);
    collection->count++;
    sotto_quota_take(&collection->quota, entry);
}

/* The advert stays where it is, for its keys; who has left does not come back. */
void sotto_collection_seat_leave(struct sotto_collection *collection, uint32_t seat)
{
    assert(collection->count > 0 && collection->seats[seat] == seat);
    sotto_quota_give(&collection->quota, collection->entries[seat]);
    collection->seats[seat] = SOTTO_SEAT_NONE;
    sotto_seats_remove(&collection->heard[SOTTO_STAGE_GATHERING].who, seat);
    collection->count--;
}

/* Lines and ids ascend alike, and no seat comes after its line. */
static void close_ranks(struct sotto_collection *collection)
{
    struct sotto_heard *heard = &collection->heard[SOTTO_STAGE_GATHERING];
    uint32_t seat = 0;

    heard->who = (struct sotto_seats){0};
    for (uint32_t line = 0; line < collection->roster->entry_count; line++) {
        if (collection->seats[line] == SOTTO_SEAT_NONE)
            continue;
        collection->seats[line] = seat;
        collection->entries[seat] = collection->entries[line];
        collection->adverts[seat] = collection->adverts[line];
        heard->answers[seat] = heard->answers[line];
        sotto_seats_add(&heard->who, seat);
        sotto_store_u32(collection->ids + 4 * (size_t)seat, collection->adverts[seat].id);
        sotto_advert_leaf(&collection->leaves[seat], &collection->adverts[seat],
                          &collection->entries[seat]->certificate);
        seat++;
    }
}

enum sotto_status sotto_collection_settle(struct sotto_collection *collection,
                                          const struct sotto_digest *plan)
{
    const struct sotto_cohort_message message = {
        .parameters = collection->parameters,
        .ids = sotto_view_of(collection->ids, 4 * (size_t)collection->count),
        .leaves = collection->leaves};

    close_ranks(collection);
    sotto_cohort_context(&collection->context, plan, &message);
    sotto_ring_place(&collection->ring, &collection->context, collection->leaves,
                     collection->count);
    return sotto_table_fill(&collection->table, &collection->ring,
                            collection->parameters.neighbours);
}

uint8_t *sotto_collection_sealed(const struct sotto_collection *collection, uint32_t from,
                                 uint32_t to)
{
    return collection->sealed + sotto_table_cell(&collection->table, from, to) * SOTTO_SEALED_BYTES;
}

uint8_t *sotto_collection_mac(const struct sotto_collection *collection, uint32_t from, uint32_t to)
{
    return collection->macs +
           sotto_table_cell(&collection->table, from, to) * SOTTO_INCLUSION_MAC_BYTES;
}

uint8_t *sotto_collection_share(const struct sotto_collection *collection, uint32_t holder,
                                uint32_t owner)
{
    return collection->shares +
           sotto_table_cell(&collection->table, holder, owner) * SOTTO_SHARE_BYTES;
}
