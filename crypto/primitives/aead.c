#include "crypto/primitives/aead.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#include "crypto/primitives/require.h"

enum { NONCE_BYTES = 12 };

static const uint8_t zero_nonce[NONCE_BYTES];

static EVP_CIPHER_CTX *gcm_open(const struct sotto_secret *key, int is_sealing)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    sotto_require(context != NULL);
    sotto_require(EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key->bytes, zero_nonce,
                                    is_sealing) == 1);
    return context;
}

/* out NULL: the bytes are associated and only enter the tag. */
static void gcm_add(EVP_CIPHER_CTX *context, uint8_t *out, struct sotto_view bytes)
{
    int written;

    sotto_require(bytes.length <= INT_MAX);
    if (bytes.length > 0)
        sotto_require(EVP_CipherUpdate(context, out, &written, bytes.at, (int)bytes.length) == 1);
}

void sotto_aead_seal(uint8_t *out, const struct sotto_secret *key, struct sotto_view associated,
                     struct sotto_view plain)
{
    EVP_CIPHER_CTX *context = gcm_open(key, 1);
    uint8_t *tag = out + plain.length;
    int written;

    gcm_add(context, NULL, associated);
    gcm_add(context, out, plain);
    sotto_require(EVP_CipherFinal_ex(context, tag, &written) == 1);
    sotto_require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, SOTTO_AEAD_TAG_BYTES, tag) ==
                  1);
    EVP_CIPHER_CTX_free(context);
}

/*
 * OpenSSL's note of a failure is taken back: TLS connections of the same thread would read it as
 * theirs.
 */
enum sotto_status sotto_aead_open(uint8_t *out, const struct sotto_secret *key,
                                  struct sotto_view associated, struct sotto_view sealed)
{
    struct sotto_view body;
    uint8_t tag[SOTTO_AEAD_TAG_BYTES];
    EVP_CIPHER_CTX *context;
    int written;
    bool is_genuine;

    if (sealed.length < sizeof tag)
        return SOTTO_FORGED;
    body = sotto_view_of(sealed.at, sealed.length - sizeof tag);
    memcpy(tag, sealed.at + body.length, sizeof tag);
    context = gcm_open(key, 0);
    gcm_add(context, NULL, associated);
    gcm_add(context, out, body);
    sotto_require(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1);
    ERR_set_mark();
    is_genuine = EVP_CipherFinal_ex(context, tag, &written) == 1;
    ERR_pop_to_mark();
    EVP_CIPHER_CTX_free(context);
    if (!is_genuine)
        sotto_wipe(out, body.length);
    return is_genuine ? SOTTO_OK : SOTTO_FORGED;
}
