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

struct sotto_api {
    struct sotto_api_setup setup;
    struct sotto_server *server; /* for its counters; NULL before it is open */
    struct sotto_call *calls;    /* all in flight, newest first */
    struct sotto_call *waiting;  /* long polls, newest first */
    uv_timer_t timer;            /* ends the polls that have waited long enough */
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
/* The longest body that any route takes. */
size_t sotto_api_body_max(void);
/* Ends all polls, so that the server can stop. The timer is closed on the loop. */
void sotto_api_stop(struct sotto_api *api);

#endif
