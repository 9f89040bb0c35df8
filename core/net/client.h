/*
 * An HTTPS client over libcurl: TLS 1.3, the server's authority pinned by a file or by the fingerprint of a token,
 * optional client certificate, proxies from the environment, bounded bodies. Blocking; used by the courier and the
 * command lines, which have no other work while they wait.
 */
#ifndef SOTTO_CORE_NET_CLIENT_H
#define SOTTO_CORE_NET_CLIENT_H

#include "core/base/bytes.h"

struct sotto_client;

struct sotto_client_setup {
    const char *url;                        /* https://host:port, no path */
    const char *authority_path;             /* PEM of the one trusted authority; or NULL, then: */
    const struct sotto_digest *authority;   /* its fingerprint: the chain that the server sends must hold it */
    const char *certificate_path;           /* own certificate and key, or NULL */
    const char *key_path;
    uint64_t connect_timeout_ms;
};

/* SOTTO_NOT_FOUND, SOTTO_MALFORMED: a certificate file. */
SOTTO_CHECKED enum sotto_status sotto_client_open(struct sotto_client **client,
                                                  const struct sotto_client_setup *setup,
                                                  struct sotto_fault *fault);
void sotto_client_close(struct sotto_client *client);

struct sotto_exchange {
    const char *method; /* GET, POST, PUT */
    const char *path;   /* with query */
    struct sotto_view body;
    const char *content_type;
    const char *headers[4]; /* "Name: value", NULL ends */
    uint64_t timeout_ms;
    size_t answer_max;
    /* out */
    int status;
    uint8_t *answer; /* malloc, zero-terminated beyond its length; the caller frees; NULL after a failure */
    size_t answer_length;
};

/*
 * One request. SOTTO_IO: no connection, time-out, reset (worth another try); SOTTO_FORGED: the server is not the one that
 * was pinned, the fault says what was seen and what clock skew would look like; SOTTO_OVER_LIMIT: answer too long.
 * Any HTTP status is SOTTO_OK here.
 */
SOTTO_CHECKED enum sotto_status sotto_client_exchange(struct sotto_client *client,
                                                      struct sotto_exchange *exchange,
                                                      struct sotto_fault *fault);

/* Bytes on the wire below TLS are not visible; these are HTTP bytes, headers included. */
void sotto_client_counters(const struct sotto_client *client, uint64_t *bytes_up,
                           uint64_t *bytes_down);

#endif
