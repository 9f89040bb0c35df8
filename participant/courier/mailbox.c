#include "participant/courier/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "participant/channel/note.h"

enum { WAIT_MS = 25000, TIMEOUT_MS = 35000 };
enum { HTTP_OK = 200, HTTP_NO_CONTENT = 204, HTTP_FORBIDDEN = 403, HTTP_UNAVAILABLE = 503 };

/* Says a thing once, not at every try; the words may differ from try to try. */
static void tell_trouble(struct sotto_mailbox *mailbox, int trouble, const char *text)
{
    if (mailbox->trouble != trouble)
        sotto_note_tell(mailbox->supervisor, SOTTO_NOTE_UNREACHABLE, text);
    mailbox->trouble = trouble;
}

static void tell_recovery(struct sotto_mailbox *mailbox)
{
    sotto_patience_reset(&mailbox->patience);
    if (mailbox->trouble != SOTTO_OK)
        sotto_note_tell(mailbox->supervisor, SOTTO_NOTE_REACHABLE, "");
    mailbox->trouble = SOTTO_OK;
}

static void be_patient(struct sotto_mailbox *mailbox)
{
    sotto_patience_wait(sotto_patience_fail(&mailbox->patience, &mailbox->entropy));
}

static void tell_status(struct sotto_mailbox *mailbox, int status)
{
    char text[SOTTO_FAULT_TEXT_MAX];

    if (status == HTTP_FORBIDDEN)
        snprintf(text, sizeof text,
                 "the coordinator does not admit this site: its enrolment was revoked or is not "
                 "known there; ask the administrator for a new token");
    else
        snprintf(text, sizeof text, "the coordinator answers with HTTP status %d instead of mail",
                 status);
    tell_trouble(mailbox, status, text);
}

/* In the letter, or beside it. */
static enum sotto_status hand_over(const struct sotto_mailbox *mailbox, struct sotto_view bytes)
{
    struct sotto_letter letter = {.kind = SOTTO_LETTER_MAIL, .body = bytes, .descriptor = -1};
    enum sotto_status status = SOTTO_OK;

    if (bytes.length > SOTTO_LETTER_BYTES_MAX) {
        letter.body.length = 0;
        status = sotto_sealed_open(&letter.descriptor, bytes);
    }
    if (status == SOTTO_OK)
        status = sotto_channel_send(mailbox->sealer, &letter);
    if (letter.descriptor >= 0)
        close(letter.descriptor);
    return status;
}

static enum sotto_status deliver(struct sotto_mailbox *mailbox, struct sotto_view bytes)
{
    struct sotto_mail mail;

    if (sotto_mail_decode(&mail, bytes) != SOTTO_OK) {
        tell_trouble(mailbox, SOTTO_MALFORMED,
                     "the coordinator sent a mail that does not parse: is it of another "
                     "version than this site?");
        be_patient(mailbox);
        return SOTTO_OK;
    }
    tell_recovery(mailbox);
    memcpy(mailbox->campaign, mail.campaign, sizeof mailbox->campaign);
    mailbox->round = mail.round;
    mailbox->seen = mail.kind;
    return hand_over(mailbox, bytes);
}

static enum sotto_status take_answer(struct sotto_mailbox *mailbox,
                                     const struct sotto_exchange *exchange)
{
    if (exchange->status == HTTP_OK)
        return deliver(mailbox, sotto_view_of(exchange->answer, exchange->answer_length));
    if (exchange->status == HTTP_NO_CONTENT) {
        tell_recovery(mailbox);
        return SOTTO_OK;
    }
    if (exchange->status != HTTP_UNAVAILABLE)
        tell_status(mailbox, exchange->status);
    be_patient(mailbox);
    return SOTTO_OK;
}

enum sotto_status sotto_mailbox_ask(struct sotto_mailbox *mailbox)
{
    char path[160];
    struct sotto_exchange exchange = {.method = "GET",
                                      .path = path,
                                      .timeout_ms = TIMEOUT_MS,
                                      .answer_max = SOTTO_MAIL_BYTES_MAX};
    struct sotto_fault fault;
    enum sotto_status status = SOTTO_OK;

    snprintf(path, sizeof path, "/v1/mail?campaign=%s&round=%" PRIu32 "&seen=%d&wait_ms=%d",
             mailbox->campaign, mailbox->round, (int)mailbox->seen, WAIT_MS);
    status = sotto_client_exchange(mailbox->client, &exchange, &fault);
    if (status != SOTTO_OK) {
        tell_trouble(mailbox, (int)status, fault.text);
        be_patient(mailbox);
        return SOTTO_OK;
    }
    status = take_answer(mailbox, &exchange);
    if (exchange.status == HTTP_OK)
        sotto_traffic_tell(&mailbox->traffic, mailbox->client, mailbox->supervisor);
    free(exchange.answer);
    return status;
}
