#include "crypto/secagg/secaggplus/messages/cohort.h"

#include <string.h>

#include "crypto/secagg/secaggplus/context.h"
#include "crypto/secagg/secaggplus/graph/order.h"

enum { HEADER_BYTES = 12, ID_BYTES = 4 };

static const char cohort_label[] = "sotto/1 cohort";

/* The message as it lies on the wire; nothing in it is believed yet. */
struct claim {
    uint32_t cohort;
    uint32_t neighbours;
    uint32_t threshold;
    struct sotto_view ids;             /* empty if everybody is everybody's neighbour */
    const struct sotto_digest *leaves; /* [cohort] */
    struct sotto_view adverts;         /* [neighbours + 1][SOTTO_ADVERT_BYTES] */
    struct sotto_signature signature;
};

void sotto_cohort_sign(struct sotto_signature *signature, const struct sotto_secret *signing,
                       const struct sotto_digest *context)
{
    sotto_sign(signature, signing, cohort_label, sotto_view_digest(context));
}

static size_t ids_bytes(uint32_t cohort, uint32_t neighbours)
{
    return neighbours == cohort - 1 ? 0 : (size_t)cohort * ID_BYTES;
}

size_t sotto_cohort_bytes(const struct sotto_parameters *parameters)
{
    return HEADER_BYTES + ids_bytes(parameters->cohort, parameters->neighbours) +
           (size_t)parameters->cohort * SOTTO_DIGEST_BYTES +
           ((size_t)parameters->neighbours + 1) * SOTTO_ADVERT_BYTES +
           sizeof(struct sotto_signature);
}

static struct sotto_view ids_of(const struct sotto_cohort_message *message)
{
    const struct sotto_parameters *parameters = &message->parameters;

    return sotto_view_of(message->ids.at, ids_bytes(parameters->cohort, parameters->neighbours));
}

void sotto_cohort_context(struct sotto_digest *context, const struct sotto_digest *plan,
                          const struct sotto_cohort_message *message)
{
    sotto_context_of_ids(context, plan, message->leaves, message->parameters.cohort,
                         ids_of(message));
}

static enum sotto_status add_advert(struct sotto_buffer *out,
                                    const struct sotto_cohort_message *message, uint32_t seat)
{
    uint8_t bytes[SOTTO_ADVERT_BYTES];

    sotto_advert_encode(bytes, &message->adverts[seat]);
    return sotto_buffer_add(out, sotto_view_of(bytes, sizeof bytes));
}

/* The receiver's stands among its neighbours', by seat. */
static enum sotto_status add_adverts(struct sotto_buffer *out,
                                     const struct sotto_cohort_message *message)
{
    enum sotto_status status = SOTTO_OK;
    uint32_t count = message->parameters.neighbours;
    bool is_told = false;

    for (uint32_t slot = 0; slot < count && status == SOTTO_OK; slot++) {
        if (!is_told && message->receiver < message->neighbours[slot]) {
            status = add_advert(out, message, message->receiver);
            is_told = true;
        }
        if (status == SOTTO_OK)
            status = add_advert(out, message, message->neighbours[slot]);
    }
    return is_told || status != SOTTO_OK ? status : add_advert(out, message, message->receiver);
}

enum sotto_status sotto_cohort_encode(struct sotto_buffer *out,
                                      const struct sotto_cohort_message *message)
{
    const struct sotto_parameters *parameters = &message->parameters;
    const struct sotto_view leaves =
        sotto_view_of(message->leaves, (size_t)parameters->cohort * SOTTO_DIGEST_BYTES);
    uint8_t header[HEADER_BYTES];

    sotto_store_u32(header, parameters->cohort);
    sotto_store_u32(header + 4, parameters->neighbours);
    sotto_store_u32(header + 8, parameters->threshold);
    if (sotto_buffer_add(out, sotto_view_of(header, sizeof header)) != SOTTO_OK ||
        sotto_buffer_add(out, ids_of(message)) != SOTTO_OK ||
        sotto_buffer_add(out, leaves) != SOTTO_OK || add_adverts(out, message) != SOTTO_OK)
        return SOTTO_OVER_LIMIT;
    return sotto_buffer_add(
        out, sotto_view_of(message->signature.bytes, sizeof message->signature.bytes));
}

/* Counts are u32, so that no product below can wrap a size_t. */
static enum sotto_status decode(struct claim *claim, struct sotto_view bytes)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);

    claim->cohort = sotto_cursor_u32(&cursor);
    claim->neighbours = sotto_cursor_u32(&cursor);
    claim->threshold = sotto_cursor_u32(&cursor);
    claim->ids = sotto_cursor_take(&cursor, ids_bytes(claim->cohort, claim->neighbours));
    claim->leaves =
        (const void *)sotto_cursor_take(&cursor, (size_t)claim->cohort * SOTTO_DIGEST_BYTES).at;
    claim->adverts =
        sotto_cursor_take(&cursor, ((size_t)claim->neighbours + 1) * SOTTO_ADVERT_BYTES);
    sotto_cursor_copy(&cursor, claim->signature.bytes, sizeof claim->signature.bytes);
    return sotto_cursor_finish(&cursor);
}

enum sotto_status sotto_cohort_init(struct sotto_cohort *cohort, struct sotto_arena *arena,
                                    const struct sotto_terms *terms,
                                    const struct sotto_roster *roster)
{
    struct sotto_extent extent;

    sotto_parameters_extent(&extent, terms, roster->entry_count);
    *cohort = (struct sotto_cohort){
        .capacity = extent.cohort,
        .neighbour_capacity = extent.neighbours,
        .circle.neighbours = sotto_arena_take(arena, extent.neighbours, sizeof(uint32_t)),
        .ids = sotto_arena_take(arena, extent.cohort, sizeof cohort->ids[0]),
        .adverts =
            sotto_arena_take(arena, (size_t)extent.neighbours + 1, sizeof cohort->adverts[0]),
        .entries = sotto_arena_take(arena, extent.cohort, sizeof cohort->entries[0]),
        .sorting = sotto_arena_take(arena, extent.cohort + 2 * ((size_t)extent.neighbours + 1),
                                    sizeof cohort->sorting[0])};
    if (sotto_ring_init(&cohort->ring, arena, extent.cohort) != SOTTO_OK ||
        cohort->circle.neighbours == NULL || cohort->ids == NULL || cohort->adverts == NULL ||
        cohort->entries == NULL || cohort->sorting == NULL)
        return SOTTO_NO_MEMORY;
    return SOTTO_OK;
}

/* The ids by seat: from their list, or from the adverts where there is one for everybody. */
static void read_ids(struct sotto_cohort *cohort, const struct claim *claim)
{
    for (uint32_t seat = 0; seat < claim->cohort; seat++)
        cohort->ids[seat] =
            claim->ids.length > 0
                ? sotto_load_u32(claim->ids.at + (size_t)ID_BYTES * seat)
                : sotto_load_u32(claim->adverts.at + (size_t)SOTTO_ADVERT_BYTES * seat);
}

static enum sotto_refusal find_own(struct sotto_cohort *cohort, const struct claim *claim,
                                   const struct sotto_cohort_check *check)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(check->roster, check->own->id);
    struct sotto_digest leaf;
    uint32_t found = 0;

    for (uint32_t seat = 0; seat < claim->cohort; seat++) {
        if (cohort->ids[seat] != check->own->id)
            continue;
        found++;
        cohort->circle.owner = seat;
    }
    if (found != 1 || entry == NULL)
        return SOTTO_REFUSAL_OWN_LEAF;
    sotto_advert_leaf(&leaf, check->own, &entry->certificate);
    if (!sotto_digest_equal(&leaf, &claim->leaves[cohort->circle.owner]))
        return SOTTO_REFUSAL_OWN_LEAF;
    return SOTTO_REFUSAL_NONE;
}

static bool is_identity_before(const void *list, uint32_t left, uint32_t right)
{
    const struct sotto_roster_entry *const *entries = list;

    return memcmp(&entries[left]->identity, &entries[right]->identity,
                  sizeof entries[left]->identity) < 0;
}

static bool is_certificate_before(const void *list, uint32_t left, uint32_t right)
{
    const struct sotto_roster_entry *const *entries = list;

    return memcmp(&entries[left]->certificate, &entries[right]->certificate,
                  sizeof entries[left]->certificate) < 0;
}

/* Keys are counted by twos: of each advert the mask key and the share key. */
static const struct sotto_x25519_public *key_at(const struct sotto_advert *adverts, uint32_t at)
{
    return at % 2 == 0 ? &adverts[at / 2].mask_key : &adverts[at / 2].share_key;
}

static bool is_key_before(const void *list, uint32_t left, uint32_t right)
{
    return memcmp(key_at(list, left), key_at(list, right), sizeof(struct sotto_x25519_public)) < 0;
}

/* Once they are in order, two that are the same stand side by side. */
static bool are_distinct(uint32_t *sorting, uint32_t count, const struct sotto_order *order)
{
    for (uint32_t i = 0; i < count; i++)
        sorting[i] = i;
    sotto_order_sort(sorting, count, order);
    for (uint32_t i = 1; i < count; i++) {
        if (!order->is_before(order->list, sorting[i - 1], sorting[i]))
            return false;
    }
    return true;
}

/* Everybody has a line of its own in the roster, and they stand in order of id. */
static enum sotto_refusal check_members(struct sotto_cohort *cohort, uint32_t count,
                                        const struct sotto_roster *roster)
{
    const struct sotto_order by_identity = {is_identity_before, cohort->entries};
    const struct sotto_order by_certificate = {is_certificate_before, cohort->entries};

    for (uint32_t seat = 0; seat < count; seat++) {
        cohort->entries[seat] = sotto_roster_find(roster, cohort->ids[seat]);
        if (cohort->entries[seat] == NULL)
            return SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN;
    }
    if (!are_distinct(cohort->sorting, count, &by_identity) ||
        !are_distinct(cohort->sorting, count, &by_certificate))
        return SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE;
    for (uint32_t seat = 1; seat < count; seat++) {
        if (cohort->ids[seat] < cohort->ids[seat - 1])
            return SOTTO_REFUSAL_COHORT_MALFORMED;
    }
    return SOTTO_REFUSAL_NONE;
}

static void find_neighbours(struct sotto_cohort *cohort, const struct claim *claim,
                            uint32_t neighbours)
{
    struct sotto_circle *circle = &cohort->circle;

    sotto_ring_place(&cohort->ring, &cohort->context, claim->leaves, claim->cohort);
    circle->cohort = claim->cohort;
    circle->count = neighbours;
    sotto_ring_neighbours(circle->neighbours, &cohort->ring,
                          sotto_ring_find(&cohort->ring, circle->owner), neighbours);
}

static uint32_t seat_of_place(const struct sotto_cohort *cohort, uint32_t place)
{
    if (place == cohort->own_place)
        return cohort->circle.owner;
    return cohort->circle.neighbours[place < cohort->own_place ? place : place - 1];
}

const struct sotto_advert *sotto_cohort_neighbour(const struct sotto_cohort *cohort, uint32_t slot)
{
    return &cohort->adverts[slot < cohort->own_place ? slot : slot + 1];
}

static bool is_own(const struct sotto_advert *advert, const struct sotto_advert *own)
{
    uint8_t expected[SOTTO_ADVERT_BYTES];
    uint8_t given[SOTTO_ADVERT_BYTES];

    sotto_advert_encode(expected, own);
    sotto_advert_encode(given, advert);
    return memcmp(given, expected, sizeof expected) == 0;
}

/* Exactly those of the receiver and of the neighbours that were found here, by seat. */
static enum sotto_refusal read_adverts(struct sotto_cohort *cohort, const struct claim *claim,
                                       const struct sotto_advert *own)
{
    const struct sotto_circle *circle = &cohort->circle;
    struct sotto_cursor cursor = sotto_cursor_of(claim->adverts);

    cohort->own_place = 0;
    while (cohort->own_place < circle->count &&
           circle->neighbours[cohort->own_place] < circle->owner)
        cohort->own_place++;
    for (uint32_t place = 0; place <= circle->count; place++) {
        struct sotto_view bytes = sotto_cursor_take(&cursor, SOTTO_ADVERT_BYTES);

        if (sotto_advert_decode(&cohort->adverts[place], bytes) != SOTTO_OK)
            return SOTTO_REFUSAL_COHORT_MALFORMED;
        if (cohort->adverts[place].id != cohort->ids[seat_of_place(cohort, place)])
            return SOTTO_REFUSAL_NEIGHBOUR_SET;
    }
    if (!is_own(&cohort->adverts[cohort->own_place], own))
        return SOTTO_REFUSAL_OWN_LEAF;
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal check_adverts(const struct sotto_cohort *cohort,
                                        const struct claim *claim, const struct sotto_digest *plan)
{
    const struct sotto_order by_key = {is_key_before, cohort->adverts};

    if (!are_distinct(cohort->sorting, 2 * (cohort->circle.count + 1), &by_key))
        return SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE;
    for (uint32_t place = 0; place <= cohort->circle.count; place++) {
        const struct sotto_advert *advert = &cohort->adverts[place];
        uint32_t seat = seat_of_place(cohort, place);
        const struct sotto_roster_entry *entry = cohort->entries[seat];
        struct sotto_digest leaf;

        if (sotto_advert_verify(advert, &entry->identity, plan) != SOTTO_OK)
            return SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE;
        if (!sotto_x25519_is_usable(&advert->mask_key) ||
            !sotto_x25519_is_usable(&advert->share_key))
            return SOTTO_REFUSAL_NEIGHBOUR_LOW_ORDER;
        sotto_advert_leaf(&leaf, advert, &entry->certificate);
        if (!sotto_digest_equal(&leaf, &claim->leaves[seat]))
            return SOTTO_REFUSAL_COHORT_MALFORMED;
    }
    return SOTTO_REFUSAL_NONE;
}

static enum sotto_refusal check_company(struct sotto_cohort *cohort, const struct claim *claim,
                                        const struct sotto_cohort_check *check, uint32_t neighbours)
{
    enum sotto_refusal refusal;

    read_ids(cohort, claim);
    refusal = find_own(cohort, claim, check);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_members(cohort, claim->cohort, check->roster);
    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    find_neighbours(cohort, claim, neighbours);
    refusal = read_adverts(cohort, claim, check->own);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_adverts(cohort, claim, &check->terms->context);
    return refusal;
}

enum sotto_refusal sotto_cohort_accept(struct sotto_cohort *cohort,
                                       const struct sotto_cohort_check *check,
                                       struct sotto_view bytes)
{
    const struct sotto_terms *terms = check->terms;
    struct sotto_parameters parameters;
    struct claim claim;
    enum sotto_refusal refusal;

    if (decode(&claim, bytes) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_MALFORMED;
    if (claim.cohort < terms->cohort_min || claim.cohort > terms->cohort_max)
        return SOTTO_REFUSAL_COHORT_SIZE;
    sotto_context_of_ids(&cohort->context, &terms->context, claim.leaves, claim.cohort, claim.ids);
    if (sotto_verify(&claim.signature, check->coordinator, cohort_label,
                     sotto_view_digest(&cohort->context)) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_SIGNATURE;
    if (sotto_parameters_of(&parameters, claim.cohort, terms) != SOTTO_OK)
        return SOTTO_REFUSAL_COHORT_SIZE;
    if (claim.neighbours != parameters.neighbours || claim.threshold != parameters.threshold)
        return SOTTO_REFUSAL_NEIGHBOUR_SET;
    if (claim.cohort > cohort->capacity)
        return SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN;
    if (parameters.neighbours > cohort->neighbour_capacity)
        return SOTTO_REFUSAL_COHORT_SIZE;
    refusal = check_company(cohort, &claim, check, parameters.neighbours);
    if (refusal == SOTTO_REFUSAL_NONE)
        cohort->parameters = parameters;
    return refusal;
}
