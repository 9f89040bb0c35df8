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
/* SOTTO_FORGED: not the signer's signature of label || message. */
SOTTO_CHECKED enum sotto_status sotto_verify(const struct sotto_signature *signature,
                                             const struct sotto_ed25519_public *signer,
                                             const char *label, struct sotto_view message);

#endif
