/*
 * What an authority that is never online says of a roster: these sites, and no others, may take
 * part. The coordinator carries its signature from plan to plan and cannot make one.
 */
#ifndef SOTTO_CRYPTO_SECAGG_ENDORSEMENT_H
#define SOTTO_CRYPTO_SECAGG_ENDORSEMENT_H

#include "crypto/primitives/ed25519.h"

struct sotto_endorsed {
    uint64_t epoch;
    struct sotto_digest roster; /* SHA-256 of the roster message, which has the same epoch */
};

/* Ed25519 over "sotto/1 roster" || epoch (u64) || roster. Constant time in the authority's seed. */
void sotto_endorsement_sign(struct sotto_signature *signature, const struct sotto_secret *authority,
                            const struct sotto_endorsed *endorsed);
/* SOTTO_FORGED */
SOTTO_CHECKED enum sotto_status sotto_endorsement_verify(
    const struct sotto_signature *signature, const struct sotto_ed25519_public *authority,
    const struct sotto_endorsed *endorsed);

#endif
