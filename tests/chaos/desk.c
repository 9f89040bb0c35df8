#include "tests/chaos/desk.h"

#include <assert.h>
#include <string.h>

#include "coordinator/gate/message.h"
#include "crypto/primitives/hash.h"
#include "tests/chaos/courier.h"
#include "tests/chaos/play.h"

enum { MAIL_BYTES = 16 * 1024 };

static void reply(struct play *play, const struct parcel *request, bool is_taken,
                  struct sotto_view body)
{
    struct parcel told = *request;

    told.kind = PARCEL_REPLY;
    told.is_taken = is_taken;
    play_reply(play, &told, body);
}

static bool is_meant(const struct hub *hub, const struct parcel *request)
{
    return hub->round != NULL && request->round == hub->plan.round &&
           strcmp(request->campaign, hub->plan.campaign) == 0;
}

static enum sotto_status live_mail(struct play *play, struct hub *hub, const struct parcel *poll,
                                   struct sotto_buffer *out)
{
    uint8_t bytes[MAIL_BYTES];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_mail_kind seen = is_meant(hub, poll) ? poll->seen : SOTTO_MAIL_NONE;
    struct watch_deed deed = {.context = &hub->context, .plan = &hub->plan};
    struct sotto_mail mail;
    enum sotto_status status = sotto_round_mail(hub->round, poll->place + 1, seen, &mail, &body);

    if (status != SOTTO_OK)
        return status;
    if (mail.kind == SOTTO_MAIL_SURVIVORS)
        watch_hub_set(&play->watch, &deed, mail.body);
    return sotto_mail_encode(out, &mail);
}

/* Whoever took part in the round before hears how it ended, then of the next. */
static enum sotto_status mail_find(struct play *play, struct hub *hub, const struct parcel *poll,
                                   struct sotto_buffer *out)
{
    const struct hub_book *book = &hub->book;
    bool is_before = book->ended_length > 0 && poll->round == book->ended_round &&
                     strcmp(poll->campaign, book->ended_campaign) == 0;
    bool has_outcome = is_before && poll->seen == SOTTO_MAIL_OUTCOME;

    if (!hub->is_stored)
        return SOTTO_NOT_FOUND;
    if (hub->round != NULL && (!is_before || has_outcome))
        return live_mail(play, hub, poll, out);
    if (has_outcome || book->ended_length == 0)
        return SOTTO_NOT_FOUND;
    return sotto_buffer_add(out, sotto_view_of(book->ended_mail, book->ended_length));
}

static bool mail_answer(struct play *play, struct hub *hub, const struct parcel *poll)
{
    uint8_t bytes[MAIL_BYTES];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    if (mail_find(play, hub, poll, &out) != SOTTO_OK)
        return false;
    reply(play, poll, true, sotto_view_buffer(&out));
    return true;
}

void desk_wake(struct play *play, struct hub *hub)
{
    for (uint32_t place = 0; place < play->weather.sites; place++)
        if (hub->waiting[place].attempt != 0 && mail_answer(play, hub, &hub->waiting[place]))
            hub->waiting[place].attempt = 0;
}

void desk_expire(struct play *play, struct hub *hub, const struct parcel *poll)
{
    struct parcel *waiting = &hub->waiting[poll->place];

    if (waiting->attempt != poll->attempt)
        return;
    reply(play, waiting, false, (struct sotto_view){0});
    waiting->attempt = 0;
}

/* One poll a site: a newer one takes the place of an older. */
static void poll_take(struct play *play, struct hub *hub, const struct parcel *poll)
{
    struct parcel *waiting = &hub->waiting[poll->place];
    struct parcel end = *poll;

    if (waiting->attempt != 0)
        desk_expire(play, hub, waiting);
    if (!hub_settle(play, hub) || mail_answer(play, hub, poll))
        return;
    *waiting = *poll;
    end.kind = PARCEL_CHECK;
    end.life = hub->life;
    play_later(play, &end, (struct sotto_view){0}, COURIER_WAIT_MS);
}

void desk_fetch(struct play *play, const struct hub *hub, const struct parcel *fetch)
{
    const struct ground *ground = play->ground;
    const struct ground_roster *roster = &ground->rosters[play->weather.sites];
    struct sotto_view item = {0};

    if (sotto_digest_equal(&fetch->digest, &roster->digest))
        item = sotto_view_of(roster->bytes, roster->length);
    if (sotto_digest_equal(&fetch->digest, &ground->layout))
        item = sotto_view_of(ground->layout_bytes, ground->layout_length);
    for (size_t i = 0; i < hub->book.version_count; i++)
        if (sotto_digest_equal(&fetch->digest, &hub->versions[i].digest))
            item = sotto_view_of(hub->versions[i].adapter, sizeof hub->versions[i].adapter);
    reply(play, fetch, item.length > 0, item);
}

static struct hub_receipt *receipt_add(struct hub *hub, const struct parcel *request)
{
    struct hub_receipt *receipt = &hub->receipts[hub->receipt_count++];

    assert(hub->receipt_count <= HUB_RECEIPTS_MAX);
    *receipt = (struct hub_receipt){.request = *request, .verdict = SOTTO_OK};
    return receipt;
}

static void event_submit(struct hub *hub, const struct parcel *request,
                         const struct sotto_round_event *event)
{
    struct hub_receipt *receipt = receipt_add(hub, request);

    receipt->is_event = true;
    receipt->digest = event->digest;
    if (event->bytes.length > 0)
        sotto_hash(&receipt->digest, &event->bytes, 1);
    receipt->verdict = SOTTO_UNEXPECTED;
    if (is_meant(hub, request))
        receipt->verdict = hub_event_step(hub, event);
}

static const char *message_name(enum errand_kind errand)
{
    switch (errand) {
    case ERRAND_ADVERT: return "advert";
    case ERRAND_SHARES: return "shares";
    case ERRAND_INCLUSION: return "inclusion";
    case ERRAND_REVEAL: return "reveal";
    case ERRAND_LEAVE:
    case ERRAND_POLL:
    case ERRAND_FETCH:
    case ERRAND_UPLOAD: break;
    }
    return "leave";
}

static void message_take(struct play *play, struct hub *hub, const struct parcel *request,
                         struct sotto_view body)
{
    struct sotto_round_event event;

    if (sotto_gate_message(&event, message_name(request->errand), request->place + 1, body,
                           hub_clock_ms(play, hub)) == SOTTO_OK)
        event_submit(hub, request, &event);
    else
        reply(play, request, false, (struct sotto_view){0});
}

/* Does the round wait for this upload, or has it come before? */
static bool is_upload_due(const struct hub *hub, const struct parcel *request)
{
    const struct sotto_collector *collector;

    if (!is_meant(hub, request) ||
        sotto_round_phase_began_ms(hub->round, SOTTO_ROUND_UPLOADING) == 0)
        return false;
    collector = sotto_round_collector(hub->round);
    if (sotto_round_phase(hub->round) == SOTTO_ROUND_UPLOADING)
        return sotto_secaggplus.collector_expects(collector, request->place + 1);
    return hub->uploads[request->place].is_whole;
}

static void upload_take(struct play *play, struct hub *hub, const struct parcel *request,
                        struct sotto_view body)
{
    struct hub_upload *upload = &hub->uploads[request->place];
    struct sotto_round_event event = {.kind = SOTTO_ROUND_UPLOAD,
                                      .site = request->place + 1,
                                      .at_ms = hub_clock_ms(play, hub),
                                      .digest = request->digest};
    bool is_same = upload->is_whole && sotto_digest_equal(&upload->digest, &request->digest);
    struct hub_receipt *receipt;

    if (!is_upload_due(hub, request) || (upload->is_acknowledged && !is_same)) {
        reply(play, request, false, (struct sotto_view){0});
        return;
    }
    if (upload->is_acknowledged) {
        receipt = receipt_add(hub, request);
        receipt->is_event = true;
        receipt->digest = request->digest;
        return;
    }
    upload->is_whole = true;
    upload->digest = request->digest;
    upload->length = body.length;
    memcpy(upload->bytes, body.at, body.length);
    event_submit(hub, request, &event);
}

static bool is_journalled(const struct hub *hub, const struct hub_receipt *receipt)
{
    for (size_t i = 0; i < hub->committed.event_count; i++) {
        const struct sotto_round_event *event = &hub->events[i].event;
        struct sotto_digest digest = event->digest;

        if (event->bytes.length > 0)
            sotto_hash(&digest, &event->bytes, 1);
        if (event->site == receipt->request.place + 1 &&
            sotto_digest_equal(&digest, &receipt->digest))
            return true;
    }
    return false;
}

void desk_answer(struct play *play, struct hub *hub)
{
    for (size_t i = 0; i < hub->receipt_count; i++) {
        const struct hub_receipt *receipt = &hub->receipts[i];
        bool is_taken = receipt->verdict == SOTTO_OK;

        if (is_taken && receipt->is_event && receipt->request.errand != ERRAND_LEAVE &&
            !is_journalled(hub, receipt))
            watch_tell(&play->watch, VIOLATION_LOST,
                       "a message of site %u is acknowledged and not in the journal",
                       receipt->request.place + 1);
        reply(play, &receipt->request, is_taken, (struct sotto_view){0});
    }
    hub->receipt_count = 0;
}

/* An administrator revokes some site. */
static void revoke(struct play *play, struct hub *hub)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_LEAVE, .at_ms = hub_clock_ms(play, hub)};

    event.site = 1 + (uint32_t)play_below(play, play->weather.sites);
    if (hub->round != NULL)
        hub_event_step(hub, &event);
}

void hub_request(struct play *play, struct hub *hub, const struct parcel *request,
                 struct sotto_view body)
{
    if (!hub->is_up)
        return;
    if (request->errand == ERRAND_POLL) {
        poll_take(play, hub, request);
        return;
    }
    if (request->errand == ERRAND_FETCH) {
        desk_fetch(play, hub, request);
        return;
    }
    if (request->errand == ERRAND_UPLOAD)
        upload_take(play, hub, request, body);
    else
        message_take(play, hub, request, body);
    if (play_chance(play, play->weather.rates.revoked))
        revoke(play, hub);
    if (hub->receipt_count > HUB_RECEIPTS_MAX / 2 ||
        !play_chance(play, play->weather.rates.commit_later))
        hub_settle(play, hub);
    else
        play_later(play, &(struct parcel){.kind = PARCEL_CHECK, .life = hub->life},
                   (struct sotto_view){0}, 1 + play_below(play, 500));
}
