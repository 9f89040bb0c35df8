#include "coordinator/api/poll.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/gate/chunk.h"

enum { MAIL_BYTES = SOTTO_MAIL_BYTES_MAX + 1024 };

static const uint64_t ns_per_ms = 1000 * 1000;

static uint64_t now_ns(const struct sotto_api *api)
{
    return sotto_clock_steady_ns(api->setup.clock);
}

/* Answers if there is mail. */
static bool mail_answer(struct sotto_call *call)
{
    uint8_t bytes[MAIL_BYTES];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    if (sotto_drive_mail(call->api->setup.drive, call->site.id, &call->seen, &out) != SOTTO_OK)
        return false;
    sotto_call_answer(call, 200, "application/octet-stream", sotto_view_buffer(&out));
    return true;
}

void sotto_poll_forget(struct sotto_call *call)
{
    if (!call->is_waiting)
        return;
    for (struct sotto_call **at = &call->api->waiting; *at != NULL; at = &(*at)->next_waiting)
        if (*at == call) {
            *at = call->next_waiting;
            break;
        }
    call->is_waiting = false;
}

void sotto_poll_wake(struct sotto_api *api)
{
    struct sotto_call *call = api->waiting;

    while (call != NULL) {
        struct sotto_call *next = call->next_waiting;

        if (mail_answer(call))
            sotto_poll_forget(call);
        call = next;
    }
}

static void on_timer(uv_timer_t *timer);

static void timer_arm(struct sotto_api *api)
{
    uint64_t soonest_ns = UINT64_MAX, now = now_ns(api);

    for (const struct sotto_call *call = api->waiting; call != NULL; call = call->next_waiting)
        if (call->expires_ns < soonest_ns)
            soonest_ns = call->expires_ns;
    if (soonest_ns == UINT64_MAX || api->is_stopping)
        return;
    uv_timer_start(&api->timer, on_timer, soonest_ns > now ? (soonest_ns - now) / ns_per_ms + 1 : 0,
                   0);
}

static void poll_end(struct sotto_call *call)
{
    sotto_poll_forget(call);
    sotto_call_answer_empty(call, 204);
}

static void on_timer(uv_timer_t *timer)
{
    struct sotto_api *api = timer->data;
    struct sotto_call *call = api->waiting;

    while (call != NULL) {
        struct sotto_call *next = call->next_waiting;

        if (call->expires_ns <= now_ns(api))
            poll_end(call);
        call = next;
    }
    timer_arm(api);
}

void sotto_poll_end_all(struct sotto_api *api)
{
    while (api->waiting != NULL)
        poll_end(api->waiting);
}

/* A number of the query, or `otherwise` where it is absent; false: it is none. */
static bool query_number(const struct sotto_call *call, const char *name, uint64_t max,
                         uint64_t *out)
{
    const char *text = sotto_request_query(call->request, name);

    if (text == NULL)
        return true;
    return sotto_decimal_parse(out, text) == SOTTO_OK && *out <= max;
}

/* One poll a site: a newer one takes the place of an older, whose connection may be dead. */
static void older_end(struct sotto_call *call)
{
    for (struct sotto_call *at = call->api->waiting; at != NULL; at = at->next_waiting)
        if (at->site.id == call->site.id) {
            poll_end(at);
            return;
        }
}

void sotto_poll_begin(struct sotto_call *call)
{
    const char *campaign = sotto_request_query(call->request, "campaign");
    uint64_t round = 0, seen = 0, wait_ms = 0;

    if (!query_number(call, "round", UINT32_MAX, &round) ||
        !query_number(call, "seen", SOTTO_MAIL_OUTCOME, &seen) ||
        !query_number(call, "wait_ms", SOTTO_POLL_MS_MAX, &wait_ms)) {
        sotto_call_refuse(call, SOTTO_MALFORMED, "round, seen and wait_ms are decimal numbers");
        return;
    }
    snprintf(call->words[0], sizeof call->words[0], "%s", campaign == NULL ? "" : campaign);
    call->seen = (struct sotto_mail_seen){
        .campaign = call->words[0], .round = (uint32_t)round, .kind = (enum sotto_mail_kind)seen};
    older_end(call);
    (void)!sotto_drive_settle(call->api->setup.drive);
    if (mail_answer(call))
        return;
    if (wait_ms == 0 || call->api->is_stopping) {
        sotto_call_answer_empty(call, 204);
        return;
    }
    call->is_waiting = true;
    call->expires_ns = now_ns(call->api) + wait_ms * ns_per_ms;
    call->next_waiting = call->api->waiting;
    call->api->waiting = call;
    timer_arm(call->api);
}
