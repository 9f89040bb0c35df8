#include "coordinator/api/site.h"

#include <inttypes.h>
#include <string.h>

#include "coordinator/api/api.h"
#include "coordinator/enrol/enrolment.h"
#include "coordinator/gate/message.h"

void sotto_site_enrol(struct sotto_call *call)
{
    struct sotto_api_setup *setup = &call->api->setup;
    uint8_t bytes[SOTTO_ENROL_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_fault fault;
    enum sotto_status status =
        sotto_enrolment_admit(setup->ledger, &out, setup->keys, sotto_call_body(call),
                              sotto_clock_wall_ms(setup->clock), &fault);

    if (status != SOTTO_OK) {
        sotto_log_write(setup->log, SOTTO_LOG_WARNING, "enrolment refused: %s", fault.text);
        sotto_call_refuse(call, status, fault.text);
        return;
    }
    if (sotto_drive_settle(setup->drive) == SOTTO_OK)
        sotto_call_answer(call, 200, "application/octet-stream", sotto_view_buffer(&out));
}

static bool round_parse(struct sotto_call *call, uint32_t *round)
{
    uint64_t number;

    if (sotto_decimal_parse(&number, call->words[1]) != SOTTO_OK || number > UINT32_MAX) {
        sotto_call_refuse(call, SOTTO_MALFORMED, "the round is not a decimal number");
        return false;
    }
    *round = (uint32_t)number;
    return true;
}

/* Why an event was refused, in words. */
static const char *verdict_sentence(enum sotto_status verdict)
{
    switch (verdict) {
    case SOTTO_MALFORMED: return "the message does not parse";
    case SOTTO_FORGED: return "the message's signature or digest is wrong";
    case SOTTO_UNEXPECTED: return "the round does not wait for this message now";
    case SOTTO_OVER_LIMIT: return "the cohort is full, or the message is too long";
    case SOTTO_MISMATCH: return "another message of this kind was taken before";
    case SOTTO_NOT_FOUND: return "this round is not running, or the site is not in its cohort";
    case SOTTO_REFUSED:
        return "the cohort has as many members of this site's organisation as the plan allows";
    case SOTTO_OK:
    case SOTTO_BUSY:
    case SOTTO_UNSUPPORTED:
    case SOTTO_NO_MEMORY:
    case SOTTO_IO: break;
    }
    return "the message could not be taken";
}

/* A message of a round that is over, or was never, came at a wrong time. */
static enum sotto_status verdict_of_receipt(const struct sotto_receipt *receipt)
{
    return receipt->verdict == SOTTO_NOT_FOUND ? SOTTO_UNEXPECTED : receipt->verdict;
}

static void message_done(struct sotto_receipt *receipt)
{
    struct sotto_call *call = receipt->context;
    enum sotto_status verdict = verdict_of_receipt(receipt);

    call->has_receipt = false;
    if (verdict == SOTTO_OK)
        sotto_call_answer_empty(call, 204);
    else
        sotto_call_refuse(call, verdict, verdict_sentence(receipt->verdict));
}

static void receipt_make(struct sotto_call *call, void (*done)(struct sotto_receipt *receipt))
{
    call->receipt = (struct sotto_receipt){.done = done, .context = call};
    call->has_receipt = true;
}

static void event_submit(struct sotto_call *call, uint32_t round,
                         const struct sotto_round_event *event,
                         void (*done)(struct sotto_receipt *receipt))
{
    receipt_make(call, done);
    sotto_drive_submit(call->api->setup.drive, call->words[0], round, event, &call->receipt);
}

void sotto_site_message(struct sotto_call *call)
{
    struct sotto_round_event event;
    uint32_t round;
    enum sotto_status status;

    if (!round_parse(call, &round))
        return;
    status = sotto_gate_message(&event, call->words[2], call->site.id, sotto_call_body(call),
                                sotto_clock_wall_ms(call->api->setup.clock));
    if (status != SOTTO_OK) {
        sotto_call_refuse(call, status, "this is no message of a round");
        return;
    }
    if (event.kind == SOTTO_ROUND_LEAVE)
        sotto_log_write(call->api->setup.log, SOTTO_LOG_WARNING,
                        "site %s leaves round %" PRIu32 ": %s", call->site.name, round,
                        sotto_refusal_sentence((enum sotto_refusal)event.reason));
    event_submit(call, round, &event, message_done);
}

/* The running round, if it is the one meant and this site's upload has a place in it. */
static struct sotto_live *upload_live(struct sotto_call *call, uint32_t *round)
{
    struct sotto_live *live = sotto_drive_live(call->api->setup.drive);
    const struct sotto_plan *plan;

    if (!round_parse(call, round))
        return NULL;
    plan = live == NULL ? NULL : sotto_round_plan(live->round);
    if (plan == NULL || plan->round != *round || strcmp(plan->campaign, call->words[0]) != 0 ||
        sotto_round_phase_began_ms(live->round, SOTTO_ROUND_UPLOADING) == 0) {
        sotto_call_refuse(call, SOTTO_UNEXPECTED, "this round does not wait for uploads now");
        return NULL;
    }
    return live;
}

void sotto_site_upload_show(struct sotto_call *call)
{
    uint32_t round;
    struct sotto_live *live = upload_live(call, &round);

    if (live != NULL)
        sotto_call_answer_number(call, 200, sotto_spool_received(&live->spool, call->site.id));
}

static void upload_done(struct sotto_receipt *receipt)
{
    struct sotto_call *call = receipt->context;
    struct sotto_live *live = sotto_drive_live(call->api->setup.drive);
    enum sotto_status verdict = verdict_of_receipt(receipt);

    call->has_receipt = false;
    if (verdict == SOTTO_OK && live != NULL)
        sotto_call_answer_number(call, 200, live->spool.total);
    else
        sotto_call_refuse(call, verdict, verdict_sentence(receipt->verdict));
}

/* 409 with the offset where a part goes on; everything else is a problem. */
static void chunk_refuse(struct sotto_call *call, enum sotto_status status,
                         const struct sotto_upload *upload, const struct sotto_fault *fault)
{
    if (status == SOTTO_UNEXPECTED && upload != NULL) {
        sotto_call_answer_number(call, 409, upload->received);
        return;
    }
    if (status == SOTTO_IO)
        sotto_log_write(call->api->setup.log, SOTTO_LOG_ERROR, "%s", fault->text);
    if (status == SOTTO_FORGED || status == SOTTO_MISMATCH)
        status = SOTTO_MALFORMED;
    sotto_call_refuse(call, status, fault->text);
}

static void chunk_take(struct sotto_call *call, struct sotto_live *live, uint32_t round,
                       struct sotto_chunk *chunk)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_UPLOAD, .site = call->site.id};
    const struct sotto_upload *upload;
    struct sotto_fault fault;
    enum sotto_status status =
        sotto_spool_take(&live->spool, call->site.id, chunk, &upload, &fault);

    if (status != SOTTO_OK) {
        chunk_refuse(call, status, upload, &fault);
        return;
    }
    if (upload->state == SOTTO_UPLOAD_ACKNOWLEDGED) {
        /* A repeat on another connection may be quicker than the commit of the first. */
        receipt_make(call, upload_done);
        sotto_drive_await(call->api->setup.drive, &call->receipt);
        return;
    }
    if (upload->state != SOTTO_UPLOAD_WHOLE) {
        sotto_call_answer_number(call, 200, upload->received);
        return;
    }
    event.at_ms = sotto_clock_wall_ms(call->api->setup.clock);
    event.digest = upload->digest;
    event_submit(call, round, &event, upload_done);
}

/* A site that did not hear that its upload was taken may ask again at any later time. */
static bool upload_is_due(struct sotto_call *call, struct sotto_live *live)
{
    const struct sotto_collector *collector = sotto_round_collector(live->round);

    if (!live->setup.protocol->collector_expects(collector, call->site.id) &&
        sotto_round_phase(live->round) == SOTTO_ROUND_UPLOADING) {
        sotto_call_refuse(call, SOTTO_REFUSED, "the round does not wait for this site's upload");
        return false;
    }
    if (sotto_round_phase(live->round) != SOTTO_ROUND_UPLOADING &&
        sotto_spool_received(&live->spool, call->site.id) != live->spool.total) {
        sotto_call_refuse(call, SOTTO_UNEXPECTED, "the round does not wait for uploads any more");
        return false;
    }
    return true;
}

void sotto_site_upload(struct sotto_call *call)
{
    struct sotto_chunk_texts texts = {
        .offset = sotto_request_query(call->request, "offset"),
        .length = sotto_request_query(call->request, "length"),
        .upload_digest = sotto_request_query(call->request, "digest"),
        .chunk_digest = sotto_request_header(call->request, "sotto-chunk-digest")};
    struct sotto_chunk chunk;
    struct sotto_fault fault;
    uint32_t round;
    struct sotto_live *live = upload_live(call, &round);

    if (live == NULL)
        return;
    if (!upload_is_due(call, live))
        return;
    if (sotto_chunk_parse(&chunk, &texts, &fault) != SOTTO_OK) {
        sotto_call_refuse(call, SOTTO_MALFORMED, fault.text);
        return;
    }
    chunk.bytes = sotto_call_body(call);
    chunk_take(call, live, round, &chunk);
}
