/*
 * One connection of the server: TLS, requests one after the other, and their answers.
 *
 *     HEAD -> BODY -> WAITING -> SENDING -> HEAD ...    and from any of them -> ENDING -> gone
 *
 * Memory: one header block, one piece of input that was read ahead, and what core/net/output.h
 * bounds.
 */
#ifndef SOTTO_CORE_NET_CONNECTION_H
#define SOTTO_CORE_NET_CONNECTION_H

#include "core/net/framing.h"
#include "core/net/output.h"
#include "core/net/server.h"

enum {
    SOTTO_INPUT_MAX = 64 * 1024, /* read from a socket at once, and read ahead of a request */
    SOTTO_ADDRESS_KEY_BYTES = 16,
};

enum sotto_connection_place {
    SOTTO_CONNECTION_HEAD,    /* reads a header block, or waits for its first byte */
    SOTTO_CONNECTION_BODY,    /* a request has begun */
    SOTTO_CONNECTION_WAITING, /* the routes have it */
    SOTTO_CONNECTION_SENDING, /* its answer goes out */
    SOTTO_CONNECTION_ENDING,  /* what comes in is dropped until the peer closes */
};

struct sotto_connection;

/* What the connections of one server share; outlives them. */
struct sotto_connections {
    uv_loop_t *loop;
    struct ssl_ctx_st *tls;
    struct sotto_server_limits limits;
    struct sotto_server_routes routes;
    const struct sotto_log *log;
    struct sotto_server_counters counters;
    struct sotto_connection *first;
    bool stopping;
    /* One is about to be freed. */
    void (*left)(void *context, const struct sotto_connection *connection);
    void (*emptied)(void *context); /* the last one is freed, while stopping */
    void *context;
    char input[SOTTO_INPUT_MAX];
    uint8_t plain[SOTTO_TLS_RECORD_MAX];
};

struct sotto_connection {
    struct sotto_connection *next;
    struct sotto_connection *previous;
    struct sotto_connections *all;
    uv_tcp_t stream;
    uv_timer_t timer;
    uv_shutdown_t shutdown;
    struct sotto_tls tls;
    struct sotto_output output;
    struct sotto_caller caller;
    struct sotto_request *request;
    struct sotto_prescan prescan;
    struct sotto_framing framing;
    uint64_t body_bytes;
    size_t progress_bytes; /* of the body, since the timer was armed */
    uint8_t address[SOTTO_ADDRESS_KEY_BYTES];
    enum sotto_connection_place place;
    unsigned handles; /* open ones of libuv */
    bool is_counted;  /* its address's connections include it */
    bool has_begun;   /* a request was seen: the handshake is over */
    bool keeps_alive;
    bool refused; /* the server has answered in place of the routes */
    bool reading;
    bool closing;
};

/* Accepts what waits at `listener`. NULL: no memory. It may be closing already. */
struct sotto_connection *sotto_connection_open(struct sotto_connections *all,
                                               uv_stream_t *listener);
/* At once; `gone` follows from the loop, then the memory is freed. */
void sotto_connection_close(struct sotto_connection *connection);
/* Closes it if it is idle; another one ends after its answer. */
void sotto_connection_stop(struct sotto_connection *connection);

#endif
