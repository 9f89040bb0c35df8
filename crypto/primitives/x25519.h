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
 * Is it a key that an honest owner may have? Not if it has low order, so that everybody knows what
 * it leads to, nor if it is not the canonical writing of its number: then other bytes are the same
 * key. Same as: canonical, and sotto_x25519 takes it.
 *
 * Work: a few comparisons. Not constant time; keys are public.
 */
bool sotto_x25519_is_usable(const struct sotto_x25519_public *key);

/*
 * One secret for many peers: to read it costs as much as to agree with one of them, because OpenSSL
 * computes the public key. Holds a copy of the secret.
 */
struct sotto_x25519_own {
    void *key;
};

void sotto_x25519_open(struct sotto_x25519_own *own, const struct sotto_secret *secret);
void sotto_x25519_close(struct sotto_x25519_own *own); /* wipes */

/*
 * The peer's key is read as RFC 7748 says: bit 255 is ignored, and a number from p on is reduced.
 *
 * SOTTO_FORGED: the peer's key has low order (the result is all zero); out is zeroed. Constant time
 * in the secret.
 */
SOTTO_CHECKED enum sotto_status sotto_x25519_agree(struct sotto_secret *out,
                                                   const struct sotto_x25519_own *own,
                                                   const struct sotto_x25519_public *peer);
/* The same for one peer. */
SOTTO_CHECKED enum sotto_status sotto_x25519(struct sotto_secret *out,
                                             const struct sotto_secret *secret,
                                             const struct sotto_x25519_public *peer);

#endif
