/*
 * A TLS client that says exactly what a test tells it to, byte for byte. Blocking.
 */
#ifndef TESTS_CORE_NET_PEER_H
#define TESTS_CORE_NET_PEER_H

#include <openssl/ssl.h>

#include "tests/core/net/hub.h"

enum { PEER_ANSWER_MAX = 64 * 1024 };

struct peer {
    int descriptor;
    SSL_CTX *context;
    SSL *tls;
};

/* Connects and shakes hands; fails the test if the server does not. */
void peer_open(struct peer *peer, const struct hub *hub);
/* Connects; says whether the handshake at `version` comes to an end. */
bool peer_try(struct peer *peer, const struct hub *hub, int version);
void peer_close(struct peer *peer);
/* Ends the connection with a reset, without a goodbye. */
void peer_vanish(struct peer *peer);

void peer_send(struct peer *peer, const char *text);
void peer_send_bytes(struct peer *peer, const void *bytes, size_t length);
/* All that comes until the server ends the connection, zero-terminated. */
void peer_read_all(struct peer *peer, char out[PEER_ANSWER_MAX]);
/* One answer with a counted body; its status. */
int peer_read_answer(struct peer *peer, char out[PEER_ANSWER_MAX]);

/* Sends `text` on a connection of its own, reads to the end; the status of the first answer. */
int peer_ask(const struct hub *hub, const char *text);

#endif
