#include "tests/core/net/peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

bool peer_try(struct peer *peer, const struct hub *hub, int version)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(hub->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int at_once = 1;
    int result = 0;

    signal(SIGPIPE, SIG_IGN);
    peer->descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    result = connect(peer->descriptor, (struct sockaddr *)&address, sizeof address);
    assert(result == 0);
    setsockopt(peer->descriptor, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    peer->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(peer->context, version);
    SSL_CTX_set_max_proto_version(peer->context, version);
    peer->tls = SSL_new(peer->context);
    SSL_set_fd(peer->tls, peer->descriptor);
    return SSL_connect(peer->tls) == 1;
}

void peer_open(struct peer *peer, const struct hub *hub)
{
    bool connected = peer_try(peer, hub, TLS1_3_VERSION);

    assert(connected);
}

void peer_close(struct peer *peer)
{
    SSL_free(peer->tls);
    SSL_CTX_free(peer->context);
    close(peer->descriptor);
}

void peer_vanish(struct peer *peer)
{
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    peer_close(peer);
}

void peer_send_bytes(struct peer *peer, const void *bytes, size_t length)
{
    int written = SSL_write(peer->tls, bytes, (int)length);

    assert(written == (int)length);
}

void peer_send(struct peer *peer, const char *text)
{
    peer_send_bytes(peer, text, strlen(text));
}

void peer_read_all(struct peer *peer, char out[PEER_ANSWER_MAX])
{
    size_t length = 0;
    int got = 0;

    while ((got = SSL_read(peer->tls, out + length, (int)(PEER_ANSWER_MAX - 1 - length))) > 0)
        length += (size_t)got;
    out[length] = '\0';
}

/* Reads until out holds `length` bytes; false: the connection ended before. */
static bool read_up_to(struct peer *peer, char *out, size_t *held, size_t length)
{
    while (*held < length) {
        int got = SSL_read(peer->tls, out + *held, (int)(length - *held));

        if (got <= 0)
            return false;
        *held += (size_t)got;
        out[*held] = '\0';
    }
    return true;
}

int peer_read_answer(struct peer *peer, char out[PEER_ANSWER_MAX])
{
    const char *count;
    size_t held = 0;

    out[0] = '\0';
    while (held < 4 || memcmp(out + held - 4, "\r\n\r\n", 4) != 0)
        if (held == PEER_ANSWER_MAX - 1 || !read_up_to(peer, out, &held, held + 1))
            return 0;
    count = strcasestr(out, "\r\ncontent-length: ");
    if (count) {
        size_t length = held + strtoul(count + 18, NULL, 10);

        if (length >= PEER_ANSWER_MAX || !read_up_to(peer, out, &held, length))
            return 0;
    }
    return strncmp(out, "HTTP/1.1 ", 9) == 0 ? atoi(out + 9) : 0;
}

int peer_ask(const struct hub *hub, const char *text)
{
    char answer[PEER_ANSWER_MAX];
    struct peer peer;

    peer_open(&peer, hub);
    peer_send(&peer, text);
    peer_read_all(&peer, answer);
    peer_close(&peer);
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : 0;
}
