#include "coordinator/api/api.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api/admin.h"
#include "coordinator/api/item.h"
#include "coordinator/api/metrics.h"
#include "coordinator/api/poll.h"
#include "coordinator/api/roster.h"
#include "coordinator/api/site.h"
#include "coordinator/gate/chunk.h"
#include "coordinator/schedule/definition.h"

enum { ITEM_BYTES_MAX = 256 * 1024 * 1024, SMALL_BYTES_MAX = 4096, SITE_CALLS_MAX = 8 };

static const struct sotto_route routes[] = {
    {"GET", "/healthz", SOTTO_CALLER_ANYBODY, 0, sotto_metrics_health},
    {"GET", "/readyz", SOTTO_CALLER_ANYBODY, 0, sotto_metrics_health},
    {"GET", "/metrics", SOTTO_CALLER_ANYBODY, 0, sotto_metrics_show},

    {"POST", "/v1/enrol", SOTTO_CALLER_ANYBODY, SOTTO_ENROL_BYTES_MAX, sotto_site_enrol},
    {"GET", "/v1/mail", SOTTO_CALLER_SITE, 0, sotto_poll_begin},
    {"GET", "/v1/items/*/*", SOTTO_CALLER_SITE, 0, sotto_item_fetch},
    {"GET", "/v1/rounds/*/*/upload", SOTTO_CALLER_SITE, 0, sotto_site_upload_show},
    {"PUT", "/v1/rounds/*/*/upload", SOTTO_CALLER_SITE, SOTTO_CHUNK_BYTES_MAX, sotto_site_upload},
    {"POST", "/v1/rounds/*/*/*", SOTTO_CALLER_SITE, SOTTO_PROTOCOL_ANSWER_MAX, sotto_site_message},

    {"POST", "/v1/admin/tokens", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX, sotto_admin_token},
    {"GET", "/v1/admin/sites", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_admin_sites},
    {"POST", "/v1/admin/sites/*/revoke", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX,
     sotto_admin_revoke},
    {"GET", "/v1/admin/roster", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_roster_export},
    {"GET", "/v1/admin/roster/signature", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_roster_show},
    {"POST", "/v1/admin/roster/signature", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX,
     sotto_roster_import},
    {"POST", "/v1/admin/roster/release", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX,
     sotto_roster_release},
    {"GET", "/v1/admin/status", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_admin_status},
    {"PUT", "/v1/admin/items/*/*", SOTTO_CALLER_ADMINISTRATOR, ITEM_BYTES_MAX, sotto_admin_item},
    {"GET", "/v1/admin/items/*/*", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_item_fetch},
    {"POST", "/v1/admin/campaigns", SOTTO_CALLER_ADMINISTRATOR, SOTTO_DEFINITION_TEXT_MAX,
     sotto_admin_campaign_create},
    {"GET", "/v1/admin/campaigns/*", SOTTO_CALLER_ADMINISTRATOR, 0, sotto_admin_campaign_show},
    {"POST", "/v1/admin/campaigns/*/start", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX,
     sotto_admin_campaign_start},
    {"POST", "/v1/admin/campaigns/*/stop", SOTTO_CALLER_ADMINISTRATOR, SMALL_BYTES_MAX,
     sotto_admin_campaign_stop},
};

enum { ROUTE_COUNT = sizeof routes / sizeof routes[0] };

/* Does the path fit the pattern? Words that stand for a '*' are kept. */
static bool path_fits(struct sotto_call *call, const char *pattern, const char *path)
{
    call->word_count = 0;
    while (*pattern != '\0') {
        size_t wanted = strcspn(pattern + 1, "/") + 1;
        size_t length = *path == '/' ? strcspn(path + 1, "/") + 1 : 0;

        if (length < 2 || length > SOTTO_CALL_WORD_BYTES)
            return false;
        if (wanted == 2 && pattern[1] == '*') {
            memcpy(call->words[call->word_count], path + 1, length - 1);
            call->words[call->word_count++][length - 1] = '\0';
        } else if (wanted != length || memcmp(pattern, path, wanted) != 0) {
            return false;
        }
        pattern += wanted;
        path += length;
    }
    return *path == '\0';
}

/* 0, 404 or 405. */
static int route_find(struct sotto_call *call, const char *method, const char *path)
{
    int status = 404;

    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (!path_fits(call, routes[i].pattern, path))
            continue;
        if (strcmp(routes[i].method, method) == 0) {
            call->route = &routes[i];
            return 0;
        }
        status = 405;
    }
    return status;
}

/* NULL: the caller may; else why not. */
static const char *caller_check(struct sotto_call *call, const struct sotto_caller *caller)
{
    switch (call->route->caller) {
    case SOTTO_CALLER_ANYBODY: return NULL;
    case SOTTO_CALLER_ADMINISTRATOR:
        if (caller->has_certificate && strcmp(caller->organisational_unit, "administrator") == 0)
            return NULL;
        return "this needs an administrator's certificate";
    case SOTTO_CALLER_SITE: break;
    }
    if (!caller->has_certificate || strcmp(caller->organisational_unit, "site") != 0)
        return "this needs a site's certificate: enrol first";
    if (sotto_sites_by_certificate(call->api->setup.ledger, &caller->certificate, &call->site) !=
        SOTTO_OK)
        return "no enrolled site has this certificate: enrol again with a new token";
    if (call->site.revoked_ms != 0) {
        call->site.id = 0;
        return "this site's certificate was revoked: ask the administrator";
    }
    return NULL;
}

struct sotto_call **sotto_api_calls(struct sotto_api *api, uint32_t site)
{
    return &api->calls[site % SOTTO_CALL_LISTS];
}

/* A site's calls in flight: what they may hold in memory is bounded by this and by each route. */
static bool has_too_many(const struct sotto_call *call)
{
    size_t count = 0;

    if (call->site.id == 0)
        return false;
    for (const struct sotto_call *at = *sotto_api_calls(call->api, call->site.id); at != NULL;
         at = at->next)
        count += at->site.id == call->site.id;
    return count >= SITE_CALLS_MAX;
}

static void call_keep(struct sotto_call *call)
{
    struct sotto_call **first = sotto_api_calls(call->api, call->site.id);

    call->next = *first;
    if (*first != NULL)
        (*first)->previous = call;
    *first = call;
}

static void call_forget(struct sotto_call *call)
{
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        *sotto_api_calls(call->api, call->site.id) = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
}

static int call_refuse(struct sotto_call *call, struct sotto_request *request, int status,
                       const char *detail)
{
    free(call);
    sotto_request_answer_problem(request, status, detail);
    return status;
}

static int on_begin(void *context, struct sotto_request *request)
{
    uint64_t length = sotto_request_content_length(request);
    struct sotto_call *call = calloc(1, sizeof *call);
    const char *why;
    int status;

    *sotto_request_user(request) = NULL;
    if (call == NULL)
        return 503;
    call->api = context;
    call->request = request;
    status = route_find(call, sotto_request_method(request), sotto_request_path(request));
    if (status == 404)
        return call_refuse(call, request, status, "there is no such route");
    if (status == 405)
        return call_refuse(call, request, status, "this route has other methods");
    why = caller_check(call, sotto_request_caller(request));
    if (why != NULL)
        return call_refuse(call, request, 403, why);
    if (length != UINT64_MAX && length > call->route->body_max)
        return call_refuse(call, request, 413, "the body is longer than this route takes");
    if (has_too_many(call))
        return call_refuse(call, request, 429, "this site has too many requests in flight");
    call_keep(call);
    *sotto_request_user(request) = call;
    return 0;
}

static bool body_grow(struct sotto_call *call, size_t needed)
{
    uint64_t announced = sotto_request_content_length(call->request);
    size_t capacity = announced == UINT64_MAX ? needed * 2 : (size_t)announced;
    uint8_t *grown;

    if (capacity < needed)
        capacity = needed;
    if (capacity > call->route->body_max)
        capacity = call->route->body_max;
    grown = realloc(call->body, capacity);
    if (grown == NULL)
        return false;
    call->body = grown;
    call->capacity = capacity;
    return true;
}

static int on_body(void *context, struct sotto_request *request, struct sotto_view piece)
{
    struct sotto_call *call = *sotto_request_user(request);

    (void)context;
    if (piece.length > call->route->body_max - call->length)
        return 413;
    if (call->length + piece.length > call->capacity &&
        !body_grow(call, call->length + piece.length))
        return 503;
    memcpy(call->body + call->length, piece.at, piece.length);
    call->length += piece.length;
    return 0;
}

static void on_end(void *context, struct sotto_request *request)
{
    struct sotto_call *call = *sotto_request_user(request);

    (void)context;
    call->route->answer(call);
}

static void on_gone(void *context, struct sotto_request *request)
{
    struct sotto_api *api = context;
    struct sotto_call *call = *sotto_request_user(request);

    if (call == NULL)
        return;
    if (call->has_receipt)
        sotto_drive_forget(api->setup.drive, &call->receipt);
    sotto_poll_forget(call);
    call_forget(call);
    free(call->body);
    free(call);
}

struct sotto_server_routes sotto_api_routes(struct sotto_api *api)
{
    return (struct sotto_server_routes){
        .begin = on_begin, .body = on_body, .end = on_end, .gone = on_gone, .context = api};
}

size_t sotto_api_body_max(void)
{
    return ITEM_BYTES_MAX;
}

void sotto_api_init(struct sotto_api *api, const struct sotto_api_setup *setup)
{
    *api = (struct sotto_api){.setup = *setup};
    uv_timer_init(setup->loop, &api->timer);
    api->timer.data = api;
}

void sotto_api_stop(struct sotto_api *api)
{
    if (api->is_stopping)
        return;
    api->is_stopping = true;
    sotto_poll_end_all(api);
    uv_close((uv_handle_t *)&api->timer, NULL);
}
