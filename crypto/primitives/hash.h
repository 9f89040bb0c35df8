/*
 * SHA-256 over parts, and digests of lists of files. Source: FIPS 180-4. Aborts if OpenSSL itself
 * fails: nothing from outside can cause that.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_HASH_H
#define SOTTO_CRYPTO_PRIMITIVES_HASH_H

#include "core/base/bytes.h"

/*
 * SHA-256 of the concatenation. Injective only if the caller's part lengths are fixed or encoded.
 */
void sotto_hash(struct sotto_digest *out, const struct sotto_view *parts, size_t part_count);

/*
 * SHA-256(label || count || SHA-256(part_1) || ... || SHA-256(part_count)): for lists whose parts
 * vary in length, such as the files of a model directory ("sotto/1 model": config.json,
 * model.safetensors, preprocessor_config.json) and an adapter version ("sotto/1 adapter": layout
 * bytes, manifest). count is u32 little-endian.
 */
void sotto_hash_list(struct sotto_digest *out, const char *label, const struct sotto_view *parts,
                     size_t part_count);

/* Streaming. Between init and finish it owns an OpenSSL context; finish or discard releases it. */
struct sotto_hasher {
    void *context;
};
void sotto_hasher_init(struct sotto_hasher *hasher);
void sotto_hasher_add(struct sotto_hasher *hasher, struct sotto_view bytes);
void sotto_hasher_finish(struct sotto_hasher *hasher, struct sotto_digest *out);
void sotto_hasher_discard(
    struct sotto_hasher *hasher); /* also after finish: then nothing happens */

/* HMAC-SHA-256, RFC 2104. */
void sotto_hmac(struct sotto_digest *out, const struct sotto_secret *key,
                const struct sotto_view *parts, size_t part_count);
/* 1 or 0. Constant time in both; length is public. */
int sotto_secret_equal(const void *left, const void *right, size_t length);

#endif
