#include "participant/courier/errands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"
#include "participant/channel/note.h"
#include "participant/channel/post.h"

enum { TIMEOUT_MS = 60000, PATH_BYTES = 256, ANSWER_BYTES_MAX = 4096 };
enum {
    HTTP_OK = 200,
    HTTP_NO_CONTENT = 204,
    HTTP_FORBIDDEN = 403,
    HTTP_CONFLICT = 409,
    HTTP_TOO_MANY = 429,
    HTTP_SERVER_FAULTS = 500
};

static const size_t item_bytes_max = ((size_t)1 << 30) + (1 << 20);

static bool is_worth_another_try(enum sotto_status status, int http_status)
{
    if (status != SOTTO_OK)
        return status != SOTTO_OVER_LIMIT && status != SOTTO_NO_MEMORY;
    return http_status == HTTP_TOO_MANY || http_status >= HTTP_SERVER_FAULTS;
}

static void be_patient(struct sotto_errands *errands)
{
    sotto_patience_wait(sotto_patience_fail(&errands->patience, &errands->entropy));
}

/* Until the coordinator answers. exchange->answer is the caller's to free. */
static enum sotto_status insist(struct sotto_errands *errands, struct sotto_exchange *exchange)
{
    enum sotto_status status = SOTTO_OK;

    for (;;) {
        status = sotto_client_exchange(errands->client, exchange, NULL);
        if (!is_worth_another_try(status, exchange->status))
            break;
        free(exchange->answer);
        exchange->answer = NULL;
        be_patient(errands);
    }
    sotto_patience_reset(&errands->patience);
    return status;
}

static const char *reason_of(int http_status)
{
    if (http_status == HTTP_CONFLICT)
        return ": it came too late";
    if (http_status == HTTP_FORBIDDEN)
        return ": its organisation may have all the places of the round already, or its message "
               "did not arrive as it was sent";
    return "";
}

static void tell_unwanted(const struct sotto_errands *errands, const struct sotto_round_name *round,
                          const char *what, int http_status)
{
    struct sotto_note note = {.kind = SOTTO_NOTE_TROUBLE, .round = round->round};

    memcpy(note.campaign, round->campaign, sizeof note.campaign);
    snprintf(note.text, sizeof note.text,
             "the coordinator did not take this site's %s (HTTP status %d)%s", what, http_status,
             reason_of(http_status));
    sotto_note_send(errands->supervisor, &note);
}

static const char *item_name(uint32_t item)
{
    static const char *const names[] = {"roster", "layout", "adapter"};

    return names[item - 1];
}

static enum sotto_status hand_over(const struct sotto_errands *errands,
                                   const struct sotto_letter *asked,
                                   const struct sotto_exchange *exchange)
{
    struct sotto_letter letter = {
        .kind = SOTTO_LETTER_FETCHED, .body = asked->body, .descriptor = -1};
    enum sotto_status status = SOTTO_OK;

    if (exchange->status == HTTP_OK) {
        status = sotto_sealed_open(&letter.descriptor,
                                   sotto_view_of(exchange->answer, exchange->answer_length));
        if (status != SOTTO_OK)
            return status;
    }
    status = sotto_channel_send(errands->sealer, &letter);
    if (letter.descriptor >= 0)
        close(letter.descriptor);
    return status;
}

static enum sotto_status fetch(struct sotto_errands *errands, const struct sotto_letter *letter)
{
    struct sotto_fetch fetch;
    char hex[SOTTO_DIGEST_HEX];
    char path[PATH_BYTES];
    struct sotto_exchange exchange = {
        .method = "GET", .path = path, .timeout_ms = TIMEOUT_MS, .answer_max = item_bytes_max};
    enum sotto_status status = sotto_fetch_decode(&fetch, letter->body);

    if (status != SOTTO_OK)
        return status;
    sotto_digest_hex(hex, &fetch.digest);
    snprintf(path, sizeof path, "/v1/items/%s/%s", item_name(fetch.item), hex);
    if (insist(errands, &exchange) != SOTTO_OK)
        exchange.status = 0;
    status = hand_over(errands, letter, &exchange);
    free(exchange.answer);
    return status;
}

static const char *answer_name(enum sotto_mail_kind answers)
{
    switch (answers) {
    case SOTTO_MAIL_PLAN: return "advert";
    case SOTTO_MAIL_COHORT: return "shares";
    case SOTTO_MAIL_INBOX: return "receipt";
    case SOTTO_MAIL_SURVIVORS: return "inclusion";
    case SOTTO_MAIL_INCLUSIONS: return "reveal";
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_OUTCOME: break;
    }
    return "leave";
}

static void post(struct sotto_errands *errands, const struct sotto_round_name *round,
                 const char *what, struct sotto_view body)
{
    char path[PATH_BYTES];
    struct sotto_exchange exchange = {.method = "POST",
                                      .path = path,
                                      .body = body,
                                      .timeout_ms = TIMEOUT_MS,
                                      .answer_max = ANSWER_BYTES_MAX};

    snprintf(path, sizeof path, "/v1/rounds/%s/%" PRIu32 "/%s", round->campaign, round->round,
             what);
    if (insist(errands, &exchange) != SOTTO_OK || exchange.status != HTTP_NO_CONTENT)
        tell_unwanted(errands, round, what, exchange.status);
    free(exchange.answer);
}

static enum sotto_status post_answer(struct sotto_errands *errands, struct sotto_view body)
{
    struct sotto_post_answer answer;
    enum sotto_status status = sotto_post_answer_decode(&answer, body);

    if (status == SOTTO_OK)
        post(errands, &answer.round, answer_name(answer.answers), answer.bytes);
    return status;
}

static enum sotto_status post_leave(struct sotto_errands *errands, struct sotto_view body)
{
    struct sotto_post_leave leave;
    enum sotto_status status = sotto_post_leave_decode(&leave, body);

    if (status == SOTTO_OK)
        post(errands, &leave.round, answer_name(SOTTO_MAIL_NONE), sotto_view_of(&leave.refusal, 1));
    return status;
}

struct upload {
    struct sotto_post_upload what;
    struct sotto_view bytes;
    uint64_t offset;    /* how far the coordinator has it */
    int http_status;    /* of the last answer */
    unsigned conflicts; /* how often the coordinator was elsewhere than this site thought */
    bool is_refused;
};

enum { CONFLICTS_MAX = 64 };

/*
 * Both "received so far" and "go on from there" are decimal numbers; anything else ends the upload.
 */
static void take_offset(struct upload *upload, const struct sotto_exchange *exchange)
{
    uint64_t offset = 0;
    size_t digits = 0;

    upload->http_status = exchange->status;
    upload->is_refused = true;
    if (exchange->status != HTTP_OK && exchange->status != HTTP_CONFLICT)
        return;
    for (; digits < exchange->answer_length && digits < 18; digits++) {
        if (exchange->answer[digits] < '0' || exchange->answer[digits] > '9')
            return;
        offset = offset * 10 + (uint64_t)(exchange->answer[digits] - '0');
    }
    if (digits == 0 || digits != exchange->answer_length || offset > upload->bytes.length)
        return;
    if (exchange->status == HTTP_CONFLICT && ++upload->conflicts > CONFLICTS_MAX)
        return;
    upload->offset = offset;
    upload->is_refused = false;
}

static enum sotto_status send_chunk(struct sotto_errands *errands, struct upload *upload)
{
    struct sotto_view chunk =
        sotto_view_of(upload->bytes.at + upload->offset, upload->bytes.length - upload->offset);
    char digest_hex[SOTTO_DIGEST_HEX];
    char chunk_hex[SOTTO_DIGEST_HEX];
    char path[PATH_BYTES];
    char header[128];
    struct sotto_exchange exchange = {.method = "PUT",
                                      .path = path,
                                      .headers = {header},
                                      .timeout_ms = TIMEOUT_MS,
                                      .answer_max = ANSWER_BYTES_MAX};
    struct sotto_digest chunk_digest;
    enum sotto_status status = SOTTO_OK;

    if (chunk.length > SOTTO_UPLOAD_CHUNK_BYTES)
        chunk.length = SOTTO_UPLOAD_CHUNK_BYTES;
    exchange.body = chunk;
    sotto_hash(&chunk_digest, &chunk, 1);
    sotto_digest_hex(chunk_hex, &chunk_digest);
    sotto_digest_hex(digest_hex, &upload->what.digest);
    snprintf(header, sizeof header, "Sotto-Chunk-Digest: %s", chunk_hex);
    snprintf(path, sizeof path,
             "/v1/rounds/%s/%" PRIu32 "/upload?offset=%" PRIu64 "&length=%zu&digest=%s",
             upload->what.round.campaign, upload->what.round.round, upload->offset,
             upload->bytes.length, digest_hex);
    status = sotto_client_exchange(errands->client, &exchange, NULL);
    if (is_worth_another_try(status, exchange.status)) {
        free(exchange.answer);
        return SOTTO_BUSY;
    }
    take_offset(upload, &exchange);
    free(exchange.answer);
    return SOTTO_OK;
}

/* After a broken connection nobody but the coordinator knows how far it got. */
static void ask_offset(struct sotto_errands *errands, struct upload *upload)
{
    char path[PATH_BYTES];
    struct sotto_exchange exchange = {
        .method = "GET", .path = path, .timeout_ms = TIMEOUT_MS, .answer_max = ANSWER_BYTES_MAX};

    be_patient(errands);
    snprintf(path, sizeof path, "/v1/rounds/%s/%" PRIu32 "/upload", upload->what.round.campaign,
             upload->what.round.round);
    if (insist(errands, &exchange) != SOTTO_OK)
        exchange.answer_length = 0;
    take_offset(upload, &exchange);
    free(exchange.answer);
}

static void tell_uploaded(const struct sotto_errands *errands, const struct sotto_round_name *round,
                          double seconds)
{
    struct sotto_note note = {
        .kind = SOTTO_NOTE_UPLOADED, .round = round->round, .seconds = seconds};

    memcpy(note.campaign, round->campaign, sizeof note.campaign);
    sotto_note_send(errands->supervisor, &note);
}

static enum sotto_status send_upload(struct sotto_errands *errands,
                                     const struct sotto_letter *letter)
{
    struct upload upload = {0};
    uint64_t start_ns = sotto_clock_steady_ns(&errands->clock);
    enum sotto_status status = sotto_post_upload_decode(&upload.what, letter->body);

    if (status == SOTTO_OK)
        status = sotto_sealed_map(&upload.bytes, letter->descriptor, item_bytes_max);
    if (status != SOTTO_OK)
        return status;
    while (upload.offset < upload.bytes.length && !upload.is_refused)
        if (send_chunk(errands, &upload) == SOTTO_BUSY)
            ask_offset(errands, &upload);
    sotto_patience_reset(&errands->patience);
    if (upload.is_refused)
        tell_unwanted(errands, &upload.what.round, "upload", upload.http_status);
    else
        tell_uploaded(errands, &upload.what.round,
                      1e-9 * (double)(sotto_clock_steady_ns(&errands->clock) - start_ns));
    sotto_sealed_unmap(upload.bytes);
    return SOTTO_OK;
}

static enum sotto_status run(struct sotto_errands *errands, const struct sotto_letter *letter)
{
    switch (letter->kind) {
    case SOTTO_LETTER_FETCH: return fetch(errands, letter);
    case SOTTO_LETTER_ANSWER: return post_answer(errands, letter->body);
    case SOTTO_LETTER_UPLOAD: return send_upload(errands, letter);
    case SOTTO_LETTER_LEAVE: return post_leave(errands, letter->body);
    case SOTTO_LETTER_START:
    case SOTTO_LETTER_NOTE:
    case SOTTO_LETTER_READY:
    case SOTTO_LETTER_LOAD:
    case SOTTO_LETTER_LOADED:
    case SOTTO_LETTER_TRAIN:
    case SOTTO_LETTER_UPDATE:
    case SOTTO_LETTER_ADOPT:
    case SOTTO_LETTER_ADOPTED:
    case SOTTO_LETTER_FAILED:
    case SOTTO_LETTER_MAIL:
    case SOTTO_LETTER_FETCHED:
    case SOTTO_LETTER_KIND_COUNT: break;
    }
    return SOTTO_UNEXPECTED;
}

enum sotto_status sotto_errands_run(struct sotto_errands *errands,
                                    const struct sotto_letter *letter)
{
    enum sotto_status status = run(errands, letter);

    sotto_traffic_tell(&errands->traffic, errands->client, errands->supervisor);
    return status;
}
