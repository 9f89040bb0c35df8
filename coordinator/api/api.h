/*
 * The coordinator's HTTP routes: who may call them, how much they may send, and what they come to.
 * Sites by their certificate (OU=site, not revoked), administrators by theirs (OU=administrator),
 * health and metrics for everybody.
 */
#ifndef SOTTO_COORDINATOR_API_API_H
#define SOTTO_COORDINATOR_API_API_H

#include "coordinator/api/call.h"
#include "core/net/server.h"

struct sotto_api_setup {
    uv_loop_t *loop;
    const char *folder; /* of the coordinator's state */
    const char *url;    /* that tokens name */
    struct sotto_ledger *ledger;
    struct sotto_drive *drive;
    const struct sotto_keys *keys;
    const struct sotto_clock *clock;
    struct sotto_entropy *entropy;
    const struct sotto_log *log;
};

enum { SOTTO_CALL_LISTS = 1 << 14, SOTTO_POLL_SLOTS = 256 };

struct sotto_api {
    struct sotto_api_setup setup;
    struct sotto_server *server;                /* for its counters; NULL before it is open */
    struct sotto_call *calls[SOTTO_CALL_LISTS]; /* in flight, by site: see sotto_api_calls */
    /* Long polls, in a wheel: by the tick at which they have waited long enough. */
    struct sotto_call *waiting[SOTTO_POLL_SLOTS];
    size_t waiting_count;
    size_t posted_bytes; /* of mail that is on its way */
    bool holds_back;     /* somebody who waits has mail that will go when less is on its way */
    uint64_t swept_tick;
    struct sotto_item *items; /* on their way out */
    uv_timer_t timer;         /* turns the wheel while somebody waits */
    bool is_stopping;
};

struct sotto_route {
    const char *method;
    const char *pattern; /* '*' stands for one word of the path */
    enum { SOTTO_CALLER_ANYBODY, SOTTO_CALLER_SITE, SOTTO_CALLER_ADMINISTRATOR } caller;
    size_t body_max;
    void (*answer)(struct sotto_call *call);
};

/* Borrows what the setup names; the timer is on the loop from now on. */
void sotto_api_init(struct sotto_api *api, const struct sotto_api_setup *setup);
/* For a server; api outlives it. */
struct sotto_server_routes sotto_api_routes(struct sotto_api *api);
/* The list that a site's calls are in, newest first, among those of few others; 0: of no site. */
struct sotto_call **sotto_api_calls(struct sotto_api *api, uint32_t site);
/* The longest body that any route takes. */
size_t sotto_api_body_max(void);
/* Ends all polls, so that the server can stop. The timer is closed on the loop. */
void sotto_api_stop(struct sotto_api *api);

#endif
