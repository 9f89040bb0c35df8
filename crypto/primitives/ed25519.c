#include "crypto/primitives/ed25519.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/coordinate.h"
#include "crypto/primitives/require.h"

enum { SIGN_BIT = 0x80 };

/* y of every point of order 1, 2, 4 or 8: 1, p - 1, 0, and two of order 8. */
static const struct sotto_coordinate low_order[] = {
    {{1}},
    {{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
      0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}},
    {{0}},
    {{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
      0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
      0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05}},
    {{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
      0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
      0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}},
};

bool sotto_ed25519_is_usable(const struct sotto_ed25519_public *key)
{
    struct sotto_coordinate y;

    memcpy(y.bytes, key->bytes, sizeof y.bytes);
    y.bytes[31] &= (uint8_t)~SIGN_BIT;
    return sotto_coordinate_is_canonical(&y) &&
           !sotto_coordinate_is_among(&y, low_order, sizeof low_order / sizeof *low_order);
}

static EVP_PKEY *private_key(const struct sotto_secret *seed)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed->bytes, sizeof seed->bytes);

    sotto_require(key != NULL);
    return key;
}

void sotto_ed25519_public_of(struct sotto_ed25519_public *out, const struct sotto_secret *seed)
{
    EVP_PKEY *key = private_key(seed);
    size_t length = sizeof out->bytes;

    sotto_require(EVP_PKEY_get_raw_public_key(key, out->bytes, &length) == 1);
    EVP_PKEY_free(key);
}

/* label || message in memory from malloc: OpenSSL takes Ed25519 messages in one piece only. */
static struct sotto_buffer labelled(const char *label, struct sotto_view message)
{
    size_t label_length = strlen(label);
    struct sotto_buffer whole = sotto_buffer_of(NULL, label_length + message.length);

    whole.at = malloc(whole.capacity + 1); /* + 1: an empty message is a message too */
    sotto_require(whole.at != NULL);
    memcpy(whole.at, label, label_length);
    if (message.length > 0)
        memcpy(whole.at + label_length, message.at, message.length);
    whole.length = whole.capacity;
    return whole;
}

void sotto_sign(struct sotto_signature *out, const struct sotto_secret *seed, const char *label,
                struct sotto_view message)
{
    struct sotto_buffer whole = labelled(label, message);
    EVP_PKEY *key = private_key(seed);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t length = sizeof out->bytes;

    sotto_require(context != NULL);
    sotto_require(EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1);
    sotto_require(EVP_DigestSign(context, out->bytes, &length, whole.at, whole.length) == 1);
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    free(whole.at);
}

/*
 * OpenSSL's note of a failure is taken back: TLS connections of the same thread would read it as
 * theirs.
 */
enum sotto_status sotto_verify(const struct sotto_signature *signature,
                               const struct sotto_ed25519_public *signer, const char *label,
                               struct sotto_view message)
{
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, signer->bytes, sizeof signer->bytes);
    struct sotto_buffer whole = labelled(label, message);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool is_genuine;

    sotto_require(key != NULL && context != NULL);
    sotto_require(EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1);
    ERR_set_mark();
    is_genuine = EVP_DigestVerify(context, signature->bytes, sizeof signature->bytes, whole.at,
                                  whole.length) == 1 &&
                 sotto_ed25519_is_usable(signer);
    ERR_pop_to_mark();
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    free(whole.at);
    return is_genuine ? SOTTO_OK : SOTTO_FORGED;
}
