#include "crypto/primitives/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/primitives/require.h"

/* OpenSSL's copy of the secret, which EVP_PKEY_free wipes. */
static EVP_PKEY *key_of(const struct sotto_secret *secret)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret->bytes, sizeof secret->bytes);

    sotto_require(key != NULL);
    return key;
}

void sotto_x25519_public_of(struct sotto_x25519_public *out, const struct sotto_secret *secret)
{
    EVP_PKEY *key = key_of(secret);
    size_t length = sizeof out->bytes;

    sotto_require(EVP_PKEY_get_raw_public_key(key, out->bytes, &length) == 1);
    EVP_PKEY_free(key);
}

/*
 * OpenSSL refuses an all-zero result, which is what every peer of low order gives. Its note of that
 * is taken back, because TLS connections of the same thread would read it as theirs.
 */
enum sotto_status sotto_x25519(struct sotto_secret *out, const struct sotto_secret *secret,
                               const struct sotto_x25519_public *peer)
{
    EVP_PKEY *key = key_of(secret);
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer->bytes, sizeof peer->bytes);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
    size_t length = sizeof out->bytes;
    bool is_shared;

    sotto_require(other != NULL && context != NULL);
    sotto_require(EVP_PKEY_derive_init(context) == 1);
    sotto_require(EVP_PKEY_derive_set_peer(context, other) == 1);
    ERR_set_mark();
    is_shared = EVP_PKEY_derive(context, out->bytes, &length) == 1;
    ERR_pop_to_mark();
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(other);
    EVP_PKEY_free(key);
    if (!is_shared)
        sotto_wipe(out, sizeof *out);
    return is_shared ? SOTTO_OK : SOTTO_FORGED;
}
