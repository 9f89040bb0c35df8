#include "core/net/certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/file.h"

enum { PEM_FILE_MAX = 64 * 1024 };

/* NULL unless the bytes are exactly one certificate. */
static X509 *parse_der(struct sotto_view der)
{
    const unsigned char *at = der.at;
    X509 *x509 = NULL;

    if (der.length <= SOTTO_CERTIFICATE_DER_MAX)
        x509 = d2i_X509(NULL, &at, (long)der.length);
    if (x509 != NULL && at != der.at + der.length) {
        X509_free(x509);
        x509 = NULL;
    }
    return x509;
}

/* Ed25519 signs without a digest of its own choice. */
static const EVP_MD *signing_digest(EVP_PKEY *pkey)
{
    return EVP_PKEY_is_a(pkey, "ED25519") ? NULL : EVP_sha256();
}

static enum sotto_status sign_request(struct sotto_buffer *request, EVP_PKEY *pkey)
{
    enum sotto_status status = SOTTO_IO;
    unsigned char *der = NULL;
    int length = -1;
    X509_REQ *req = X509_REQ_new();

    if (req != NULL && X509_REQ_set_version(req, X509_REQ_VERSION_1) == 1 &&
        X509_REQ_set_pubkey(req, pkey) == 1 && X509_REQ_sign(req, pkey, signing_digest(pkey)) > 0)
        length = i2d_X509_REQ(req, &der);
    if (length > 0)
        status = sotto_buffer_add(request, sotto_view_of(der, (size_t)length));
    OPENSSL_free(der);
    X509_REQ_free(req);
    return status;
}

enum sotto_status sotto_certificate_request_make(struct sotto_key *key,
                                                 struct sotto_buffer *request,
                                                 enum sotto_key_kind kind,
                                                 struct sotto_fault *fault)
{
    EVP_PKEY *pkey = sotto_key_generate(kind);
    enum sotto_status status = SOTTO_IO;

    memset(key, 0, sizeof *key);
    if (pkey != NULL)
        status = sotto_key_encode(key, pkey);
    if (status == SOTTO_OK)
        status = sign_request(request, pkey);
    EVP_PKEY_free(pkey);
    if (status == SOTTO_OK)
        return SOTTO_OK;
    sotto_wipe(key, sizeof *key);
    return sotto_fault_set(fault, status, "cannot make a key and its certificate request");
}

enum sotto_status sotto_certificate_from_der(struct sotto_certificate *certificate,
                                             struct sotto_view der)
{
    X509 *x509 = NULL;

    if (der.length > SOTTO_CERTIFICATE_DER_MAX)
        return SOTTO_OVER_LIMIT;
    x509 = parse_der(der);
    if (x509 == NULL)
        return SOTTO_MALFORMED;
    X509_free(x509);
    memcpy(certificate->der, der.at, der.length);
    certificate->length = der.length;
    return SOTTO_OK;
}

enum sotto_status sotto_certificate_from_pem(struct sotto_certificate *certificate,
                                             struct sotto_view pem)
{
    enum sotto_status status = SOTTO_MALFORMED;
    unsigned char *der = NULL;
    int length = -1;
    BIO *bio = NULL;
    X509 *x509 = NULL;

    if (pem.length > PEM_FILE_MAX)
        return SOTTO_OVER_LIMIT;
    bio = BIO_new_mem_buf(pem.at, (int)pem.length);
    if (bio != NULL)
        x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (x509 != NULL)
        length = i2d_X509(x509, &der);
    if (length > 0)
        status = sotto_certificate_from_der(certificate, sotto_view_of(der, (size_t)length));
    OPENSSL_free(der);
    X509_free(x509);
    BIO_free(bio);
    return status;
}

void sotto_certificate_to_pem(char out[SOTTO_CERTIFICATE_PEM_MAX],
                              const struct sotto_certificate *certificate)
{
    static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
    static const char end[] = "-----END CERTIFICATE-----\n";
    enum { LINE_BYTES = 48 }; /* 64 characters of base64 */
    char *at = stpcpy(out, begin);

    for (size_t done = 0; done < certificate->length; done += LINE_BYTES) {
        size_t left = certificate->length - done;
        int line = (int)(left < LINE_BYTES ? left : LINE_BYTES);

        at += EVP_EncodeBlock((unsigned char *)at, certificate->der + done, line);
        *at++ = '\n';
    }
    stpcpy(at, end);
}

enum sotto_status sotto_certificate_read(struct sotto_certificate *certificate, const char *path,
                                         struct sotto_fault *fault)
{
    uint8_t *pem = NULL;
    size_t length = 0;
    enum sotto_status status = sotto_file_read(&pem, &length, path, PEM_FILE_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_certificate_from_pem(certificate, sotto_view_of(pem, length));
    free(pem);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s holds no certificate in PEM form", path);
    return SOTTO_OK;
}

struct sotto_view sotto_certificate_der(const struct sotto_certificate *certificate)
{
    return sotto_view_of(certificate->der, certificate->length);
}

void sotto_certificate_digest(struct sotto_digest *digest,
                              const struct sotto_certificate *certificate)
{
    SHA256(certificate->der, certificate->length, digest->bytes);
}

static bool seconds_of(uint64_t *out, const ASN1_TIME *time)
{
    struct tm calendar;
    time_t seconds = 0;

    if (ASN1_TIME_to_tm(time, &calendar) != 1)
        return false;
    seconds = timegm(&calendar);
    if (seconds < 0)
        return false;
    *out = (uint64_t)seconds;
    return true;
}

enum sotto_status sotto_certificate_period(struct sotto_certificate_period *period,
                                           const struct sotto_certificate *certificate)
{
    struct sotto_certificate_period found = {0};
    X509 *x509 = parse_der(sotto_certificate_der(certificate));
    bool good = x509 != NULL && seconds_of(&found.from_s, X509_get0_notBefore(x509)) &&
                seconds_of(&found.until_s, X509_get0_notAfter(x509));

    X509_free(x509);
    if (!good)
        return SOTTO_MALFORMED;
    *period = found;
    return SOTTO_OK;
}

enum sotto_status sotto_certificate_organisation(char *out,
                                                 const struct sotto_certificate *certificate)
{
    char found[SOTTO_SUBJECT_ORGANISATION_MAX + 1] = "";
    X509 *x509 = parse_der(sotto_certificate_der(certificate));
    int length = 0;
    bool good = x509 != NULL;

    if (good)
        length = X509_NAME_get_text_by_NID(X509_get_subject_name(x509), NID_organizationName, found,
                                           sizeof found);
    X509_free(x509);
    if (!good || (length >= 0 && strlen(found) != (size_t)length))
        return SOTTO_MALFORMED;
    memcpy(out, found, sizeof found);
    return SOTTO_OK;
}

static enum sotto_status check_chain(X509 *leaf, X509 *root, uint64_t now_s,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_NO_MEMORY;
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    if (store != NULL && context != NULL && X509_STORE_add_cert(store, root) == 1 &&
        X509_STORE_CTX_init(context, store, leaf, NULL) == 1) {
        X509_STORE_CTX_set_time(context, 0, (time_t)now_s);
        X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT);
        status = SOTTO_OK;
        if (X509_verify_cert(context) != 1)
            status = sotto_fault_set(
                fault, SOTTO_FORGED, "the certificate is not a good one of this authority: %s",
                X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)));
    }
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    return status;
}

enum sotto_status sotto_certificate_check(const struct sotto_certificate *certificate,
                                          const struct sotto_certificate_terms *terms,
                                          struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;
    X509 *leaf = parse_der(sotto_certificate_der(certificate));
    X509 *root = parse_der(sotto_certificate_der(terms->authority));
    EVP_PKEY *pkey = sotto_key_decode(sotto_view_text(terms->key->pem));

    if (leaf == NULL || root == NULL || pkey == NULL)
        status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                 "the certificate, its authority or its key does not parse");
    else if (X509_check_private_key(leaf, pkey) != 1)
        status = sotto_fault_set(fault, SOTTO_MISMATCH, "the certificate is for another key");
    else
        status = check_chain(leaf, root, terms->now_s, fault);
    EVP_PKEY_free(pkey);
    X509_free(root);
    X509_free(leaf);
    return status;
}
