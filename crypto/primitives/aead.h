/*
 * AES-256-GCM, NIST SP 800-38D, with a zero nonce: every key here is derived for one direction of
 * one pair in one context and seals exactly one message.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_AEAD_H
#define SOTTO_CRYPTO_PRIMITIVES_AEAD_H

#include "core/base/bytes.h"

enum { SOTTO_AEAD_TAG_BYTES = 16 };

/* Both parts are shorter than 2 GiB.   out[plain.length + SOTTO_AEAD_TAG_BYTES] */
void sotto_aead_seal(uint8_t *out, const struct sotto_secret *key, struct sotto_view associated,
                     struct sotto_view plain);
/*
 * out[sealed.length - SOTTO_AEAD_TAG_BYTES]
 *
 * SOTTO_FORGED: the tag is wrong, or there is no room for one; out is zeroed.
 */
SOTTO_CHECKED enum sotto_status sotto_aead_open(uint8_t *out, const struct sotto_secret *key,
                                                struct sotto_view associated,
                                                struct sotto_view sealed);

#endif
