/*
 * Secrets of one participant, derived a second time beside it from the seeds of the chorus, to be
 * looked for in its memory.
 */
#ifndef TESTS_CRYPTO_SECAGG_PLANTED_H
#define TESTS_CRYPTO_SECAGG_PLANTED_H

#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "tests/crypto/secagg_chorus.h"

struct planted {
    struct sotto_secrets own;
    struct sotto_pair_keys pair; /* with `peer` */
    struct sotto_secret pair_mask;
    struct sotto_secret self_mask;
};

/* While the chorus is in SOTTO_STAGE_SHARING. */
void planted_derive(struct planted *planted, struct chorus *chorus, uint32_t place, uint32_t peer);

/* Is it in the memory of the participant at `place`, which is not the last one? */
bool planted_remembers(const struct chorus *chorus, uint32_t place, const void *secret,
                       size_t length);
/* Any of the secrets. */
bool planted_remembers_any(const struct chorus *chorus, uint32_t place,
                           const struct planted *planted);

#endif
