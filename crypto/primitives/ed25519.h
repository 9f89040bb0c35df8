/*
 * Ed25519 signatures, RFC 8032 section 5.1. Messages always start with a purpose label, such as
 * "sotto/1 plan".
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_ED25519_H
#define SOTTO_CRYPTO_PRIMITIVES_ED25519_H

#include "core/base/bytes.h"

enum { SOTTO_SIGNATURE_BYTES = 64 };

struct sotto_ed25519_public {
    uint8_t bytes[32];
};

struct sotto_signature {
    uint8_t bytes[SOTTO_SIGNATURE_BYTES];
};

/* The verifying key of a 32-byte seed; constant time in the seed. */
void sotto_ed25519_public_of(struct sotto_ed25519_public *out, const struct sotto_secret *seed);

/* Signs label || message. Deterministic; constant time in the seed. */
void sotto_sign(struct sotto_signature *out, const struct sotto_secret *seed, const char *label,
                struct sotto_view message);
/*
 * May it stand for somebody? Not if it has low order, because then one signature fits many
 * messages, nor if it is not the canonical writing of its point. Whether it is a point at all is
 * seen by verifying. Work: a few comparisons. Not constant time; keys are public.
 */
bool sotto_ed25519_is_usable(const struct sotto_ed25519_public *key);

/*
 * RFC 8032, 5.1.7, without the cofactor; S has to be below the group's order.
 *
 * SOTTO_FORGED: not the signer's signature of label || message, or the signer's key is not usable.
 */
SOTTO_CHECKED enum sotto_status sotto_verify(const struct sotto_signature *signature,
                                             const struct sotto_ed25519_public *signer,
                                             const char *label, struct sotto_view message);

#endif
