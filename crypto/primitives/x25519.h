/* X25519, RFC 7748 sections 5 and 6.1. */
#ifndef SOTTO_CRYPTO_PRIMITIVES_X25519_H
#define SOTTO_CRYPTO_PRIMITIVES_X25519_H

#include "core/base/bytes.h"

enum { SOTTO_X25519_BYTES = 32 };

struct sotto_x25519_public {
    uint8_t bytes[SOTTO_X25519_BYTES];
};

/* secret * base point; constant time in the secret. */
void sotto_x25519_public_of(struct sotto_x25519_public *out, const struct sotto_secret *secret);

/*
 * A secret ready for many peers: making it costs as much as one agreement. Owns OpenSSL's copy of
 * the secret; close wipes it.
 */
struct sotto_x25519_key {
    void *key;
};

void sotto_x25519_open(struct sotto_x25519_key *key, const struct sotto_secret *secret);
void sotto_x25519_close(struct sotto_x25519_key *key);

/* As sotto_x25519, below. */
SOTTO_CHECKED enum sotto_status sotto_x25519_agree(struct sotto_secret *out,
                                                   const struct sotto_x25519_key *key,
                                                   const struct sotto_x25519_public *peer);

/*
 * SOTTO_FORGED: the peer's key has low order (the result is all zero); out is zeroed. Constant time
 * in the secret.
 */
SOTTO_CHECKED enum sotto_status sotto_x25519(struct sotto_secret *out,
                                             const struct sotto_secret *secret,
                                             const struct sotto_x25519_public *peer);

#endif
