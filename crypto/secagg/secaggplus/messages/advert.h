/*
 * The advert: a participant's public keys for one round, signed by its identity. Participant to
 * coordinator, and on to everybody in the cohort message.
 *
 *     0    id          u32
 *     4    M           32   mask key, X25519
 *     36   C           32   share key, X25519
 *     68   nonce       16
 *     84   signature   64   Ed25519 over "sotto/1 advert" || ctx0 || bytes 0 .. 84
 *     148
 *
 * Its leaf: SHA-256(0x00 || id || certificate digest || M || C || nonce || signature), the
 * certificate as the roster has it.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_ADVERT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_ADVERT_H

#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/x25519.h"

enum { SOTTO_ADVERT_BYTES = 148, SOTTO_ADVERT_NONCE_BYTES = 16 };

struct sotto_advert {
    uint32_t id;
    struct sotto_x25519_public mask_key;  /* M */
    struct sotto_x25519_public share_key; /* C */
    uint8_t nonce[SOTTO_ADVERT_NONCE_BYTES];
    struct sotto_signature signature;
};

/* Cannot fail: the layout has one size. */
void sotto_advert_encode(uint8_t out[SOTTO_ADVERT_BYTES], const struct sotto_advert *advert);
/* SOTTO_MALFORMED: not SOTTO_ADVERT_BYTES long; advert untouched. */
SOTTO_CHECKED enum sotto_status sotto_advert_decode(struct sotto_advert *advert,
                                                    struct sotto_view bytes);

/* Fills in the signature. `plan` is ctx0. */
void sotto_advert_sign(struct sotto_advert *advert, const struct sotto_secret *identity,
                       const struct sotto_digest *plan);
SOTTO_CHECKED enum sotto_status sotto_advert_verify(const struct sotto_advert *advert,
                                                    const struct sotto_ed25519_public *identity,
                                                    const struct sotto_digest *plan);

void sotto_advert_leaf(struct sotto_digest *leaf, const struct sotto_advert *advert,
                       const struct sotto_digest *certificate);

#endif
