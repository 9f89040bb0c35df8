#include "crypto/primitives/hash.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/primitives/require.h"

void sotto_hasher_init(struct sotto_hasher *hasher)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    sotto_require(context != NULL);
    sotto_require(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    hasher->context = context;
}

void sotto_hasher_add(struct sotto_hasher *hasher, struct sotto_view bytes)
{
    sotto_require(EVP_DigestUpdate(hasher->context, bytes.at, bytes.length) == 1);
}

void sotto_hasher_finish(struct sotto_hasher *hasher, struct sotto_digest *out)
{
    sotto_require(EVP_DigestFinal_ex(hasher->context, out->bytes, NULL) == 1);
    sotto_hasher_discard(hasher);
}

void sotto_hasher_discard(struct sotto_hasher *hasher)
{
    EVP_MD_CTX_free(hasher->context);
    hasher->context = NULL;
}

void sotto_hash(struct sotto_digest *out, const struct sotto_view *parts, size_t part_count)
{
    struct sotto_hasher hasher;

    sotto_hasher_init(&hasher);
    for (size_t part = 0; part < part_count; part++)
        sotto_hasher_add(&hasher, parts[part]);
    sotto_hasher_finish(&hasher, out);
}

void sotto_hash_list(struct sotto_digest *out, const char *label, const struct sotto_view *parts,
                     size_t part_count)
{
    struct sotto_hasher hasher;
    uint8_t count[4];

    sotto_require(part_count <= UINT32_MAX);
    sotto_store_u32(count, (uint32_t)part_count);
    sotto_hasher_init(&hasher);
    sotto_hasher_add(&hasher, sotto_view_text(label));
    sotto_hasher_add(&hasher, sotto_view_of(count, sizeof count));
    for (size_t part = 0; part < part_count; part++) {
        struct sotto_digest digest;

        sotto_hash(&digest, &parts[part], 1);
        sotto_hasher_add(&hasher, sotto_view_digest(&digest));
    }
    sotto_hasher_finish(&hasher, out);
}

void sotto_hmac(struct sotto_digest *out, const struct sotto_secret *key,
                const struct sotto_view *parts, size_t part_count)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM settings[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest_name, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *context = EVP_MAC_CTX_new(mac);

    sotto_require(context != NULL);
    sotto_require(EVP_MAC_init(context, key->bytes, sizeof key->bytes, settings) == 1);
    for (size_t part = 0; part < part_count; part++)
        sotto_require(EVP_MAC_update(context, parts[part].at, parts[part].length) == 1);
    sotto_require(EVP_MAC_final(context, out->bytes, NULL, sizeof out->bytes) == 1);
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
}

int sotto_secret_equal(const void *left, const void *right, size_t length)
{
    return CRYPTO_memcmp(left, right, length) == 0;
}
