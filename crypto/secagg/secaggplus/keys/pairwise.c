#include "crypto/secagg/secaggplus/keys/pairwise.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hkdf.h"

enum { PURPOSE_MAX = 8 };

static void expand(struct sotto_secret *out, const struct sotto_secret *secret,
                   const struct sotto_digest *context, const char *purpose, const uint32_t *ids,
                   size_t id_count)
{
    uint8_t info[PURPOSE_MAX + 2 * 4];
    size_t length = strlen(purpose);

    assert(length <= PURPOSE_MAX && id_count <= 2);
    memcpy(info, purpose, length);
    for (size_t i = 0; i < id_count; i++, length += 4)
        sotto_store_u32(info + length, ids[i]);
    sotto_hkdf(out, sotto_view_of(secret->bytes, sizeof secret->bytes), sotto_view_digest(context),
               sotto_view_of(info, length));
}

enum sotto_status sotto_pair_keys_derive(struct sotto_pair_keys *keys,
                                         const struct sotto_x25519_own *share_key,
                                         const struct sotto_x25519_public *peer_key,
                                         const struct sotto_pair *pair)
{
    const uint32_t out[] = {pair->self, pair->peer};
    const uint32_t in[] = {pair->peer, pair->self};
    struct sotto_secret shared;

    if (sotto_x25519_agree(&shared, share_key, peer_key) != SOTTO_OK) {
        sotto_wipe(keys, sizeof *keys);
        return SOTTO_FORGED;
    }
    expand(&keys->seal, &shared, pair->context, "share", out, 2);
    expand(&keys->open, &shared, pair->context, "share", in, 2);
    expand(&keys->confirm, &shared, pair->context, "incl", out, 2);
    expand(&keys->verify, &shared, pair->context, "incl", in, 2);
    sotto_wipe(&shared, sizeof shared);
    return SOTTO_OK;
}

enum sotto_status sotto_pair_mask_derive(struct sotto_secret *key,
                                         const struct sotto_x25519_own *mask_key,
                                         const struct sotto_x25519_public *peer_key,
                                         const struct sotto_pair *pair)
{
    bool is_lower = pair->self < pair->peer;
    const uint32_t ids[] = {is_lower ? pair->self : pair->peer, is_lower ? pair->peer : pair->self};
    struct sotto_secret shared;

    if (sotto_x25519_agree(&shared, mask_key, peer_key) != SOTTO_OK) {
        sotto_wipe(key, sizeof *key);
        return SOTTO_FORGED;
    }
    expand(key, &shared, pair->context, "mask", ids, 2);
    sotto_wipe(&shared, sizeof shared);
    return SOTTO_OK;
}

void sotto_self_mask_derive(struct sotto_secret *key, const struct sotto_secret *self_mask,
                            const struct sotto_digest *context, uint32_t id)
{
    expand(key, self_mask, context, "self", &id, 1);
}
