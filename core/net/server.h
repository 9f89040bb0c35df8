/*
 * An HTTP/1.1 server over TLS 1.3 on libuv: llhttp behind a pre-scan of the header block. Knows no
 * message. Bodies stream to the routes in pieces; a connection reads no further request before the
 * last one is answered, nor while its peer is slow to take what was sent, so that memory a
 * connection is bounded. A request may be answered later (long poll).
 *
 * Everything here runs on the loop's thread. Limits, time-outs and refusals: docs/network.md.
 */
#ifndef SOTTO_CORE_NET_SERVER_H
#define SOTTO_CORE_NET_SERVER_H

#include <stdbool.h>
#include <uv.h>

#include "core/base/bytes.h"
#include "core/base/log.h"
#include "core/net/request.h"

struct sotto_server;

struct sotto_server_limits {
    uint32_t connections_max; /* default 1024; above it a connection is accepted and closed */
    /* default 256; one address is an IPv4 address or an IPv6 /64 */
    uint32_t connections_per_address_max;
    uint64_t body_bytes_max; /* default 16 MiB; 413 above */
    /* default 10 000: TLS handshake and headers must be whole by then */
    uint64_t header_timeout_ms;
    /* default 60 000: between requests, for each 4 KiB of a body, for each part of an answer */
    uint64_t idle_timeout_ms;
};
/* The defaults above. */
void sotto_server_limits_init(struct sotto_server_limits *limits);

struct sotto_server_routes {
    /*
     * Headers are complete. Return 0 to go on, or an HTTP status to refuse: the body is not read,
     * the server answers with a problem document, unless the route has answered itself, and closes.
     */
    int (*begin)(void *context, struct sotto_request *request);
    /* A piece of the body, never empty; the same return. */
    int (*body)(void *context, struct sotto_request *request, struct sotto_view piece);
    /* The body is whole: call sotto_request_answer now or later, once. */
    void (*end)(void *context, struct sotto_request *request);
    /*
     * The peer has left before an answer, or the answer is out: last call for this request, once
     * for each `begin`, from the loop and never from inside sotto_request_answer. Drop all
     * references.
     */
    void (*gone)(void *context, struct sotto_request *request);
    void *context;
};

struct sotto_server_setup {
    uv_loop_t *loop;
    const char *address;          /* "127.0.0.1" or "::" */
    uint16_t port;                /* 0: the kernel chooses, see sotto_server_port */
    const char *certificate_path; /* PEM chain */
    const char *key_path;
    /* PEM; client certificates are asked for and verified, their absence allowed */
    const char *client_authority_path;
    struct sotto_server_limits limits;
    struct sotto_server_routes routes;
    const struct sotto_log *log; /* may be NULL */
};

/*
 * Opens and listens. Blocks SIGPIPE in the calling thread, which is to be the loop's: a peer that
 * leaves while it is written to must not end the process.
 *
 * SOTTO_BUSY: port taken; SOTTO_REFUSED: the port needs a privilege; SOTTO_MALFORMED: not an
 * address, or a certificate file; SOTTO_NOT_FOUND, SOTTO_MISMATCH: certificate files; SOTTO_IO:
 * the address is not this machine's, or else. *server is NULL and the fault has the sentence.
 */
SOTTO_CHECKED enum sotto_status sotto_server_open(struct sotto_server **server,
                                                  const struct sotto_server_setup *setup,
                                                  struct sotto_fault *fault);
uint16_t sotto_server_port(const struct sotto_server *server);
/*
 * Stops accepting, closes what is idle, lets requests finish; `closed` runs on the loop, once, when
 * the last connection is gone, which is after grace_ms at the latest. Once.
 */
void sotto_server_stop(struct sotto_server *server, uint64_t grace_ms, void (*closed)(void *),
                       void *context);
void sotto_server_close(struct sotto_server *server); /* from `closed` or after it; frees */

struct sotto_server_counters {
    uint64_t connections_open, connections_total, requests_total;
    uint64_t bytes_in_total, bytes_out_total; /* on the socket, TLS included */
    uint64_t refused_total; /* connections over a cap, and requests that no route saw to its end */
};
/* As of now; from the loop. */
void sotto_server_counters(const struct sotto_server *server, struct sotto_server_counters *out);

#endif
