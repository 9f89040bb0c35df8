#include "crypto/secagg/secaggplus/unmasking.h"

#include <string.h>

#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/reconstruct.h"

size_t sotto_unmasking_streams_max(const struct sotto_extent *extent)
{
    return extent->cohort + extent->cells / 2;
}

static void gather(struct sotto_shared *shared, const struct sotto_collection *collection,
                   uint32_t owner)
{
    const uint16_t *row = sotto_table_row(&collection->table, owner);

    shared->threshold = collection->parameters.threshold;
    shared->count = 0;
    shared->commitment = (struct sotto_commitment){
        .is_self_mask = sotto_seats_has(&collection->survivors.seats, owner),
        .self_mask = collection->commitments[owner],
        .mask_key = collection->adverts[owner].mask_key};
    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        if (!sotto_seats_has(&collection->heard[SOTTO_STAGE_REVEALING].who, row[slot]))
            continue;
        shared->holders[shared->count] = row[slot];
        memcpy(shared->shares[shared->count].bytes,
               sotto_collection_share(collection, row[slot], owner), SOTTO_SHARE_BYTES);
        shared->count++;
    }
}

/* A survivor left its self mask in the sum. */
static size_t derive_self(struct sotto_stream *streams, const struct sotto_collection *collection,
                          uint32_t owner, const struct sotto_secret *self_mask)
{
    sotto_self_mask_derive(&streams->key, self_mask, &collection->context,
                           collection->adverts[owner].id);
    streams->use = SOTTO_STREAM_SUBTRACTED;
    return 1;
}

/*
 * Every surviving neighbour left its half of the mask that it shared with the dropout. A low-order
 * key was refused on arrival.
 */
static size_t derive_pairs(struct sotto_stream *streams, const struct sotto_collection *collection,
                           uint32_t owner, const struct sotto_secret *mask_key)
{
    const uint16_t *row = sotto_table_row(&collection->table, owner);
    struct sotto_x25519_own own;
    size_t count = 0;

    sotto_x25519_open(&own, mask_key);
    for (uint32_t slot = 0; slot < collection->table.neighbours; slot++) {
        uint32_t seat = row[slot];
        const struct sotto_pair pair = {.context = &collection->context,
                                        .self = collection->adverts[owner].id,
                                        .peer = collection->adverts[seat].id};

        if (!sotto_seats_has(&collection->survivors.seats, seat))
            continue;
        if (sotto_pair_mask_derive(&streams[count].key, &own, &collection->adverts[seat].mask_key,
                                   &pair) != SOTTO_OK)
            continue;
        streams[count].use = seat < owner ? SOTTO_STREAM_SUBTRACTED : SOTTO_STREAM_ADDED;
        count++;
    }
    sotto_x25519_close(&own);
    return count;
}

enum sotto_status sotto_unmasking_derive(struct sotto_stream *streams, size_t *stream_count,
                                         struct sotto_seats *liars,
                                         const struct sotto_collection *collection)
{
    enum sotto_status status = SOTTO_OK;
    struct sotto_shared shared;
    struct sotto_secret secret = {0};
    size_t count = 0;

    for (uint32_t owner = 0; owner < collection->count && status == SOTTO_OK; owner++) {
        if (!sotto_seats_has(&collection->sharers, owner))
            continue;
        gather(&shared, collection, owner);
        status = shared.count < shared.threshold ? SOTTO_NOT_FOUND
                                                 : sotto_reconstruct(&secret, liars, &shared);
        if (status != SOTTO_OK)
            break;
        if (shared.commitment.is_self_mask)
            count += derive_self(&streams[count], collection, owner, &secret);
        else
            count += derive_pairs(&streams[count], collection, owner, &secret);
    }
    sotto_wipe(&secret, sizeof secret);
    sotto_wipe(&shared, sizeof shared);
    if (status != SOTTO_OK) {
        sotto_wipe(streams, count * sizeof streams[0]);
        count = 0;
    }
    *stream_count = count;
    return status;
}
