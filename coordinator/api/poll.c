#include "coordinator/api/poll.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/gate/chunk.h"

enum { MAIL_BYTES = SOTTO_MAIL_BYTES_MAX + 1024 };

/* Polls end within a tick of their time; a turn of the wheel is longer than the longest of them. */
enum { TICK_MS = 100, POSTED_BYTES_MAX = 8 * 1024 * 1024 };

static uint64_t now_tick(const struct sotto_api *api)
{
    return sotto_clock_steady_ns(api->setup.clock) / (TICK_MS * UINT64_C(1000000));
}

/* A mail on its way. */
struct posted {
    struct sotto_api *api;
    size_t length;
    uint8_t bytes[];
};

static void posted_release(void *owner)
{
    struct posted *posted = owner;

    posted->api->posted_bytes -= posted->length;
    free(posted);
}

/*
 * Answers if there is mail, and not too much of it on its way: a stage that ends has mail for
 * everybody at once. Who is held back is answered at one of the next ticks.
 */
static bool mail_answer(struct sotto_call *call)
{
    uint8_t bytes[MAIL_BYTES];
    struct sotto_api *api = call->api;
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct posted *posted;

    if (api->posted_bytes > POSTED_BYTES_MAX) {
        api->holds_back = true;
        return false;
    }
    if (sotto_drive_mail(api->setup.drive, call->site.id, &call->seen, &out) != SOTTO_OK)
        return false;
    posted = malloc(sizeof *posted + out.length);
    if (posted == NULL)
        return false;
    posted->api = api;
    posted->length = out.length;
    memcpy(posted->bytes, out.at, out.length);
    api->posted_bytes += out.length;
    sotto_call_answer_lent(call, sotto_view_of(posted->bytes, posted->length), posted_release,
                           posted);
    return true;
}

static struct sotto_call **slot_at(struct sotto_api *api, uint64_t tick)
{
    return &api->waiting[tick % SOTTO_POLL_SLOTS];
}

void sotto_poll_forget(struct sotto_call *call)
{
    if (!call->is_waiting)
        return;
    if (call->previous_waiting != NULL)
        call->previous_waiting->next_waiting = call->next_waiting;
    else
        *slot_at(call->api, call->expires_tick) = call->next_waiting;
    if (call->next_waiting != NULL)
        call->next_waiting->previous_waiting = call->previous_waiting;
    call->api->waiting_count--;
    call->is_waiting = false;
}

void sotto_poll_wake(struct sotto_api *api)
{
    api->holds_back = false;
    for (size_t i = 0; i < SOTTO_POLL_SLOTS && api->waiting_count > 0 && !api->holds_back; i++) {
        struct sotto_call *call = api->waiting[i];

        while (call != NULL && !api->holds_back) {
            struct sotto_call *next = call->next_waiting;

            if (mail_answer(call))
                sotto_poll_forget(call);
            call = next;
        }
    }
}

static void poll_end(struct sotto_call *call)
{
    sotto_poll_forget(call);
    sotto_call_answer_empty(call, 204);
}

/* Ends what is over in one slot. */
static void slot_sweep(struct sotto_api *api, uint64_t tick, uint64_t now)
{
    struct sotto_call *call = *slot_at(api, tick);

    while (call != NULL) {
        struct sotto_call *next = call->next_waiting;

        if (call->expires_tick <= now)
            poll_end(call);
        call = next;
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct sotto_api *api = timer->data;
    uint64_t now = now_tick(api);

    if (now - api->swept_tick > SOTTO_POLL_SLOTS)
        api->swept_tick = now - SOTTO_POLL_SLOTS;
    while (api->swept_tick < now)
        slot_sweep(api, ++api->swept_tick, now);
    if (api->holds_back)
        sotto_poll_wake(api);
    if (api->waiting_count == 0)
        uv_timer_stop(timer);
}

static void poll_wait(struct sotto_call *call)
{
    struct sotto_api *api = call->api;
    struct sotto_call **first;

    call->expires_tick = now_tick(api) + call->wait_ms / TICK_MS + 1;
    first = slot_at(api, call->expires_tick);
    call->previous_waiting = NULL;
    call->next_waiting = *first;
    if (*first != NULL)
        (*first)->previous_waiting = call;
    *first = call;
    call->is_waiting = true;
    if (api->waiting_count++ > 0)
        return;
    api->swept_tick = now_tick(api);
    uv_timer_start(&api->timer, on_timer, TICK_MS, TICK_MS);
}

void sotto_poll_end_all(struct sotto_api *api)
{
    for (size_t i = 0; i < SOTTO_POLL_SLOTS; i++)
        while (api->waiting[i] != NULL)
            poll_end(api->waiting[i]);
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
    struct sotto_call *at = *sotto_api_calls(call->api, call->site.id);

    for (; at != NULL; at = at->next)
        if (at->site.id == call->site.id && at->is_waiting) {
            poll_end(at);
            return;
        }
}

/* Everything that came before is durable: what mail there is may be told. */
static void poll_settled(struct sotto_receipt *receipt)
{
    struct sotto_call *call = receipt->context;

    call->has_receipt = false;
    if (mail_answer(call))
        return;
    if (call->wait_ms == 0 || call->api->is_stopping)
        sotto_call_answer_empty(call, 204);
    else
        poll_wait(call);
}

void sotto_poll_begin(struct sotto_call *call)
{
    const char *campaign = sotto_request_query(call->request, "campaign");
    uint64_t round = 0, seen = 0;

    if (!query_number(call, "round", UINT32_MAX, &round) ||
        !query_number(call, "seen", SOTTO_MAIL_OUTCOME, &seen) ||
        !query_number(call, "wait_ms", SOTTO_POLL_MS_MAX, &call->wait_ms)) {
        sotto_call_refuse(call, SOTTO_MALFORMED, "round, seen and wait_ms are decimal numbers");
        return;
    }
    snprintf(call->words[0], sizeof call->words[0], "%s", campaign == NULL ? "" : campaign);
    call->seen = (struct sotto_mail_seen){
        .campaign = call->words[0], .round = (uint32_t)round, .kind = (enum sotto_mail_kind)seen};
    older_end(call);
    call->receipt = (struct sotto_receipt){.done = poll_settled, .context = call};
    call->has_receipt = true;
    sotto_drive_await(call->api->setup.drive, &call->receipt);
}
