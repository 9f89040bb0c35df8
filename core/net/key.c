#include "core/net/key.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"

enum { KEY_FILE_MAX = 8192 };

EVP_PKEY *sotto_key_generate(enum sotto_key_kind kind)
{
    switch (kind) {
    case SOTTO_KEY_P256: return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    case SOTTO_KEY_ED25519: return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    }
    return NULL;
}

enum sotto_status sotto_key_encode(struct sotto_key *out, EVP_PKEY *pkey)
{
    enum sotto_status status = SOTTO_IO;
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_secmem());

    memset(out, 0, sizeof *out);
    if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, pkey, NULL, NULL, 0, NULL, NULL) == 1) {
        long length = BIO_get_mem_data(bio, &text);

        if (length > 0 && (size_t)length < sizeof out->pem) {
            memcpy(out->pem, text, (size_t)length);
            status = SOTTO_OK;
        }
    }
    BIO_free(bio);
    return status;
}

/* Never asks at a terminal: an encrypted key is not one that a service can use. */
static int no_passphrase(char *out, int capacity, int writing, void *context)
{
    (void)out;
    (void)capacity;
    (void)writing;
    (void)context;
    return -1;
}

EVP_PKEY *sotto_key_decode(struct sotto_view pem)
{
    EVP_PKEY *pkey = NULL;
    BIO *bio = pem.length <= INT32_MAX ? BIO_new_mem_buf(pem.at, (int)pem.length) : NULL;

    if (bio != NULL)
        pkey = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
    BIO_free(bio);
    return pkey;
}

enum sotto_status sotto_key_read(EVP_PKEY **out, const char *path, struct sotto_fault *fault)
{
    uint8_t *pem = NULL;
    size_t length = 0;
    enum sotto_status status = sotto_file_read(&pem, &length, path, KEY_FILE_MAX, fault);

    *out = NULL;
    if (status != SOTTO_OK)
        return status;
    *out = sotto_key_decode(sotto_view_of(pem, length));
    sotto_wipe(pem, length);
    free(pem);
    if (*out == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s holds no unencrypted private key in PEM form", path);
    return SOTTO_OK;
}

bool sotto_key_is_allowed(EVP_PKEY *pkey)
{
    char group[32] = {0};
    size_t length = 0;

    if (EVP_PKEY_is_a(pkey, "ED25519"))
        return true;
    return EVP_PKEY_is_a(pkey, "EC") &&
           EVP_PKEY_get_group_name(pkey, group, sizeof group, &length) == 1 &&
           OBJ_txt2nid(group) == NID_X9_62_prime256v1;
}
