#include "core/net/authority.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

enum {
    SERIAL_BYTES = 16,
    HOST_NAME_MAX_LENGTH = 253,
    NAME_LIST_MAX = SOTTO_SERVER_NAMES_MAX * (HOST_NAME_MAX_LENGTH + 8),
    SECONDS_A_DAY = 86400,
};

/* An authority, parsed. */
struct issuer {
    X509 *certificate;
    EVP_PKEY *pkey;
};

/* What every certificate needs; the issuer is NULL for a self-signed one. */
struct draft {
    X509 *x509;
    const struct issuer *issuer;
    EVP_PKEY *subject_key;
    uint64_t now_s;
    long days;
};

static bool is_subject_text(const char *text, size_t length_max)
{
    size_t length = strnlen(text, length_max + 1);

    for (size_t at = 0; at < length; at++)
        if (!isprint((unsigned char)text[at]))
            return false;
    return length >= 1 && length <= length_max;
}

static bool is_subject_part(const char *text)
{
    return is_subject_text(text, SOTTO_SUBJECT_PART_MAX);
}

/* Random, positive and never short: 128 bits below a leading one. */
static bool set_serial(X509 *x509)
{
    unsigned char bytes[SERIAL_BYTES + 1] = {0};
    BIGNUM *number = NULL;
    bool good = false;

    if (RAND_bytes(bytes + 1, SERIAL_BYTES) != 1)
        return false;
    bytes[0] = 1;
    number = BN_bin2bn(bytes, sizeof bytes, NULL);
    good = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509)) != NULL;
    BN_free(number);
    return good;
}

static bool set_period(X509 *x509, uint64_t now_s, long days)
{
    uint64_t from_s = now_s > SOTTO_CLOCK_SKEW_S ? now_s - SOTTO_CLOCK_SKEW_S : 0;

    return ASN1_TIME_adj(X509_getm_notBefore(x509), (time_t)from_s, 0, 0) != NULL &&
           ASN1_TIME_adj(X509_getm_notAfter(x509), (time_t)now_s, (int)days, 0) != NULL;
}

static bool add_name(X509 *x509, const char *field, const char *text)
{
    return X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), field, MBSTRING_ASC,
                                      (const unsigned char *)text, -1, -1, 0) == 1;
}

static bool add_extension(const struct draft *draft, int nid, const char *value)
{
    X509V3_CTX context;
    X509_EXTENSION *extension = NULL;
    X509 *issuer = draft->issuer != NULL ? draft->issuer->certificate : draft->x509;
    bool good = false;

    X509V3_set_ctx(&context, issuer, draft->x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    good = extension != NULL && X509_add_ext(draft->x509, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool draft_open(struct draft *draft)
{
    draft->x509 = X509_new();
    return draft->x509 != NULL && X509_set_version(draft->x509, X509_VERSION_3) == 1 &&
           set_serial(draft->x509) && set_period(draft->x509, draft->now_s, draft->days) &&
           X509_set_pubkey(draft->x509, draft->subject_key) == 1;
}

/* Issuer name, key identifiers, signature, DER. */
static bool draft_sign(struct draft *draft, struct sotto_certificate *out)
{
    const struct issuer *issuer = draft->issuer;
    X509_NAME *name = X509_get_subject_name(issuer != NULL ? issuer->certificate : draft->x509);
    unsigned char *der = NULL;
    int length = -1;
    bool good = false;

    if (X509_set_issuer_name(draft->x509, name) == 1 &&
        add_extension(draft, NID_subject_key_identifier, "hash") &&
        (issuer == NULL || add_extension(draft, NID_authority_key_identifier, "keyid:always")) &&
        X509_sign(draft->x509, issuer != NULL ? issuer->pkey : draft->subject_key, EVP_sha256()) >
            0)
        length = i2d_X509(draft->x509, &der);
    good = length > 0 &&
           sotto_certificate_from_der(out, sotto_view_of(der, (size_t)length)) == SOTTO_OK;
    OPENSSL_free(der);
    return good;
}

static void issuer_close(struct issuer *issuer)
{
    X509_free(issuer->certificate);
    EVP_PKEY_free(issuer->pkey);
    *issuer = (struct issuer){0};
}

static enum sotto_status issuer_open(struct issuer *issuer, const struct sotto_authority *authority)
{
    const unsigned char *at = authority->certificate.der;

    issuer->certificate = d2i_X509(NULL, &at, (long)authority->certificate.length);
    issuer->pkey = sotto_key_decode(sotto_view_text(authority->key.pem));
    if (issuer->certificate != NULL && issuer->pkey != NULL &&
        X509_check_private_key(issuer->certificate, issuer->pkey) == 1)
        return SOTTO_OK;
    issuer_close(issuer);
    return SOTTO_MISMATCH;
}

enum sotto_status sotto_authority_make(struct sotto_authority *authority, const char *common_name,
                                       uint64_t now_s, struct sotto_fault *fault)
{
    struct draft draft = {.now_s = now_s, .days = SOTTO_AUTHORITY_DAYS};
    bool good = false;

    memset(authority, 0, sizeof *authority);
    if (!is_subject_part(common_name))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the name of an authority has 1 to %d printable characters",
                               SOTTO_SUBJECT_PART_MAX);
    draft.subject_key = sotto_key_generate(SOTTO_KEY_P256);
    good = draft.subject_key != NULL && draft_open(&draft) &&
           add_name(draft.x509, "CN", common_name) &&
           add_extension(&draft, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(&draft, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           draft_sign(&draft, &authority->certificate) &&
           sotto_key_encode(&authority->key, draft.subject_key) == SOTTO_OK;
    X509_free(draft.x509);
    EVP_PKEY_free(draft.subject_key);
    if (good)
        return SOTTO_OK;
    sotto_authority_wipe(authority);
    return sotto_fault_set(fault, SOTTO_IO, "OpenSSL cannot make a certificate authority");
}

static enum sotto_status read_key(struct sotto_key *key, const char *path,
                                  struct sotto_fault *fault)
{
    EVP_PKEY *pkey = NULL;
    enum sotto_status status = sotto_key_read(&pkey, path, fault);

    if (status == SOTTO_OK && sotto_key_encode(key, pkey) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "%s holds a key of an unknown kind", path);
    EVP_PKEY_free(pkey);
    return status;
}

static enum sotto_status check_authority(const struct sotto_authority *authority,
                                         const char *certificate_path, const char *key_path,
                                         struct sotto_fault *fault)
{
    struct issuer issuer = {0};
    bool may_issue = false;

    if (issuer_open(&issuer, authority) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MISMATCH, "the key in %s is not that of %s", key_path,
                               certificate_path);
    may_issue = X509_check_ca(issuer.certificate) == 1;
    issuer_close(&issuer);
    if (!may_issue)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s is not a certificate authority",
                               certificate_path);
    return SOTTO_OK;
}

enum sotto_status sotto_authority_read(struct sotto_authority *authority,
                                       const char *certificate_path, const char *key_path,
                                       struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    memset(authority, 0, sizeof *authority);
    status = sotto_certificate_read(&authority->certificate, certificate_path, fault);
    if (status == SOTTO_OK)
        status = read_key(&authority->key, key_path, fault);
    if (status == SOTTO_OK)
        status = check_authority(authority, certificate_path, key_path, fault);
    if (status != SOTTO_OK)
        sotto_authority_wipe(authority);
    return status;
}

void sotto_authority_wipe(struct sotto_authority *authority)
{
    sotto_wipe(authority, sizeof *authority);
}

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Letters, digits, '-' and '.': whatever else could break out of the list of names. */
static bool is_host_name(const char *name)
{
    size_t length = strnlen(name, HOST_NAME_MAX_LENGTH + 1);

    for (size_t at = 0; at < length; at++)
        if (!isalnum((unsigned char)name[at]) && name[at] != '-' && name[at] != '.')
            return false;
    return length >= 1 && length <= HOST_NAME_MAX_LENGTH && isalnum((unsigned char)name[0]);
}

/* "DNS:hub.example,IP:10.0.0.1" as OpenSSL's extension parser reads it. */
static enum sotto_status list_names(char out[NAME_LIST_MAX],
                                    const struct sotto_server_subject *subject,
                                    struct sotto_fault *fault)
{
    size_t length = 0;

    if (subject->name_count < 1 || subject->name_count > SOTTO_SERVER_NAMES_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "a server certificate has 1 to %d names",
                               SOTTO_SERVER_NAMES_MAX);
    for (size_t index = 0; index < subject->name_count; index++) {
        const char *name = subject->names[index];
        bool address = is_address(name);

        if (!address && !is_host_name(name))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "'%.64s' is neither a host name nor an address", name);
        length += (size_t)snprintf(out + length, NAME_LIST_MAX - length, "%s%s:%s",
                                   index ? "," : "", address ? "IP" : "DNS", name);
    }
    return SOTTO_OK;
}

/* A common name has at most 64 characters; the names that count are in the extension. */
static bool add_server_name(X509 *x509, const char *name)
{
    return strlen(name) > SOTTO_SUBJECT_PART_MAX || add_name(x509, "CN", name);
}

enum sotto_status sotto_authority_issue_server(const struct sotto_authority *authority,
                                               struct sotto_certificate *certificate,
                                               struct sotto_key *key,
                                               const struct sotto_server_subject *subject,
                                               struct sotto_fault *fault)
{
    char names[NAME_LIST_MAX];
    struct issuer issuer = {0};
    struct draft draft = {
        .issuer = &issuer, .now_s = subject->now_s, .days = SOTTO_CERTIFICATE_DAYS};
    bool good = false;
    enum sotto_status status = list_names(names, subject, fault);

    memset(certificate, 0, sizeof *certificate);
    memset(key, 0, sizeof *key);
    if (status != SOTTO_OK)
        return status;
    draft.subject_key = sotto_key_generate(SOTTO_KEY_P256);
    good = draft.subject_key != NULL && issuer_open(&issuer, authority) == SOTTO_OK &&
           draft_open(&draft) && add_server_name(draft.x509, subject->names[0]) &&
           add_extension(&draft, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(&draft, NID_key_usage, "critical,digitalSignature") &&
           add_extension(&draft, NID_ext_key_usage, "serverAuth") &&
           add_extension(&draft, NID_subject_alt_name, names) && draft_sign(&draft, certificate) &&
           sotto_key_encode(key, draft.subject_key) == SOTTO_OK;
    X509_free(draft.x509);
    EVP_PKEY_free(draft.subject_key);
    issuer_close(&issuer);
    if (good)
        return SOTTO_OK;
    memset(certificate, 0, sizeof *certificate);
    sotto_wipe(key, sizeof *key);
    return sotto_fault_set(fault, SOTTO_IO, "OpenSSL cannot issue a server certificate");
}

/* Yields the one thing that is taken from a request: its public key, once possession is shown. */
static enum sotto_status open_request(EVP_PKEY **out, struct sotto_view request,
                                      struct sotto_fault *fault)
{
    const unsigned char *at = request.at;
    enum sotto_status status = SOTTO_OK;
    X509_REQ *req = NULL;
    EVP_PKEY *pkey = NULL;

    if (request.length > SOTTO_REQUEST_DER_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "a certificate request has at most %d bytes", SOTTO_REQUEST_DER_MAX);
    req = d2i_X509_REQ(NULL, &at, (long)request.length);
    pkey = req != NULL && at == request.at + request.length ? X509_REQ_get_pubkey(req) : NULL;
    if (pkey == NULL)
        status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                 "the certificate request is not PKCS#10 in DER form");
    else if (!sotto_key_is_allowed(pkey))
        status = sotto_fault_set(fault, SOTTO_REFUSED,
                                 "the certificate request has a key other than P-256 or Ed25519");
    else if (X509_REQ_verify(req, pkey) != 1)
        status = sotto_fault_set(fault, SOTTO_FORGED,
                                 "the certificate request is not signed by its own key");
    X509_REQ_free(req);
    if (status == SOTTO_OK) {
        *out = pkey;
        return SOTTO_OK;
    }
    EVP_PKEY_free(pkey);
    return status;
}

static bool is_client_subject(const struct sotto_client_subject *subject)
{
    return is_subject_part(subject->common_name) && is_subject_part(subject->organisational_unit) &&
           (subject->organisation == NULL ||
            is_subject_text(subject->organisation, SOTTO_SUBJECT_ORGANISATION_MAX));
}

enum sotto_status sotto_authority_issue_client(const struct sotto_authority *authority,
                                               struct sotto_certificate *certificate,
                                               struct sotto_view request,
                                               const struct sotto_client_subject *subject,
                                               struct sotto_fault *fault)
{
    struct issuer issuer = {0};
    struct draft draft = {
        .issuer = &issuer, .now_s = subject->now_s, .days = SOTTO_CERTIFICATE_DAYS};
    enum sotto_status status = SOTTO_OK;
    bool good = false;

    memset(certificate, 0, sizeof *certificate);
    if (!is_client_subject(subject))
        return sotto_fault_set(
            fault, SOTTO_MALFORMED,
            "a common name and a unit have 1 to %d printable characters, an organisation 1 to %d",
            SOTTO_SUBJECT_PART_MAX, SOTTO_SUBJECT_ORGANISATION_MAX);
    status = open_request(&draft.subject_key, request, fault);
    if (status != SOTTO_OK)
        return status;
    good = issuer_open(&issuer, authority) == SOTTO_OK && draft_open(&draft) &&
           (subject->organisation == NULL || add_name(draft.x509, "O", subject->organisation)) &&
           add_name(draft.x509, "OU", subject->organisational_unit) &&
           add_name(draft.x509, "CN", subject->common_name) &&
           add_extension(&draft, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(&draft, NID_key_usage, "critical,digitalSignature") &&
           add_extension(&draft, NID_ext_key_usage, "clientAuth") &&
           draft_sign(&draft, certificate);
    X509_free(draft.x509);
    EVP_PKEY_free(draft.subject_key);
    issuer_close(&issuer);
    if (good)
        return SOTTO_OK;
    memset(certificate, 0, sizeof *certificate);
    return sotto_fault_set(fault, SOTTO_IO, "OpenSSL cannot issue a client certificate");
}
