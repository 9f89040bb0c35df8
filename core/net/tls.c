#include "core/net/tls.h"

#include <assert.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "core/net/key.h"

enum {
    PEM_FILE_MAX = 256 * 1024,
    BIO_KEPT_MAX = 2048, /* a BIO larger than this is replaced when the connection rests */
};

static enum sotto_status read_pem(BIO **out, uint8_t **text, const char *path,
                                  struct sotto_fault *fault)
{
    size_t length = 0;
    enum sotto_status status = sotto_file_read(text, &length, path, PEM_FILE_MAX, fault);

    *out = NULL;
    if (status != SOTTO_OK)
        return status;
    *out = BIO_new_mem_buf(*text, (int)length);
    return *out != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}

/* The server's certificate, then whatever follows it in the file. */
static bool use_chain(SSL_CTX *server, BIO *pem)
{
    X509 *x509 = PEM_read_bio_X509_AUX(pem, NULL, NULL, NULL);
    bool good = x509 != NULL && SSL_CTX_use_certificate(server, x509) == 1;

    X509_free(x509);
    while (good && (x509 = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
        good = SSL_CTX_add1_chain_cert(server, x509) == 1;
        X509_free(x509);
    }
    ERR_clear_error();
    return good;
}

static enum sotto_status load_chain(SSL_CTX *server, const char *path, struct sotto_fault *fault)
{
    uint8_t *text = NULL;
    BIO *pem = NULL;
    enum sotto_status status = read_pem(&pem, &text, path, fault);

    if (status == SOTTO_OK && !use_chain(server, pem))
        status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                 "%s holds no certificate in PEM form that a server can use", path);
    BIO_free(pem);
    free(text);
    return status;
}

static enum sotto_status load_key(SSL_CTX *server, const struct sotto_tls_files *files,
                                  struct sotto_fault *fault)
{
    EVP_PKEY *pkey = NULL;
    enum sotto_status status = sotto_key_read(&pkey, files->key_path, fault);

    if (status == SOTTO_OK &&
        (SSL_CTX_use_PrivateKey(server, pkey) != 1 || SSL_CTX_check_private_key(server) != 1))
        status = sotto_fault_set(fault, SOTTO_MISMATCH, "the key in %s is not that of %s",
                                 files->key_path, files->certificate_path);
    EVP_PKEY_free(pkey);
    return status;
}

static bool chain_lacks(SSL_CTX *server, X509 *authority)
{
    STACK_OF(X509) *chain = NULL;

    SSL_CTX_get0_chain_certs(server, &chain);
    for (int index = 0; index < sk_X509_num(chain); index++)
        if (X509_cmp(sk_X509_value(chain, index), authority) == 0)
            return false;
    return X509_check_issued(authority, SSL_CTX_get0_certificate(server)) == X509_V_OK;
}

static bool use_authority(SSL_CTX *server, X509 *authority)
{
    return X509_STORE_add_cert(SSL_CTX_get_cert_store(server), authority) == 1 &&
           SSL_CTX_add_client_CA(server, authority) == 1 &&
           (!chain_lacks(server, authority) || SSL_CTX_add1_chain_cert(server, authority) == 1);
}

static enum sotto_status load_authority(SSL_CTX *server, const char *path,
                                        struct sotto_fault *fault)
{
    uint8_t *text = NULL;
    BIO *pem = NULL;
    X509 *authority = NULL;
    enum sotto_status status = read_pem(&pem, &text, path, fault);

    if (status == SOTTO_OK) {
        authority = PEM_read_bio_X509(pem, NULL, NULL, NULL);
        if (authority == NULL || !use_authority(server, authority))
            status = sotto_fault_set(fault, SOTTO_MALFORMED,
                                     "%s holds no certificate of an authority in PEM form", path);
    }
    X509_free(authority);
    BIO_free(pem);
    free(text);
    SSL_CTX_set_verify(server, SSL_VERIFY_PEER, NULL);
    return status;
}

static SSL_CTX *make_server(void)
{
    SSL_CTX *server = SSL_CTX_new(TLS_server_method());

    if (server == NULL)
        return NULL;
    SSL_CTX_set_min_proto_version(server, TLS1_3_VERSION);
    SSL_CTX_set_session_cache_mode(server, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(server, 0);
    SSL_CTX_set_options(server, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(server, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    return server;
}

enum sotto_status sotto_tls_server_open(SSL_CTX **out, const struct sotto_tls_files *files,
                                        struct sotto_fault *fault)
{
    SSL_CTX *server = make_server();
    enum sotto_status status = SOTTO_OK;

    *out = NULL;
    if (server == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "OpenSSL cannot make a TLS server");
    status = load_chain(server, files->certificate_path, fault);
    if (status == SOTTO_OK)
        status = load_key(server, files, fault);
    if (status == SOTTO_OK && files->client_authority_path != NULL)
        status = load_authority(server, files->client_authority_path, fault);
    if (status == SOTTO_OK)
        *out = server;
    else
        SSL_CTX_free(server);
    ERR_clear_error();
    return status;
}

void sotto_tls_server_close(SSL_CTX *server)
{
    SSL_CTX_free(server);
}

enum sotto_status sotto_tls_open(struct sotto_tls *tls, SSL_CTX *server)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());

    *tls = (struct sotto_tls){0};
    tls->ssl = in != NULL && out != NULL ? SSL_new(server) : NULL;
    if (tls->ssl == NULL) {
        BIO_free(in);
        BIO_free(out);
        return SOTTO_NO_MEMORY;
    }
    SSL_set_bio(tls->ssl, in, out);
    SSL_set_accept_state(tls->ssl);
    return SOTTO_OK;
}

void sotto_tls_close(struct sotto_tls *tls)
{
    SSL_free(tls->ssl);
    free(tls->returned.at);
    *tls = (struct sotto_tls){0};
}

enum sotto_status sotto_tls_feed(struct sotto_tls *tls, struct sotto_view bytes)
{
    size_t written = 0;

    return BIO_write_ex(SSL_get_rbio(tls->ssl), bytes.at, bytes.length, &written) == 1
               ? SOTTO_OK
               : SOTTO_NO_MEMORY;
}

size_t sotto_tls_unread(const struct sotto_tls *tls)
{
    return tls->returned.length + BIO_ctrl_pending(SSL_get_rbio(tls->ssl));
}

/* Whole, as the room to read into is that of a record. */
static bool take_returned(struct sotto_tls *tls, struct sotto_buffer *out)
{
    bool taken = tls->returned.length > 0 &&
                 sotto_buffer_add(out, sotto_view_buffer(&tls->returned)) == SOTTO_OK;

    if (taken) {
        free(tls->returned.at);
        tls->returned = (struct sotto_buffer){0};
    }
    return taken;
}

enum sotto_status sotto_tls_put_back(struct sotto_tls *tls, struct sotto_view bytes)
{
    uint8_t *kept = NULL;

    assert(tls->returned.length == 0 && bytes.length <= SOTTO_TLS_RECORD_MAX);
    if (bytes.length == 0)
        return SOTTO_OK;
    kept = malloc(bytes.length);
    if (kept == NULL)
        return SOTTO_NO_MEMORY;
    tls->returned = sotto_buffer_of(kept, bytes.length);
    return sotto_buffer_add(&tls->returned, bytes);
}

enum sotto_tls_event sotto_tls_read(struct sotto_tls *tls, struct sotto_buffer *out)
{
    size_t length = 0;
    int result = 0;
    int error = 0;

    if (take_returned(tls, out))
        return SOTTO_TLS_BYTES;
    result = SSL_read_ex(tls->ssl, out->at + out->length, out->capacity - out->length, &length);
    error = SSL_get_error(tls->ssl, result);
    out->length += length;
    ERR_clear_error();
    if (result == 1)
        return SOTTO_TLS_BYTES;
    if (error == SSL_ERROR_WANT_READ)
        return SOTTO_TLS_WANTS;
    return error == SSL_ERROR_ZERO_RETURN ? SOTTO_TLS_ENDED : SOTTO_TLS_FAILED;
}

enum sotto_status sotto_tls_write(struct sotto_tls *tls, struct sotto_view bytes)
{
    size_t written = 0;
    int result = SSL_write_ex(tls->ssl, bytes.at, bytes.length, &written);

    ERR_clear_error();
    return result == 1 && written == bytes.length ? SOTTO_OK : SOTTO_IO;
}

void sotto_tls_end(struct sotto_tls *tls)
{
    if (SSL_is_init_finished(tls->ssl))
        SSL_shutdown(tls->ssl);
    ERR_clear_error();
}

struct sotto_view sotto_tls_output(const struct sotto_tls *tls)
{
    char *at = NULL;
    long length = BIO_get_mem_data(SSL_get_wbio(tls->ssl), &at);

    return sotto_view_of(at, length > 0 ? (size_t)length : 0);
}

void sotto_tls_drop_output(struct sotto_tls *tls)
{
    BIO_reset(SSL_get_wbio(tls->ssl));
}

static bool has_grown(BIO *bio)
{
    BUF_MEM *memory = NULL;

    BIO_get_mem_ptr(bio, &memory);
    return memory != NULL && memory->max > BIO_KEPT_MAX;
}

void sotto_tls_shrink(struct sotto_tls *tls)
{
    bool rests = SSL_is_init_finished(tls->ssl);
    BIO *in = rests && has_grown(SSL_get_rbio(tls->ssl)) ? BIO_new(BIO_s_mem()) : NULL;
    BIO *out = rests && has_grown(SSL_get_wbio(tls->ssl)) ? BIO_new(BIO_s_mem()) : NULL;

    if (in != NULL)
        SSL_set0_rbio(tls->ssl, in);
    if (out != NULL)
        SSL_set0_wbio(tls->ssl, out);
}

/* Empty where the field is absent, longer than the certificates that we issue, or holds a zero. */
static void copy_name(char out[64], const X509 *x509, int nid)
{
    X509_NAME *subject = X509_get_subject_name(x509);
    int index = X509_NAME_get_index_by_NID(subject, nid, -1);
    const ASN1_STRING *text =
        index < 0 ? NULL : X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index));
    int length = text != NULL ? ASN1_STRING_length(text) : 0;

    memset(out, 0, 64);
    if (length > 0 && length < 64 && memchr(ASN1_STRING_get0_data(text), 0, (size_t)length) == NULL)
        memcpy(out, ASN1_STRING_get0_data(text), (size_t)length);
}

void sotto_tls_caller(const struct sotto_tls *tls, struct sotto_caller *caller)
{
    X509 *x509 = SSL_get0_peer_certificate(tls->ssl);

    *caller = (struct sotto_caller){0};
    if (x509 == NULL || SSL_get_verify_result(tls->ssl) != X509_V_OK)
        return;
    caller->has_certificate = X509_digest(x509, EVP_sha256(), caller->certificate.bytes, NULL) == 1;
    copy_name(caller->common_name, x509, NID_commonName);
    copy_name(caller->organisational_unit, x509, NID_organizationalUnitName);
}
