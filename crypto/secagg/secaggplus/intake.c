#include "crypto/secagg/secaggplus/intake.h"

#include <string.h>

#include "crypto/secagg/secaggplus/messages/reveal.h"

/*
 * Participants refuse a cohort with an unusable key, or with a key or an identity twice: nobody may
 * end the round for all that way.
 */
static bool is_usable(const struct sotto_collection *collection,
                      const struct sotto_x25519_public *key)
{
    return sotto_x25519_is_usable(key) && !sotto_collection_has_key(collection, key);
}

enum sotto_status sotto_intake_advert(struct sotto_collection *collection,
                                      const struct sotto_answer *answer)
{
    struct sotto_advert advert;

    if (collection->count == collection->capacity)
        return SOTTO_UNEXPECTED;
    if (sotto_advert_decode(&advert, answer->bytes) != SOTTO_OK)
        return SOTTO_MALFORMED;
    if (advert.id != answer->entry->id ||
        sotto_advert_verify(&advert, &answer->entry->identity, answer->plan) != SOTTO_OK ||
        memcmp(&advert.mask_key, &advert.share_key, sizeof advert.mask_key) == 0 ||
        sotto_collection_has(collection, answer->entry) ||
        !is_usable(collection, &advert.mask_key) || !is_usable(collection, &advert.share_key))
        return SOTTO_FORGED;
    sotto_collection_seat_take(collection, answer->entry, &advert, &answer->digest);
    return SOTTO_OK;
}

enum sotto_status sotto_intake_shares(struct sotto_collection *collection,
                                      const struct sotto_answer *answer)
{
    uint32_t first = sotto_table_row(&collection->table, answer->seat)[0];
    struct sotto_shares_message message;

    if (sotto_shares_decode(&message, answer->bytes, collection->table.neighbours) != SOTTO_OK)
        return SOTTO_MALFORMED;
    memcpy(collection->commitments[answer->seat].bytes, message.commitment.at, SOTTO_DIGEST_BYTES);
    memcpy(sotto_collection_sealed(collection, answer->seat, first), message.sealed.at,
           message.sealed.length);
    return SOTTO_OK;
}

static bool is_ring(const struct sotto_collection *collection)
{
    return !sotto_parameters_is_complete(&collection->parameters);
}

enum sotto_status sotto_intake_receipt(struct sotto_collection *collection,
                                       const struct sotto_answer *answer)
{
    struct sotto_digest digest;
    const struct sotto_receipt_claim claim = {.context = &collection->context, .sharers = &digest};

    if (!is_ring(collection))
        return SOTTO_UNEXPECTED;
    if (answer->bytes.length != SOTTO_RECEIPT_BYTES)
        return SOTTO_MALFORMED;
    sotto_seats_digest(&digest, &collection->sharers, collection->count);
    if (sotto_receipt_verify(answer->bytes.at, &answer->entry->identity, &claim) != SOTTO_OK)
        return SOTTO_FORGED;
    memcpy(collection->receipts + (size_t)answer->seat * SOTTO_RECEIPT_BYTES, answer->bytes.at,
           SOTTO_RECEIPT_BYTES);
    return SOTTO_OK;
}

/* The lanes travel beside the protocol; whose they are is all that is to be known here. */
enum sotto_status sotto_intake_upload(struct sotto_collection *collection,
                                      const struct sotto_answer *answer)
{
    if (is_ring(collection) &&
        !sotto_seats_has(&collection->heard[SOTTO_HEARD_RECEIPTS].who, answer->seat))
        return SOTTO_UNEXPECTED;
    return SOTTO_OK;
}

enum sotto_status sotto_intake_inclusion(struct sotto_collection *collection,
                                         const struct sotto_answer *answer)
{
    const struct sotto_seats *survivors = &collection->survivors.seats;
    const uint16_t *row = sotto_table_row(&collection->table, answer->seat);
    struct sotto_inclusion inclusion;
    struct sotto_digest digest;
    const uint8_t *mac;

    if (sotto_inclusion_decode(&inclusion, answer->bytes,
                               sotto_table_degree(&collection->table, survivors, answer->seat)) !=
        SOTTO_OK)
        return SOTTO_MALFORMED;
    sotto_seats_digest(&digest, survivors, collection->count);

    const struct sotto_inclusion_claim claim = {.context = &collection->context,
                                                .survivors = &digest};

    if (sotto_inclusion_verify(&inclusion.signature, &answer->entry->identity, &claim) != SOTTO_OK)
        return SOTTO_FORGED;
    mac = inclusion.macs.at;
    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        if (!sotto_seats_has(survivors, row[slot]))
            continue;
        memcpy(sotto_collection_mac(collection, answer->seat, row[slot]), mac,
               SOTTO_INCLUSION_MAC_BYTES);
        mac += SOTTO_INCLUSION_MAC_BYTES;
    }
    return SOTTO_OK;
}

/* Is it one share of each neighbour that shared, by seat, and nothing else? */
static bool is_whole_reveal(const struct sotto_collection *collection,
                            const struct sotto_answer *answer)
{
    struct sotto_cursor cursor = sotto_cursor_of(answer->bytes);
    const uint16_t *row = sotto_table_row(&collection->table, answer->seat);
    struct sotto_revealed revealed;

    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        if (!sotto_seats_has(&collection->sharers, row[slot]))
            continue;
        sotto_revealed_decode(&revealed, &cursor);
        if (revealed.owner != collection->adverts[row[slot]].id)
            return false;
    }
    return sotto_cursor_finish(&cursor) == SOTTO_OK;
}

enum sotto_status sotto_intake_reveal(struct sotto_collection *collection,
                                      const struct sotto_answer *answer)
{
    struct sotto_cursor cursor = sotto_cursor_of(answer->bytes);
    const uint16_t *row = sotto_table_row(&collection->table, answer->seat);
    struct sotto_revealed revealed;

    if (!is_whole_reveal(collection, answer))
        return SOTTO_MALFORMED;
    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        if (!sotto_seats_has(&collection->sharers, row[slot]))
            continue;
        sotto_revealed_decode(&revealed, &cursor);
        memcpy(sotto_collection_share(collection, answer->seat, row[slot]), revealed.share.bytes,
               SOTTO_SHARE_BYTES);
    }
    return SOTTO_OK;
}
