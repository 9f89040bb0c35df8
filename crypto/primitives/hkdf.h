/* HKDF-SHA-256, RFC 5869 sections 2.2 and 2.3: one call, 32 bytes out. */
#ifndef SOTTO_CRYPTO_PRIMITIVES_HKDF_H
#define SOTTO_CRYPTO_PRIMITIVES_HKDF_H

#include "core/base/bytes.h"

enum { SOTTO_HKDF_PURPOSE_MAX = 1024 };

/*
 *     out = first 32 bytes of HKDF-Expand(HKDF-Extract(salt, key), purpose)
 *
 *   key      in  input keying material, at least one byte; secret
 *   salt     in  usually ctx1; may be empty
 *   purpose  in  the RFC's info: a word, then fixed-length fields; at most SOTTO_HKDF_PURPOSE_MAX
 *                bytes, may be empty
 *
 * Constant time in the key.
 */
void sotto_hkdf(struct sotto_secret *out, struct sotto_view key, struct sotto_view salt,
                struct sotto_view purpose);

#endif
