#include "tests/crypto/secagg_planted.h"

#include <string.h>

#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"

void planted_derive(struct planted *planted, struct chorus *chorus, uint32_t place, uint32_t peer)
{
    struct sotto_digest context = forged_context(chorus);
    const struct sotto_pair pair = {
        .context = &context, .self = chorus_id(place), .peer = chorus_id(peer)};
    struct sotto_x25519_own share_key;
    struct sotto_x25519_own mask_key;
    struct forged_cohort forged;

    forged_cohort_read(&forged, chorus);
    sotto_secrets_derive(&planted->own, &chorus->seeds[place], &chorus->terms.context);
    sotto_x25519_open(&share_key, &planted->own.share_key);
    sotto_x25519_open(&mask_key, &planted->own.mask_key);
    assert_int_equal(
        sotto_pair_keys_derive(&planted->pair, &share_key, &forged.adverts[peer].share_key, &pair),
        SOTTO_OK);
    assert_int_equal(sotto_pair_mask_derive(&planted->pair_mask, &mask_key,
                                            &forged.adverts[peer].mask_key, &pair),
                     SOTTO_OK);
    sotto_x25519_close(&mask_key);
    sotto_x25519_close(&share_key);
    sotto_self_mask_derive(&planted->self_mask, &planted->own.self_mask, &context,
                           chorus_id(place));
}

/* Members lie one after the other in the arena. */
bool planted_remembers(const struct chorus *chorus, uint32_t place, const void *secret,
                       size_t length)
{
    const uint8_t *from = (const uint8_t *)chorus->members[place];
    const uint8_t *to = (const uint8_t *)chorus->members[place + 1];

    return memmem(from, (size_t)(to - from), secret, length) != NULL;
}

bool planted_remembers_any(const struct chorus *chorus, uint32_t place,
                           const struct planted *planted)
{
    const struct sotto_secret *secrets = (const struct sotto_secret *)(const void *)planted;

    for (size_t i = 0; i < sizeof *planted / sizeof *secrets; i++) {
        if (planted_remembers(chorus, place, &secrets[i], sizeof secrets[i]))
            return true;
    }
    return false;
}
