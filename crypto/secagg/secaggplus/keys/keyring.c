#include "crypto/secagg/secaggplus/keys/keyring.h"

#include <string.h>

#include "crypto/primitives/hash.h"

enum sotto_status sotto_keyring_init(struct sotto_keyring *keyring, struct sotto_arena *arena,
                                     uint32_t capacity)
{
    *keyring = (struct sotto_keyring){
        .capacity = capacity,
        .neighbours = sotto_arena_take(arena, capacity, sizeof keyring->neighbours[0]),
        .streams = sotto_arena_take(arena, (size_t)capacity + 1, sizeof keyring->streams[0]),
        .split = sotto_arena_take(arena, 2 * (size_t)capacity, sizeof keyring->split[0])};
    return keyring->neighbours != NULL && keyring->streams != NULL && keyring->split != NULL
               ? SOTTO_OK
               : SOTTO_NO_MEMORY;
}

void sotto_keyring_wipe_streams(struct sotto_keyring *keyring)
{
    sotto_wipe(keyring->streams, ((size_t)keyring->capacity + 1) * sizeof keyring->streams[0]);
}

static void wipe_split(struct sotto_keyring *keyring)
{
    sotto_wipe(keyring->split, 2 * (size_t)keyring->capacity * sizeof keyring->split[0]);
}

void sotto_keyring_wipe(struct sotto_keyring *keyring)
{
    sotto_wipe(keyring->neighbours, (size_t)keyring->capacity * sizeof keyring->neighbours[0]);
    sotto_keyring_wipe_streams(keyring);
    wipe_split(keyring);
}

/* A participant's own two keys, opened. */
struct own {
    uint32_t id;
    struct sotto_x25519_own share_key;
    struct sotto_x25519_own mask_key;
};

static enum sotto_status derive_slot(struct sotto_keyring *keyring,
                                     const struct sotto_cohort *cohort, const struct own *own,
                                     uint32_t slot)
{
    const struct sotto_advert *advert = sotto_cohort_neighbour(cohort, slot);
    const struct sotto_pair pair = {
        .context = &cohort->context, .self = own->id, .peer = advert->id};
    enum sotto_status status = sotto_pair_keys_derive(&keyring->neighbours[slot].keys,
                                                      &own->share_key, &advert->share_key, &pair);

    if (status != SOTTO_OK)
        return status;
    return sotto_pair_mask_derive(&keyring->streams[slot].key, &own->mask_key, &advert->mask_key,
                                  &pair);
}

enum sotto_status sotto_keyring_derive(struct sotto_keyring *keyring,
                                       const struct sotto_cohort *cohort,
                                       const struct sotto_secrets *secrets, uint32_t id)
{
    enum sotto_status status = SOTTO_OK;
    struct own own = {.id = id};

    sotto_x25519_open(&own.share_key, &secrets->share_key);
    sotto_x25519_open(&own.mask_key, &secrets->mask_key);
    for (uint32_t slot = 0; slot < cohort->circle.count && status == SOTTO_OK; slot++)
        status = derive_slot(keyring, cohort, &own, slot);
    sotto_x25519_close(&own.mask_key);
    sotto_x25519_close(&own.share_key);
    if (status != SOTTO_OK)
        return status;
    sotto_self_mask_derive(&keyring->streams[cohort->circle.count].key, &secrets->self_mask,
                           &cohort->context, id);
    return SOTTO_OK;
}

/* A holder's place on the polynomials is its seat. */
static void split_secrets(struct sotto_keyring *keyring, const struct sotto_cohort *cohort,
                          const struct sotto_secrets *secrets)
{
    const struct sotto_circle *circle = &cohort->circle;
    const struct sotto_holders holders = {.indices = circle->neighbours, .count = circle->count};
    uint32_t threshold = cohort->parameters.threshold;

    sotto_share_split_among(keyring->split, &secrets->self_mask, &secrets->split_self, threshold,
                            &holders);
    sotto_share_split_among(keyring->split + circle->count, &secrets->mask_key,
                            &secrets->split_mask, threshold, &holders);
}

void sotto_keyring_seal(uint8_t *out, struct sotto_keyring *keyring,
                        const struct sotto_cohort *cohort, const struct sotto_secrets *secrets)
{
    const struct sotto_view self_mask = sotto_view_of(secrets->self_mask.bytes, 32);
    uint32_t count = cohort->circle.count;
    struct sotto_digest commitment;

    sotto_hash(&commitment, &self_mask, 1);
    memcpy(out, commitment.bytes, SOTTO_DIGEST_BYTES);
    split_secrets(keyring, cohort, secrets);
    for (uint32_t slot = 0; slot < count; slot++) {
        struct sotto_share_pair pair = {.self = keyring->split[slot],
                                        .mask = keyring->split[count + slot]};

        sotto_share_pair_seal(out + SOTTO_DIGEST_BYTES + (size_t)slot * SOTTO_SEALED_BYTES, &pair,
                              &keyring->neighbours[slot].keys.seal, &cohort->context);
        sotto_wipe(&pair, sizeof pair);
    }
    wipe_split(keyring);
}

enum sotto_status sotto_keyring_open(struct sotto_keyring *keyring,
                                     const struct sotto_cohort *cohort,
                                     const struct sotto_inbox *inbox)
{
    const uint8_t *sealed = inbox->sealed.at;

    for (uint32_t slot = 0; slot < cohort->circle.count; slot++) {
        struct sotto_neighbour *neighbour = &keyring->neighbours[slot];

        if (!sotto_seats_has(&inbox->senders, cohort->circle.neighbours[slot]))
            continue;
        if (sotto_share_pair_open(&neighbour->held, sealed, &neighbour->keys.open,
                                  &cohort->context) != SOTTO_OK)
            return SOTTO_FORGED;
        sealed += SOTTO_SEALED_BYTES;
    }
    return SOTTO_OK;
}

void sotto_keyring_choose(struct sotto_keyring *keyring, const struct sotto_circle *circle,
                          const struct sotto_seats *sharers)
{
    for (uint32_t slot = 0; slot < circle->count; slot++) {
        struct sotto_stream *stream = &keyring->streams[slot];

        if (!sotto_seats_has(sharers, circle->neighbours[slot]))
            sotto_wipe(stream, sizeof *stream);
        else if (circle->neighbours[slot] < circle->owner)
            stream->use = SOTTO_STREAM_SUBTRACTED;
        else
            stream->use = SOTTO_STREAM_ADDED;
    }
    keyring->streams[circle->count].use = SOTTO_STREAM_ADDED;
}
