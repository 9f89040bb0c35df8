#include "crypto/primitives/hkdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "crypto/primitives/require.h"

/* OpenSSL's parameters are not const, though a derivation only reads them. */
static OSSL_PARAM octets_of(const char *name, struct sotto_view bytes)
{
    return OSSL_PARAM_construct_octet_string(name, (void *)(uintptr_t)bytes.at, bytes.length);
}

void sotto_hkdf(struct sotto_secret *out, struct sotto_view key, struct sotto_view salt,
                struct sotto_view purpose)
{
    char digest_name[] = "SHA256";
    const OSSL_PARAM settings[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0),
        octets_of(OSSL_KDF_PARAM_KEY, key),
        octets_of(OSSL_KDF_PARAM_SALT, salt),
        octets_of(OSSL_KDF_PARAM_INFO, purpose),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);

    sotto_require(context != NULL);
    sotto_require(purpose.length <= SOTTO_HKDF_PURPOSE_MAX);
    sotto_require(EVP_KDF_derive(context, out->bytes, sizeof out->bytes, settings) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}
