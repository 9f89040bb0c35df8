/*
 * One request on its way through the coordinator: what was asked, by whom, and the body while it
 * comes. A call lives from the headers to the last byte of the answer.
 */
#ifndef SOTTO_COORDINATOR_API_CALL_H
#define SOTTO_COORDINATOR_API_CALL_H

#include "coordinator/drive/drive.h"
#include "coordinator/ledger/sites.h"
#include "core/net/request.h"

struct sotto_api;
struct sotto_route;

enum { SOTTO_CALL_WORDS_MAX = 6, SOTTO_CALL_WORD_BYTES = 80 };

struct sotto_call {
    struct sotto_api *api;
    struct sotto_request *request; /* NULL once the answer was given */
    const struct sotto_route *route;
    size_t word_count; /* of the path, between slashes */
    char words[SOTTO_CALL_WORDS_MAX][SOTTO_CALL_WORD_BYTES];
    struct sotto_site site; /* of a site's call */
    uint8_t *body;
    size_t length;
    size_t capacity;
    struct sotto_call *next; /* in flight, in one list of sotto_api_calls */
    struct sotto_call *previous;
    struct sotto_receipt receipt;
    bool has_receipt; /* it waits in the drive */
    /* Long poll: */
    bool is_waiting;
    uint64_t wait_ms;
    uint64_t expires_tick;
    struct sotto_mail_seen seen;
    struct sotto_call *next_waiting;
    struct sotto_call *previous_waiting;
};

/* Borrowed until the call is gone. */
struct sotto_view sotto_call_body(const struct sotto_call *call);

/* Each answers the request, which ends the call's work; bytes are copied. */
void sotto_call_answer(struct sotto_call *call, int status, const char *type,
                       struct sotto_view body);
/* Lends the bytes until `release` is called. */
void sotto_call_answer_lent(struct sotto_call *call, struct sotto_view body,
                            void (*release)(void *owner), void *owner);
void sotto_call_answer_number(struct sotto_call *call, int status, uint64_t number);
void sotto_call_answer_empty(struct sotto_call *call, int status);
/* Takes `json`, a new reference. */
struct json_t;
void sotto_call_answer_json_take(struct sotto_call *call, int status, struct json_t *json);
/* A problem document with the status's HTTP number. */
void sotto_call_refuse(struct sotto_call *call, enum sotto_status status, const char *detail);

#endif
