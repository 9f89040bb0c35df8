#include "tests/core/wire/codecs.h"

#include <string.h>

#include "core/base/base64.h"
#include "core/wire/enrolment.h"
#include "core/wire/mail.h"
#include "core/wire/outcome.h"
#include "core/wire/plan.h"
#include "core/wire/roster.h"
#include "tests/support/plan.h"

static enum sotto_status encode_plan(struct sotto_buffer *out)
{
    struct sotto_plan plan;

    plan_sample(&plan);
    return sotto_plan_encode(out, &plan);
}

static enum sotto_status recode_plan(struct sotto_buffer *out, struct sotto_view bytes)
{
    struct sotto_plan plan;
    enum sotto_status status = sotto_plan_decode(&plan, bytes);

    return status == SOTTO_OK ? sotto_plan_encode(out, &plan) : status;
}

static enum sotto_status encode_mail(struct sotto_buffer *out)
{
    struct sotto_mail mail = {.kind = SOTTO_MAIL_COHORT,
                              .campaign = "wards",
                              .round = 300,
                              .body = sotto_view_text("the protocol's own bytes")};

    memset(mail.signature, 0x66, sizeof mail.signature);
    return sotto_mail_encode(out, &mail);
}

static enum sotto_status recode_mail(struct sotto_buffer *out, struct sotto_view bytes)
{
    struct sotto_mail mail;
    enum sotto_status status = sotto_mail_decode(&mail, bytes);

    return status == SOTTO_OK ? sotto_mail_encode(out, &mail) : status;
}

static enum sotto_status encode_outcome(struct sotto_buffer *out)
{
    struct sotto_outcome outcome = {.kind = SOTTO_OUTCOME_ABANDONED,
                                    .campaign = "wards",
                                    .round = 3,
                                    .is_last = true,
                                    .survivors = 2,
                                    .reason = "too few sites shared their keys"};

    return sotto_outcome_encode(out, &outcome);
}

static enum sotto_status recode_outcome(struct sotto_buffer *out, struct sotto_view bytes)
{
    struct sotto_outcome outcome;
    enum sotto_status status = sotto_outcome_decode(&outcome, bytes);

    return status == SOTTO_OK ? sotto_outcome_encode(out, &outcome) : status;
}

static enum sotto_status encode_roster(struct sotto_buffer *out)
{
    static struct sotto_roster_message roster = {
        .epoch = 9,
        .organisation_count = 2,
        .organisations = {"North Hospital", "south"},
        .count = 16,
    };

    for (uint32_t i = 0; i < roster.count; i++) {
        roster.lines[i].id = 1 + i * 100;
        roster.lines[i].organisation = i % 2;
    }
    return sotto_roster_encode(out, &roster);
}

static enum sotto_status recode_roster(struct sotto_buffer *out, struct sotto_view bytes)
{
    static struct sotto_roster_message roster;
    enum sotto_status status = sotto_roster_decode(&roster, bytes);

    return status == SOTTO_OK ? sotto_roster_encode(out, &roster) : status;
}

/* A token's message is bytes here, so that it can be broken byte by byte. */
static enum sotto_status add_token(struct sotto_buffer *out, const struct sotto_token *token)
{
    char text[SOTTO_TOKEN_TEXT_MAX];
    enum sotto_status status = sotto_token_encode(text, token);

    return status == SOTTO_OK ? sotto_base64_decode(out, text) : status;
}

static enum sotto_status encode_token(struct sotto_buffer *out)
{
    struct sotto_token token = {.url = "https://hub.example:8443",
                                .site = "north",
                                .organisation = "North Hospital",
                                .expires_s = 1800000000};

    return add_token(out, &token);
}

static enum sotto_status recode_token(struct sotto_buffer *out, struct sotto_view bytes)
{
    char text[SOTTO_TOKEN_TEXT_MAX + 64];
    struct sotto_token token;
    enum sotto_status status = sotto_base64_encode(text, sizeof text, bytes);

    if (status == SOTTO_OK)
        status = sotto_token_decode(&token, text);
    return status == SOTTO_OK ? add_token(out, &token) : status;
}

static enum sotto_status encode_request(struct sotto_buffer *out)
{
    struct sotto_enrol_request request = {.certificate_request = sotto_view_text("a DER object")};

    return sotto_enrol_request_encode(out, &request);
}

static enum sotto_status recode_request(struct sotto_buffer *out, struct sotto_view bytes)
{
    struct sotto_enrol_request request;
    enum sotto_status status = sotto_enrol_request_decode(&request, bytes);

    return status == SOTTO_OK ? sotto_enrol_request_encode(out, &request) : status;
}

static enum sotto_status encode_response(struct sotto_buffer *out)
{
    struct sotto_enrol_response response = {.id = 70000,
                                            .certificate = sotto_view_text("a DER object"),
                                            .authority = sotto_view_text("another")};

    return sotto_enrol_response_encode(out, &response);
}

static enum sotto_status recode_response(struct sotto_buffer *out, struct sotto_view bytes)
{
    struct sotto_enrol_response response;
    enum sotto_status status = sotto_enrol_response_decode(&response, bytes);

    return status == SOTTO_OK ? sotto_enrol_response_encode(out, &response) : status;
}

const struct codec codecs[CODEC_COUNT] = {
    {"plan", encode_plan, recode_plan},
    {"mail", encode_mail, recode_mail},
    {"outcome", encode_outcome, recode_outcome},
    {"roster", encode_roster, recode_roster},
    {"token", encode_token, recode_token},
    {"request", encode_request, recode_request},
    {"response", encode_response, recode_response},
};
