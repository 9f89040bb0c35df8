/*
 * An HTTP/1.1 server over TLS 1.3 on libuv: llhttp behind a pre-scan of the header block (no bare CR, no obs-fold).
 * Knows no message. Bodies stream to the route in pieces; a route that has not answered holds its connection's reads, so
 * that memory per connection is bounded. A request may be answered later (long poll).
 */
#ifndef SOTTO_CORE_NET_SERVER_H
#define SOTTO_CORE_NET_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/log.h"

struct sotto_server;
struct sotto_request;

enum {
    SOTTO_HEADER_BYTES_MAX = 16 * 1024,
    SOTTO_TARGET_MAX = 512,
};

struct sotto_server_limits {
    uint32_t connections_max;      /* default 1024; above it a connection is accepted and closed at once */
    uint32_t connections_per_address_max; /* default 256 */
    uint64_t body_bytes_max;       /* default 16 MiB; 413 above */
    uint64_t header_timeout_ms;    /* default 10 000: TLS handshake and headers must be whole by then */
    uint64_t idle_timeout_ms;      /* default 60 000: between requests, and for each piece of a body */
};
void sotto_server_limits_init(struct sotto_server_limits *limits);

/* Who is at the other end, from the verified client certificate. */
struct sotto_caller {
    bool has_certificate;
    char common_name[64];
    char organisational_unit[64];       /* "site", "administrator" */
    struct sotto_digest certificate;    /* SHA-256 of its DER */
};

struct sotto_server_routes {
    /*
     * Headers are complete. Return an HTTP status to refuse the body at once (the server answers it with a problem
     * document), or 0 to go on.
     */
    int (*begin)(void *context, struct sotto_request *request);
    /* A piece of the body; the same return. */
    int (*body)(void *context, struct sotto_request *request, struct sotto_view piece);
    /* The body is whole: call sotto_request_answer now or later, once. */
    void (*end)(void *context, struct sotto_request *request);
    /* The connection is gone before an answer, or the answer is out: last call for this request; drop all references. */
    void (*gone)(void *context, struct sotto_request *request);
    void *context;
};

struct sotto_server_setup {
    uv_loop_t *loop;
    const char *address; /* "127.0.0.1" or "::" */
    uint16_t port;       /* 0: the kernel chooses, see sotto_server_port */
    const char *certificate_path; /* PEM chain */
    const char *key_path;
    const char *client_authority_path; /* PEM; client certificates are asked for and verified, their absence allowed */
    struct sotto_server_limits limits;
    struct sotto_server_routes routes;
    const struct sotto_log *log;
};

/* SOTTO_BUSY: port taken; SOTTO_NOT_FOUND, SOTTO_MALFORMED: certificate files; the fault has the sentence. */
SOTTO_CHECKED enum sotto_status sotto_server_open(struct sotto_server **server,
                                                  const struct sotto_server_setup *setup,
                                                  struct sotto_fault *fault);
uint16_t sotto_server_port(const struct sotto_server *server);
/* Stops accepting, closes what is idle; `closed` runs on the loop when the last connection is gone (at most grace_ms). */
void sotto_server_stop(struct sotto_server *server, uint64_t grace_ms, void (*closed)(void *),
                       void *context);
void sotto_server_close(struct sotto_server *server); /* after `closed`; frees */

const char *sotto_request_method(const struct sotto_request *request);
const char *sotto_request_path(const struct sotto_request *request); /* decoded, without the query */
/* Value of a query parameter, or NULL. */
const char *sotto_request_query(const struct sotto_request *request, const char *name);
/* Value of a header by lower-case name, or NULL. */
const char *sotto_request_header(const struct sotto_request *request, const char *name);
uint64_t sotto_request_content_length(const struct sotto_request *request); /* UINT64_MAX: chunked */
const struct sotto_caller *sotto_request_caller(const struct sotto_request *request);
/* A pointer that the routes may hang on the request. */
void **sotto_request_user(struct sotto_request *request);

struct sotto_answer {
    int status;
    const char *content_type; /* NULL with an empty body */
    struct sotto_view body;   /* copied, unless body_owned: then free()d by the server when it is out */
    bool body_owned;
};
void sotto_request_answer(struct sotto_request *request, const struct sotto_answer *answer);
/* RFC 9457 problem document: {"title", "status", "detail"}. */
void sotto_request_answer_problem(struct sotto_request *request, int status, const char *detail);

struct sotto_server_counters {
    uint64_t connections_open, connections_total, requests_total, bytes_in_total, bytes_out_total,
        refused_total;
};
void sotto_server_counters(const struct sotto_server *server, struct sotto_server_counters *out);

#endif
