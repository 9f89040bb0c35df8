#include "core/net/client.h"

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/net/certificate.h"

enum {
    URL_MAX = 1024,
    TRUST_TEXT_MAX = 400,
    TIME_TEXT_MAX = 32,
    ANSWER_FIRST = 4096,
    PROBLEM_STATUS = 400,
};

struct sotto_client {
    CURL *curl;
    char url[URL_MAX];
    X509 *authority;                 /* from a file; or NULL, then: */
    struct sotto_digest fingerprint; /* of the authority */
    X509 *certificate;               /* own, or NULL */
    EVP_PKEY *pkey;
    char trust_text[TRUST_TEXT_MAX]; /* why the last handshake was refused here; empty if not */
    int alert;                       /* that the server sent; -1 if none */
    char curl_text[CURL_ERROR_SIZE];
    uint64_t bytes_up;
    uint64_t bytes_down;
};

/* The answer while it comes in. */
struct intake {
    struct sotto_exchange *exchange;
    CURL *curl;
    size_t capacity;
    enum sotto_status status;
};

static void digest_of(struct sotto_digest *digest, const X509 *x509)
{
    *digest = (struct sotto_digest){0};
    X509_digest(x509, EVP_sha256(), digest->bytes, NULL);
}

/* The certificate that the token names, among those that the server sent. */
static X509 *find_pinned(const struct sotto_client *client, const STACK_OF(X509) * chain)
{
    for (int index = 0; index < sk_X509_num(chain); index++) {
        struct sotto_digest digest;

        digest_of(&digest, sk_X509_value(chain, index));
        if (sotto_digest_equal(&digest, &client->fingerprint))
            return sk_X509_value(chain, index);
    }
    return NULL;
}

static void note_other_authority(struct sotto_client *client, X509_STORE_CTX *context)
{
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(context);
    char expected[SOTTO_DIGEST_HEX];
    char seen[SOTTO_DIGEST_HEX];
    struct sotto_digest digest = client->fingerprint;

    sotto_digest_hex(expected, &digest);
    digest_of(&digest, sk_X509_value(chain, sk_X509_num(chain) - 1));
    sotto_digest_hex(seen, &digest);
    snprintf(client->trust_text, TRUST_TEXT_MAX,
             "was not issued by the authority that %s names (%s): expected %s, its chain ends with "
             "%s; do not go on unless you know why",
             client->authority != NULL ? "its file" : "the token",
             X509_verify_cert_error_string(X509_STORE_CTX_get_error(context)), expected, seen);
}

static void note_period(struct sotto_client *client, const X509 *x509)
{
    static const char format[] = "%Y-%m-%dT%H:%M:%SZ";
    struct sotto_clock clock;
    struct tm calendar = {0};
    time_t now_s = 0;
    char now[TIME_TEXT_MAX];
    char from[TIME_TEXT_MAX];
    char until[TIME_TEXT_MAX];

    sotto_clock_init_system(&clock);
    now_s = (time_t)(sotto_clock_wall_ms(&clock) / 1000);
    strftime(now, TIME_TEXT_MAX, format, gmtime_r(&now_s, &calendar));
    ASN1_TIME_to_tm(X509_get0_notBefore(x509), &calendar);
    strftime(from, TIME_TEXT_MAX, format, &calendar);
    ASN1_TIME_to_tm(X509_get0_notAfter(x509), &calendar);
    strftime(until, TIME_TEXT_MAX, format, &calendar);
    snprintf(client->trust_text, TRUST_TEXT_MAX,
             "is valid from %s to %s: check this machine's clock, it says %s", from, until, now);
}

static void note_failure(struct sotto_client *client, X509_STORE_CTX *context)
{
    int error = X509_STORE_CTX_get_error(context);

    if (error == X509_V_ERR_CERT_NOT_YET_VALID || error == X509_V_ERR_CERT_HAS_EXPIRED)
        note_period(client, X509_STORE_CTX_get_current_cert(context));
    else
        note_other_authority(client, context);
}

/* Verifies the server's chain against the one pinned authority and nothing else. */
static int verify_server(X509_STORE_CTX *context, void *argument)
{
    struct sotto_client *client = argument;
    const STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(context);
    X509 *authority = client->authority != NULL ? client->authority : find_pinned(client, chain);
    STACK_OF(X509) *trusted = sk_X509_new_null();
    int result = 0;

    if (authority == NULL)
        X509_STORE_CTX_set_error(context, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN);
    if (trusted != NULL && authority != NULL && sk_X509_push(trusted, authority) > 0) {
        X509_STORE_CTX_set0_trusted_stack(context, trusted);
        result = X509_verify_cert(context);
    }
    if (result != 1)
        note_failure(client, context);
    sk_X509_free(trusted);
    return result == 1;
}

/* Keeps the reason that a server gives, which libcurl knows only as text. */
static void note_alert(const SSL *ssl, int where, int alert)
{
    struct sotto_client *client = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (alert & 0xff) != SSL_AD_CLOSE_NOTIFY)
        client->alert = alert & 0xff;
}

static CURLcode prepare_tls(CURL *curl, void *context, void *argument)
{
    struct sotto_client *client = argument;
    SSL_CTX *tls = context;

    (void)curl;
    SSL_CTX_set_app_data(tls, client);
    SSL_CTX_set_info_callback(tls, note_alert);
    SSL_CTX_set_cert_verify_callback(tls, verify_server, client);
    if (client->certificate != NULL && (SSL_CTX_use_certificate(tls, client->certificate) != 1 ||
                                        SSL_CTX_use_PrivateKey(tls, client->pkey) != 1))
        return CURLE_SSL_CERTPROBLEM;
    return CURLE_OK;
}

static enum sotto_status read_certificate(X509 **out, const char *path, struct sotto_fault *fault)
{
    struct sotto_certificate certificate;
    const unsigned char *at = certificate.der;
    enum sotto_status status = sotto_certificate_read(&certificate, path, fault);

    if (status == SOTTO_OK)
        *out = d2i_X509(NULL, &at, (long)certificate.length);
    return status;
}

static enum sotto_status read_own(struct sotto_client *client,
                                  const struct sotto_client_setup *setup, struct sotto_fault *fault)
{
    enum sotto_status status =
        read_certificate(&client->certificate, setup->certificate_path, fault);

    if (status == SOTTO_OK)
        status = sotto_key_read(&client->pkey, setup->key_path, fault);
    if (status == SOTTO_OK && X509_check_private_key(client->certificate, client->pkey) != 1)
        status = sotto_fault_set(fault, SOTTO_MISMATCH, "the key in %s is not that of %s",
                                 setup->key_path, setup->certificate_path);
    return status;
}

static enum sotto_status read_files(struct sotto_client *client,
                                    const struct sotto_client_setup *setup,
                                    struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    if (setup->authority != NULL)
        client->fingerprint = *setup->authority;
    if (setup->authority_path != NULL) {
        status = read_certificate(&client->authority, setup->authority_path, fault);
        if (status == SOTTO_OK)
            digest_of(&client->fingerprint, client->authority);
    }
    if (status == SOTTO_OK && setup->certificate_path != NULL)
        status = read_own(client, setup, fault);
    return status;
}

static enum sotto_status keep_url(struct sotto_client *client, const char *url,
                                  struct sotto_fault *fault)
{
    static const char scheme[] = "https://";
    const char *host = url + strlen(scheme);

    if (strncmp(url, scheme, strlen(scheme)) != 0 || !*host || strpbrk(host, "/?#@ ") != NULL ||
        strlen(url) >= URL_MAX / 2)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "'%.200s' is not an address like https://host:port", url);
    snprintf(client->url, URL_MAX, "%s", url);
    return SOTTO_OK;
}

/* What every exchange of this client has in common. */
static void configure(struct sotto_client *client, uint64_t connect_timeout_ms)
{
    CURL *curl = client->curl;

    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, NULL);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, client);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->curl_text);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)connect_timeout_ms);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)SOTTO_CLIENT_SILENCE_MAX_S);
    curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
}

enum sotto_status sotto_client_open(struct sotto_client **out,
                                    const struct sotto_client_setup *setup,
                                    struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;
    struct sotto_client *client = calloc(1, sizeof *client);

    *out = NULL;
    if (client == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        free(client);
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a client");
    }
    status = keep_url(client, setup->url, fault);
    if (status == SOTTO_OK)
        status = read_files(client, setup, fault);
    if (status == SOTTO_OK && (client->curl = curl_easy_init()) == NULL)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a client");
    if (status != SOTTO_OK) {
        sotto_client_close(client);
        return status;
    }
    configure(client, setup->connect_timeout_ms);
    *out = client;
    return SOTTO_OK;
}

void sotto_client_close(struct sotto_client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->curl);
    X509_free(client->authority);
    X509_free(client->certificate);
    EVP_PKEY_free(client->pkey);
    free(client);
    curl_global_cleanup();
}

static bool has_room(struct intake *intake, size_t length)
{
    struct sotto_exchange *exchange = intake->exchange;
    size_t needed = exchange->answer_length + length + 1;
    size_t capacity = intake->capacity ? intake->capacity : ANSWER_FIRST;
    uint8_t *grown = NULL;

    while (capacity < needed)
        capacity *= 2;
    if (capacity == intake->capacity)
        return true;
    grown = realloc(exchange->answer, capacity);
    if (grown == NULL)
        return false;
    exchange->answer = grown;
    intake->capacity = capacity;
    return true;
}

static size_t on_answer(char *bytes, size_t size, size_t count, void *argument)
{
    struct intake *intake = argument;
    struct sotto_exchange *exchange = intake->exchange;
    size_t length = size * count;
    size_t length_max = exchange->answer_max;
    long status = 0;

    curl_easy_getinfo(intake->curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= PROBLEM_STATUS && length_max < SOTTO_CLIENT_PROBLEM_MAX)
        length_max = SOTTO_CLIENT_PROBLEM_MAX;
    if (length > length_max - exchange->answer_length)
        intake->status = SOTTO_OVER_LIMIT;
    else if (!has_room(intake, length))
        intake->status = SOTTO_NO_MEMORY;
    if (intake->status != SOTTO_OK)
        return 0;
    memcpy(exchange->answer + exchange->answer_length, bytes, length);
    exchange->answer_length += length;
    return length;
}

static struct curl_slist *list_headers(const struct sotto_exchange *exchange)
{
    char type[256];
    struct curl_slist *headers = NULL;

    snprintf(type, sizeof type, "Content-Type: %s",
             exchange->content_type != NULL ? exchange->content_type : "application/octet-stream");
    if (exchange->body.length > 0)
        headers = curl_slist_append(headers, type);
    for (size_t index = 0; index < SOTTO_CLIENT_HEADERS_MAX && exchange->headers[index] != NULL;
         index++)
        headers = curl_slist_append(headers, exchange->headers[index]);
    return headers;
}

static void prepare(struct sotto_client *client, const struct sotto_exchange *exchange,
                    struct intake *intake, struct curl_slist *headers)
{
    CURL *curl = client->curl;
    char url[URL_MAX + URL_MAX];

    snprintf(url, sizeof url, "%s%s", client->url, exchange->path);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    if (exchange->body.length == 0 && strcmp(exchange->method, "GET") == 0) {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    } else {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         exchange->body.length ? (const char *)exchange->body.at : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)exchange->body.length);
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, exchange->method);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)exchange->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_answer);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, intake);
    client->trust_text[0] = '\0';
    client->curl_text[0] = '\0';
    client->alert = -1;
}

static void count(struct sotto_client *client)
{
    curl_off_t body_up = 0;
    curl_off_t body_down = 0;
    long head_up = 0;
    long head_down = 0;

    curl_easy_getinfo(client->curl, CURLINFO_SIZE_UPLOAD_T, &body_up);
    curl_easy_getinfo(client->curl, CURLINFO_SIZE_DOWNLOAD_T, &body_down);
    curl_easy_getinfo(client->curl, CURLINFO_REQUEST_SIZE, &head_up);
    curl_easy_getinfo(client->curl, CURLINFO_HEADER_SIZE, &head_down);
    client->bytes_up += (uint64_t)body_up + (uint64_t)head_up;
    client->bytes_down += (uint64_t)body_down + (uint64_t)head_down;
}

/* RFC 8446 section 6.2: 42 to 46 are about a certificate. */
static bool is_about_own_certificate(int alert)
{
    return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
           alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_CERTIFICATE_REQUIRED;
}

/* TLS and the certificates of both sides; SOTTO_OK: it was something else. */
static enum sotto_status trust_fault(const struct sotto_client *client, CURLcode code,
                                     struct sotto_fault *fault)
{
    if (client->trust_text[0])
        return sotto_fault_set(fault, SOTTO_FORGED, "the certificate of %s %s", client->url,
                               client->trust_text);
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "the certificate of %s is for another name: reach the server by one "
                               "that its certificate holds",
                               client->url);
    if (is_about_own_certificate(client->alert))
        return sotto_fault_set(fault, SOTTO_REFUSED,
                               "%s does not take this client's certificate: %s", client->url,
                               SSL_alert_desc_string_long(client->alert));
    if (client->alert >= 0 || code == CURLE_SSL_CONNECT_ERROR)
        return sotto_fault_set(fault, SOTTO_IO, "%s and this client found no common TLS: %.160s",
                               client->url, client->curl_text);
    return SOTTO_OK;
}

static enum sotto_status time_out_fault(const struct sotto_client *client,
                                        struct sotto_fault *fault)
{
    curl_off_t connected_us = 0;

    curl_easy_getinfo(client->curl, CURLINFO_APPCONNECT_TIME_T, &connected_us);
    return sotto_fault_set(fault, SOTTO_IO,
                           connected_us > 0 ? "%s did not answer in time: try again"
                                            : "%s could not be reached in time: check the address "
                                              "and the firewall",
                           client->url);
}

static enum sotto_status fault_of(const struct sotto_client *client, CURLcode code,
                                  struct sotto_fault *fault)
{
    enum sotto_status status = trust_fault(client, code, fault);

    if (status != SOTTO_OK)
        return status;
    switch ((int)code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return sotto_fault_set(fault, SOTTO_IO,
                               "the name in %s, or its proxy's, was not found: check the address "
                               "and this machine's name service",
                               client->url);
    case CURLE_COULDNT_CONNECT:
        return sotto_fault_set(fault, SOTTO_IO,
                               "nobody listens at %s: is the coordinator running? (%.160s)",
                               client->url, client->curl_text);
    case CURLE_OPERATION_TIMEDOUT: return time_out_fault(client, fault);
    }
    return sotto_fault_set(fault, SOTTO_IO, "the connection to %s broke: %.160s; try again",
                           client->url,
                           client->curl_text[0] ? client->curl_text : curl_easy_strerror(code));
}

static enum sotto_status conclude(struct sotto_client *client, CURLcode code,
                                  const struct intake *intake, struct sotto_fault *fault)
{
    long status = 0;

    if (intake->status == SOTTO_OVER_LIMIT)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "the answer of %s%s is longer than %zu bytes", client->url,
                               intake->exchange->path, intake->exchange->answer_max);
    if (intake->status != SOTTO_OK || code == CURLE_OUT_OF_MEMORY)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for an exchange");
    if (code != CURLE_OK)
        return fault_of(client, code, fault);
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    intake->exchange->status = (int)status;
    return SOTTO_OK;
}

enum sotto_status sotto_client_exchange(struct sotto_client *client,
                                        struct sotto_exchange *exchange, struct sotto_fault *fault)
{
    struct intake intake = {.exchange = exchange, .curl = client->curl};
    struct curl_slist *headers = list_headers(exchange);
    enum sotto_status status = SOTTO_NO_MEMORY;

    exchange->status = 0;
    exchange->answer = NULL;
    exchange->answer_length = 0;
    if (has_room(&intake, 0)) {
        prepare(client, exchange, &intake, headers);
        status = conclude(client, curl_easy_perform(client->curl), &intake, fault);
        count(client);
    }
    curl_slist_free_all(headers);
    if (status == SOTTO_OK) {
        exchange->answer[exchange->answer_length] = '\0';
        return SOTTO_OK;
    }
    free(exchange->answer);
    exchange->answer = NULL;
    return status;
}

void sotto_client_counters(const struct sotto_client *client, uint64_t *bytes_up,
                           uint64_t *bytes_down)
{
    *bytes_up = client->bytes_up;
    *bytes_down = client->bytes_down;
}
