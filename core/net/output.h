/*
 * What a connection has yet to send: an answer's body, encrypted piece by piece as the peer takes
 * it, and the ciphertext that the socket has not taken. At most SOTTO_OUTPUT_MAX bytes and one
 * piece of ciphertext wait.
 */
#ifndef SOTTO_CORE_NET_OUTPUT_H
#define SOTTO_CORE_NET_OUTPUT_H

#include <uv.h>

#include "core/net/request.h"

enum { SOTTO_OUTPUT_MAX = 32 * 1024, SOTTO_OUTPUT_PIECE = 16 * 1024 };

struct sotto_output {
    uv_stream_t *stream;
    struct sotto_tls *tls;
    /* After each write, from the loop; the status is libuv's, UV_ECANCELED for a closed stream. */
    void (*moved)(struct sotto_output *output, int status);
    void *owner;
    size_t queued_bytes; /* of ciphertext, given to the socket and not taken by it */
    uint64_t sent_total;
    const uint8_t *body;          /* of the answer; NULL without one */
    void (*release)(void *owner); /* what becomes of it when it is out */
    void *body_owner;
    size_t body_length;
    size_t body_sent;
};

/*
 * Takes an answer over and starts to send it. `body_is_sent`: false for HEAD.
 *
 * SOTTO_NO_MEMORY, SOTTO_IO: the connection cannot go on; the body is released with the output.
 */
SOTTO_CHECKED enum sotto_status sotto_output_answer(struct sotto_output *output,
                                                    const struct sotto_answer *answer,
                                                    bool keeps_alive, bool body_is_sent);

/* More of the answer, as far as the bound allows, and whatever else TLS has to say. */
SOTTO_CHECKED enum sotto_status sotto_output_push(struct sotto_output *output);

bool sotto_output_is_full(const struct sotto_output *output);
bool sotto_output_is_empty(const struct sotto_output *output); /* nothing waits */
/* Releases the answer; what is queued stays with the socket. */
void sotto_output_wipe(struct sotto_output *output);

#endif
