/* HKDF-SHA-256, RFC 5869 sections 2.2 and 2.3: one call, 32 bytes out. */
#ifndef SOTTO_CRYPTO_PRIMITIVES_HKDF_H
#define SOTTO_CRYPTO_PRIMITIVES_HKDF_H

#include "core/base/bytes.h"

/*
 *   key   in  input keying material, any length
 *   salt  in  usually ctx1
 *   info  in  purpose, then fixed-length fields
 */
void sotto_hkdf(struct sotto_secret *out, struct sotto_view key, struct sotto_view salt,
                struct sotto_view info);

#endif
