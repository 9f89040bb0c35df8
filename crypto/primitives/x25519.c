#include "crypto/primitives/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/primitives/require.h"

void sotto_x25519_open(struct sotto_x25519_key *key, const struct sotto_secret *secret)
{
    key->key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, secret->bytes, sizeof secret->bytes);
    sotto_require(key->key != NULL);
}

void sotto_x25519_close(struct sotto_x25519_key *key)
{
    EVP_PKEY_free(key->key);
    key->key = NULL;
}

void sotto_x25519_public_of(struct sotto_x25519_public *out, const struct sotto_secret *secret)
{
    struct sotto_x25519_key key;
    size_t length = sizeof out->bytes;

    sotto_x25519_open(&key, secret);
    sotto_require(EVP_PKEY_get_raw_public_key(key.key, out->bytes, &length) == 1);
    sotto_x25519_close(&key);
}

/*
 * OpenSSL refuses an all-zero result, which is what every peer of low order gives. Its note of that
 * is taken back, because TLS connections of the same thread would read it as theirs.
 */
enum sotto_status sotto_x25519_agree(struct sotto_secret *out, const struct sotto_x25519_key *key,
                                     const struct sotto_x25519_public *peer)
{
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer->bytes, sizeof peer->bytes);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->key, NULL);
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
    if (!is_shared)
        sotto_wipe(out, sizeof *out);
    return is_shared ? SOTTO_OK : SOTTO_FORGED;
}

enum sotto_status sotto_x25519(struct sotto_secret *out, const struct sotto_secret *secret,
                               const struct sotto_x25519_public *peer)
{
    struct sotto_x25519_key key;
    enum sotto_status status;

    sotto_x25519_open(&key, secret);
    status = sotto_x25519_agree(out, &key, peer);
    sotto_x25519_close(&key);
    return status;
}
