#include "coordinator/api/call.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/api/api.h"

struct sotto_view sotto_call_body(const struct sotto_call *call)
{
    return sotto_view_of(call->body, call->length);
}

/* Body bytes of a site's calls count for the round that runs. */
static void traffic_count(struct sotto_call *call, size_t bytes_out)
{
    struct sotto_live *live = sotto_drive_live(call->api->setup.drive);

    if (live != NULL && call->site.id != 0)
        sotto_live_count(live, call->site.id, call->length, bytes_out);
}

static void answer_give(struct sotto_call *call, const struct sotto_answer *answer)
{
    struct sotto_request *request = call->request;

    call->request = NULL;
    traffic_count(call, answer->body.length);
    sotto_request_answer(request, answer);
}

void sotto_call_answer(struct sotto_call *call, int status, const char *type,
                       struct sotto_view body)
{
    struct sotto_answer answer = {.status = status, .content_type = type, .body = body};

    if (call->request != NULL)
        answer_give(call, &answer);
}

void sotto_call_answer_lent(struct sotto_call *call, struct sotto_view body,
                            void (*release)(void *owner), void *owner)
{
    struct sotto_answer answer = {.status = 200,
                                  .content_type = "application/octet-stream",
                                  .body = body,
                                  .release = release,
                                  .owner = owner};

    if (call->request != NULL)
        answer_give(call, &answer);
    else
        release(owner);
}

void sotto_call_answer_number(struct sotto_call *call, int status, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof text, "%" PRIu64, number);
    sotto_call_answer(call, status, "text/plain", sotto_view_text(text));
}

void sotto_call_answer_empty(struct sotto_call *call, int status)
{
    sotto_call_answer(call, status, NULL, sotto_view_of(NULL, 0));
}

void sotto_call_answer_json_take(struct sotto_call *call, int status, struct json_t *json)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(10));

    json_decref(json);
    if (text == NULL)
        sotto_call_refuse(call, SOTTO_NO_MEMORY, "no memory for the answer");
    else
        sotto_call_answer(call, status, "application/json", sotto_view_text(text));
    free(text);
}

static int http_status(enum sotto_status status)
{
    switch (status) {
    case SOTTO_OK: return 204;
    case SOTTO_MALFORMED: return 400;
    case SOTTO_FORGED: return 403;
    case SOTTO_UNEXPECTED: return 409;
    case SOTTO_OVER_LIMIT: return 413;
    case SOTTO_MISMATCH: return 409;
    case SOTTO_REFUSED: return 403;
    case SOTTO_NOT_FOUND: return 404;
    case SOTTO_BUSY: return 429;
    case SOTTO_UNSUPPORTED: return 501;
    case SOTTO_NO_MEMORY: return 503;
    case SOTTO_IO: return 507;
    }
    return 500;
}

void sotto_call_refuse(struct sotto_call *call, enum sotto_status status, const char *detail)
{
    struct sotto_request *request = call->request;

    if (request == NULL)
        return;
    call->request = NULL;
    traffic_count(call, 0);
    sotto_request_answer_problem(request, http_status(status), detail);
}
