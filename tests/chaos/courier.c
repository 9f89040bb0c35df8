#include "tests/chaos/courier.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "tests/chaos/play.h"

enum { TIMEOUT_MS = COURIER_WAIT_MS + 1000, PATIENCE_FIRST_MS = 100, DOUBLINGS_MAX = 5 };

static void ask(struct play *play, struct site *site, struct parcel *request,
                struct sotto_view body)
{
    struct parcel expiry;

    request->kind = PARCEL_REQUEST;
    request->place = site->place;
    request->life = site->life;
    request->attempt = ++play->attempts;
    play_ask(play, request, body);
    expiry = *request;
    expiry.kind = PARCEL_EXPIRY;
    play_later(play, &expiry, (struct sotto_view){0}, TIMEOUT_MS);
}

static void poll_begin(struct play *play, struct site *site)
{
    struct courier *courier = &site->courier;
    struct parcel request = {.errand = ERRAND_POLL, .round = courier->round, .seen = courier->seen};

    memcpy(request.campaign, courier->campaign, sizeof request.campaign);
    ask(play, site, &request, (struct sotto_view){0});
    courier->poll_attempt = request.attempt;
}

static void errand_begin(struct play *play, struct site *site)
{
    struct courier *courier = &site->courier;
    struct courier_errand *errand = &courier->errands[0];

    if (courier->errand_count == 0)
        return;
    ask(play, site, &errand->request, sotto_view_of(errand->body, errand->length));
    courier->errand_attempt = errand->request.attempt;
}

void courier_open(struct play *play, struct site *site)
{
    site->courier = (struct courier){0};
    poll_begin(play, site);
}

void courier_close(struct courier *courier)
{
    for (size_t i = 0; i < courier->errand_count; i++)
        free(courier->errands[i].body);
    courier->errand_count = 0;
}

void courier_send(struct play *play, struct site *site, const struct parcel *request,
                  struct sotto_view body)
{
    struct courier *courier = &site->courier;
    struct courier_errand *errand = &courier->errands[courier->errand_count++];

    assert(courier->errand_count <= COURIER_ERRANDS_MAX);
    *errand = (struct courier_errand){.request = *request, .length = body.length};
    errand->body = malloc(body.length + 1);
    assert(errand->body != NULL);
    if (body.length > 0)
        memcpy(errand->body, body.at, body.length);
    if (courier->errand_count == 1)
        errand_begin(play, site);
}

static void be_patient(struct play *play, const struct parcel *parcel, uint32_t *failures)
{
    struct parcel retry = *parcel;
    uint32_t doublings = *failures < DOUBLINGS_MAX ? *failures : DOUBLINGS_MAX;

    ++*failures;
    retry.kind = PARCEL_RETRY;
    play_later(play, &retry, (struct sotto_view){0},
               1 + play_below(play, (uint64_t)PATIENCE_FIRST_MS << doublings));
}

/* A site that is handed a mail may die of it: nothing may follow that looks at the site. */
static void mail_take(struct play *play, struct site *site, struct sotto_view body)
{
    struct courier *courier = &site->courier;
    struct parcel echo = {.kind = PARCEL_ECHO, .place = site->place, .life = site->life};
    struct sotto_mail mail;

    if (sotto_mail_decode(&mail, body) == SOTTO_OK) {
        memcpy(courier->campaign, mail.campaign, sizeof courier->campaign);
        courier->round = mail.round;
        courier->seen = mail.kind;
    }
    poll_begin(play, site);
    if (play_chance(play, play->weather.rates.mail_twice)) {
        play->tally.mails_repeated++;
        play_later(play, &echo, body, play_below(play, 2 * play->weather.stage_ms));
    }
    site_mail(play, site, body);
}

static void poll_end(struct play *play, struct site *site, const struct parcel *reply,
                     struct sotto_view body)
{
    site->courier.poll_attempt = 0;
    site->courier.poll_failures = 0;
    if (reply->is_taken)
        mail_take(play, site, body);
    else
        poll_begin(play, site);
}

/* What was not taken came too late or was never wanted: the site goes on without. */
static void errand_end(struct play *play, struct site *site, const struct parcel *reply,
                       struct sotto_view body)
{
    struct courier *courier = &site->courier;

    courier->errand_attempt = 0;
    courier->errand_failures = 0;
    free(courier->errands[0].body);
    courier->errand_count--;
    memmove(courier->errands, courier->errands + 1,
            courier->errand_count * sizeof *courier->errands);
    errand_begin(play, site);
    if (reply->errand == ERRAND_FETCH)
        site_fetched(play, site, reply, body);
}

static void reply_take(struct play *play, struct site *site, const struct parcel *reply,
                       struct sotto_view body)
{
    if (reply->attempt == site->courier.poll_attempt)
        poll_end(play, site, reply, body);
    else if (reply->attempt == site->courier.errand_attempt)
        errand_end(play, site, reply, body);
}

static void expiry_take(struct play *play, struct site *site, const struct parcel *expiry)
{
    struct courier *courier = &site->courier;

    if (expiry->attempt == courier->poll_attempt)
        be_patient(play, expiry, &courier->poll_failures);
    else if (expiry->attempt == courier->errand_attempt)
        be_patient(play, expiry, &courier->errand_failures);
}

/* Unless a late reply came while it waited. */
static void retry_take(struct play *play, struct site *site, const struct parcel *retry)
{
    if (retry->attempt == site->courier.poll_attempt)
        poll_begin(play, site);
    else if (retry->attempt == site->courier.errand_attempt)
        errand_begin(play, site);
}

void courier_take(struct play *play, struct site *site, const struct parcel *parcel,
                  struct sotto_view body)
{
    if (site->turn == NULL || parcel->life != site->life)
        return;
    if (parcel->kind == PARCEL_REPLY && !(play->is_calm && parcel->is_lie))
        reply_take(play, site, parcel, body);
    else if (parcel->kind == PARCEL_EXPIRY)
        expiry_take(play, site, parcel);
    else if (parcel->kind == PARCEL_RETRY)
        retry_take(play, site, parcel);
    else if (parcel->kind == PARCEL_ECHO && !play->is_calm)
        site_mail(play, site, body);
}
