#include "crypto/primitives/x25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "crypto/primitives/coordinate.h"
#include "crypto/primitives/require.h"

/*
 * u of every point of order 1, 2, 4 or 8 on the curve and on its twist: 0 and 1, p - 1, and two of
 * order 8.
 */
static const struct sotto_coordinate low_order[] = {
    {{0}},
    {{1}},
    {{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
      0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
      0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00}},
    {{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
      0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
      0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}},
    {{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
};

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

void sotto_x25519_open(struct sotto_x25519_own *own, const struct sotto_secret *secret)
{
    own->key = key_of(secret);
}

void sotto_x25519_close(struct sotto_x25519_own *own)
{
    EVP_PKEY_free(own->key);
    own->key = NULL;
}

/*
 * OpenSSL refuses an all-zero result, which is what every peer of low order gives. Its note of that
 * is taken back, because TLS connections of the same thread would read it as theirs.
 */
enum sotto_status sotto_x25519_agree(struct sotto_secret *out, const struct sotto_x25519_own *own,
                                     const struct sotto_x25519_public *peer)
{
    EVP_PKEY *other =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, peer->bytes, sizeof peer->bytes);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(own->key, NULL);
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
    struct sotto_x25519_own own;
    enum sotto_status status;

    sotto_x25519_open(&own, secret);
    status = sotto_x25519_agree(out, &own, peer);
    sotto_x25519_close(&own);
    return status;
}

bool sotto_x25519_is_usable(const struct sotto_x25519_public *key)
{
    struct sotto_coordinate u;

    memcpy(u.bytes, key->bytes, sizeof u.bytes);
    return sotto_coordinate_is_canonical(&u) &&
           !sotto_coordinate_is_among(&u, low_order, sizeof low_order / sizeof *low_order);
}
