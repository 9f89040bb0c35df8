/*
 * A server on a loop in a thread of its own, with an authority and routes that show what the server
 * does:
 *
 *     /echo            the body
 *     /count           how many bytes the body had, as text; keeps none of them
 *     /who             common name and unit of the caller, or "nobody"
 *     /bytes?count=N   N bytes
 *     /refused         begin refuses with 403
 *     /early           begin answers 409 itself
 *     /wait            is answered when somebody asks for /wake
 */
#ifndef TESTS_CORE_NET_HUB_H
#define TESTS_CORE_NET_HUB_H

#include <pthread.h>

#include "core/net/authority.h"
#include "core/net/server.h"
#include "tests/support/folder.h"

struct hub_setup {
    struct sotto_server_limits limits;
    const char *name;             /* in the server's certificate */
    bool is_impostor;             /* another authority issues that, and the chain shows this one */
    uint64_t certificates_from_s; /* when it and its authority are issued */
};

struct hub {
    struct folder folder;
    struct sotto_authority authority;
    uv_loop_t loop;
    uv_async_t stopper;
    uint64_t grace_ms;
    bool stopping;
    pthread_t thread;
    struct sotto_server *server;
    uint16_t port;
    char url[64];
    struct sotto_request *waiting;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    size_t begun_count;
    size_t waiting_count;
    size_t gone_count;
    size_t unanswered_count; /* of those gone */
    bool closed;
};

uint64_t hub_now_s(void);
struct hub_setup hub_defaults(void);
void hub_open(struct hub *hub, const struct hub_setup *setup);
void hub_close(struct hub *hub);

/* Issues a client certificate into <name>.pem and <name>.key of the folder. */
void hub_issue(struct hub *hub, const char *name, const char *unit, uint64_t now_s);

/* Begins to stop the server, and returns before it has. */
void hub_stop(struct hub *hub, uint64_t grace_ms);
void hub_await_closed(struct hub *hub);
void hub_await_begun(struct hub *hub, size_t count);
void hub_await_waiting(struct hub *hub, size_t count);
void hub_await_gone(struct hub *hub, size_t count);
struct sotto_server_counters hub_counters(struct hub *hub); /* once it is closed */

#endif
