/*
 * An HTTPS client over libcurl: TLS 1.3, the server's authority pinned by a file or by the
 * fingerprint of a token, optional client certificate, HTTP and SOCKS proxies from the environment,
 * bounded bodies, connections re-used. Blocking; used by the courier and the command lines, which
 * have no other work while they wait.
 *
 * Files are read when a client is opened. After that only the resolver's are (/etc/hosts,
 * resolv.conf, nsswitch.conf), so a process may give up the file system in between. libcurl looks
 * names up in a thread of its own.
 */
#ifndef SOTTO_CORE_NET_CLIENT_H
#define SOTTO_CORE_NET_CLIENT_H

#include "core/base/bytes.h"

enum {
    SOTTO_CLIENT_HEADERS_MAX = 4,
    SOTTO_CLIENT_SILENCE_MAX_S = 60, /* no byte either way for this long ends an exchange */
    SOTTO_CLIENT_PROBLEM_MAX = 8192, /* an answer of 400 or more may be this long in any case */
};

struct sotto_client;

struct sotto_client_setup {
    const char *url;                      /* https://host:port, no path */
    const char *authority_path;           /* PEM of the one trusted authority; or NULL, then: */
    const struct sotto_digest *authority; /* its fingerprint: the server's chain must hold it */
    const char *certificate_path;         /* own certificate and key, or NULL */
    const char *key_path;
    uint64_t connect_timeout_ms; /* 0: libcurl's 300 s */
};

/*
 * Connects to nobody yet.
 *
 * SOTTO_MALFORMED: the URL or a certificate file; SOTTO_NOT_FOUND, SOTTO_MISMATCH (key and
 * certificate), SOTTO_IO: a file; SOTTO_NO_MEMORY. *client is NULL; the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_client_open(struct sotto_client **client,
                                                  const struct sotto_client_setup *setup,
                                                  struct sotto_fault *fault);
void sotto_client_close(struct sotto_client *client);

struct sotto_exchange {
    const char *method; /* GET, POST, PUT, DELETE */
    const char *path;   /* with query */
    struct sotto_view body;
    const char *content_type;                      /* NULL: application/octet-stream */
    const char *headers[SOTTO_CLIENT_HEADERS_MAX]; /* "Name: value", NULL ends */
    uint64_t timeout_ms; /* of the whole exchange; 0: only silence ends it */
    size_t answer_max;
    /* out */
    int status;
    uint8_t
        *answer; /* malloc, zero-terminated beyond its length; the caller frees; NULL on failure */
    size_t answer_length;
};

/*
 * One request and its answer. Any HTTP status is SOTTO_OK here.
 *
 * SOTTO_IO: name not found, nobody listens, time-out, reset: worth another try.
 * SOTTO_FORGED: the server is not the one that was pinned, is named otherwise, or its certificate
 * is
 *     out of its period, which is what a wrong clock looks like too.
 * SOTTO_REFUSED: the server does not take this client's certificate.
 * SOTTO_OVER_LIMIT: the answer is longer than answer_max.
 * SOTTO_NO_MEMORY.
 */
SOTTO_CHECKED enum sotto_status sotto_client_exchange(struct sotto_client *client,
                                                      struct sotto_exchange *exchange,
                                                      struct sotto_fault *fault);

/* HTTP bytes, headers included; what TLS adds below them is not visible. */
void sotto_client_counters(const struct sotto_client *client, uint64_t *bytes_up,
                           uint64_t *bytes_down);

#endif
