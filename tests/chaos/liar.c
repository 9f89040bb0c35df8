#include "tests/chaos/liar.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/outcome.h"
#include "crypto/primitives/hash.h"
#include "tests/chaos/desk.h"
#include "tests/chaos/play.h"

enum { MAIL_BYTES = 16 * 1024, TICK_MS = 300 };

static bool happens(struct play *play, unsigned of_1000)
{
    return play_below(play, 1000) < of_1000;
}

static void plan_sign(struct play *play, struct liar_plan *made)
{
    struct sotto_buffer bytes = sotto_buffer_of(made->bytes, sizeof made->bytes);
    enum sotto_status status = sotto_plan_encode(&bytes, &made->plan);

    assert(status == SOTTO_OK);
    made->length = bytes.length;
    sotto_sign(&made->signature, &play->ground->signing, "sotto/1 plan", sotto_view_buffer(&bytes));
}

/* None, few or many, by chance. */
static unsigned rate_choose(struct play *play, unsigned few, unsigned many)
{
    unsigned rates[] = {0, few, many};

    return rates[play_below(play, 3)];
}

static void temper_choose(struct play *play, struct liar_temper *temper)
{
    *temper = (struct liar_temper){.again = rate_choose(play, 1, 3),
                                   .outcome = rate_choose(play, 0, 1),
                                   .twice = rate_choose(play, 0, 5),
                                   .faithless = rate_choose(play, 0, 200),
                                   .greedy = rate_choose(play, 300, 900),
                                   .elsewhere = rate_choose(play, 0, 100),
                                   .branching = 200 + rate_choose(play, 400, 800),
                                   .impatient = 10 + rate_choose(play, 20, 60),
                                   .lax = rate_choose(play, 200, 500),
                                   .small = rate_choose(play, 300, 900),
                                   .renumbered = rate_choose(play, 0, 300)};
}

/* Mostly the next round; else the newest again, or an earlier one, under other bytes. */
static uint32_t round_choose(struct play *play, struct liar *liar)
{
    if (liar->newest_round == 0 || !happens(play, liar->temper.renumbered))
        return ++liar->newest_round;
    return 1 + (uint32_t)play_below(play, liar->newest_round);
}

static void terms_choose(struct play *play, struct liar *liar, struct sotto_plan *plan)
{
    const struct ground_roster *roster = &play->ground->rosters[play->weather.sites];
    struct sotto_progress progress = {0};
    struct sotto_definition definition;
    uint8_t nonce[32];

    sotto_entropy_fill(&play->chance, nonce, sizeof nonce);
    weather_definition(&definition, &play->weather, play->ground, "storm",
                       &liar->adapters[happens(play, 200)]);
    progress.adapter = definition.adapter;
    progress.round_newest = round_choose(play, liar) - 1;
    if (happens(play, liar->temper.lax))
        definition.survivors_min = CHAOS_SITES_MIN;
    if (happens(play, liar->temper.lax / 2))
        definition.cohort_min = definition.survivors_min;
    if (happens(play, liar->temper.lax / 4))
        definition.corrupt_fraction = 0;
    if (happens(play, liar->temper.lax / 2))
        definition.noise_multiplier *= happens(play, 500) ? 0.6 : 0;
    sotto_timetable_plan(plan, &definition, &progress,
                         &(struct sotto_round_terms){.roster = &roster->digest,
                                                     .roster_epoch = roster->roster.epoch,
                                                     .nonce = nonce});
}

static void context_of(struct sotto_digest *context, const struct liar_plan *made)
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"),
                                 sotto_view_of(made->bytes, made->length)};

    sotto_hash(context, parts, 2);
}

static void plan_begin(struct play *play, struct liar *liar)
{
    struct liar_plan *made = &liar->plans[liar->plan_count++];
    struct story_setup setup = {.ground = play->ground,
                                .roster = &play->ground->rosters[play->weather.sites].roster,
                                .plan = &made->plan,
                                .colluder = liar->colluder};

    *made = (struct liar_plan){.story_count = 1};
    terms_choose(play, liar, &made->plan);
    plan_sign(play, made);
    context_of(&setup.context, made);
    setup.cohort_min = made->plan.cohort_min;
    setup.survivors_min = made->plan.survivors_min;
    if (happens(play, liar->temper.small))
        setup.cohort_min = setup.survivors_min = CHAOS_SITES_MIN;
    story_open(&made->stories[0], &setup);
}

void liar_open(struct play *play, struct liar *liar)
{
    float adapter[CHAOS_VALUES];

    *liar = (struct liar){0};
    for (size_t i = 0; i < CHAOS_VALUES; i++)
        adapter[i] = 0.25f;
    liar->adapters[0] = play->hub.versions[0].digest;
    liar->adapters[1] = hub_version_add(play->ground, &play->hub, adapter);
    play->hub.committed = play->hub.book;
    if (happens(play, 500))
        liar->colluder = 1 + (uint32_t)play_below(play, play->weather.sites);
    temper_choose(play, &liar->temper);
    plan_begin(play, liar);
    liar_wake(play, liar);
}

void liar_count(const struct liar *liar, struct tally *tally)
{
    for (size_t i = 0; i < liar->plan_count; i++)
        for (size_t j = 0; j < liar->plans[i].story_count; j++)
            tally->stories[story_stage(&liar->plans[i].stories[j])]++;
}

void liar_close(struct liar *liar)
{
    for (size_t i = 0; i < liar->plan_count; i++)
        for (size_t j = 0; j < liar->plans[i].story_count; j++)
            story_close(&liar->plans[i].stories[j]);
    for (size_t i = 0; i < LIAR_MAILS_MAX; i++)
        free(liar->mails[i].bytes);
}

static void mail_keep(struct liar *liar, struct sotto_view bytes)
{
    struct liar_mail *mail = &liar->mails[liar->mail_count++ % LIAR_MAILS_MAX];

    free(mail->bytes);
    mail->bytes = malloc(bytes.length);
    assert(mail->bytes != NULL);
    memcpy(mail->bytes, bytes.at, bytes.length);
    mail->length = bytes.length;
}

static void reply(struct play *play, const struct parcel *request, bool is_taken,
                  struct sotto_view body)
{
    struct parcel told = *request;

    told.kind = PARCEL_REPLY;
    told.is_taken = is_taken;
    told.is_lie = true;
    play_reply(play, &told, body);
}

static void mail_send(struct play *play, struct liar *liar, uint32_t place, struct sotto_view bytes)
{
    reply(play, &liar->waiting[place], true, bytes);
    liar->waiting[place].attempt = 0;
}

/* Puts a body into its envelope, keeps it and sends it. */
static void mail_write(struct play *play, struct liar *liar, uint32_t place,
                       const struct sotto_mail *mail)
{
    uint8_t bytes[MAIL_BYTES];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_status status = sotto_mail_encode(&out, mail);

    assert(status == SOTTO_OK);
    mail_keep(liar, sotto_view_buffer(&out));
    mail_send(play, liar, place, sotto_view_buffer(&out));
}

static void mail_again(struct play *play, struct liar *liar, uint32_t place)
{
    size_t kept = liar->mail_count < LIAR_MAILS_MAX ? liar->mail_count : LIAR_MAILS_MAX;
    const struct liar_mail *mail;

    if (kept == 0)
        return;
    play->tally.lies_again++;
    mail = &liar->mails[play_below(play, kept)];
    mail_send(play, liar, place, sotto_view_of(mail->bytes, mail->length));
}

static void outcome_send(struct play *play, struct liar *liar, uint32_t place)
{
    const struct sotto_plan *plan = &liar->plans[play_below(play, liar->plan_count)].plan;
    bool is_finished = happens(play, 700);
    struct sotto_outcome outcome = {.kind = is_finished ? SOTTO_OUTCOME_FINISHED
                                                        : SOTTO_OUTCOME_ABANDONED,
                                    .round = plan->round,
                                    .adapter = liar->adapters[play_below(play, 2)],
                                    .layout = plan->layout,
                                    .survivors = is_finished ? CHAOS_SITES_MIN : 0};
    struct sotto_mail mail = {.kind = SOTTO_MAIL_OUTCOME, .round = plan->round};
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_signature signature;
    enum sotto_status status;

    if (!is_finished)
        memcpy(outcome.reason, "so it is", sizeof "so it is");
    memcpy(outcome.campaign, plan->campaign, sizeof outcome.campaign);
    memcpy(mail.campaign, plan->campaign, sizeof mail.campaign);
    status = sotto_outcome_encode(&body, &outcome);
    assert(status == SOTTO_OK);
    mail.body = sotto_view_buffer(&body);
    sotto_sign(&signature, &play->ground->signing, "sotto/1 outcome", mail.body);
    memcpy(mail.signature, signature.bytes, sizeof mail.signature);
    mail_write(play, liar, place, &mail);
}

static void plan_send(struct play *play, struct liar *liar, uint32_t place,
                      const struct liar_plan *made)
{
    struct sotto_mail mail = {.kind = SOTTO_MAIL_PLAN,
                              .round = made->plan.round,
                              .body = sotto_view_of(made->bytes, made->length)};

    memcpy(mail.campaign, made->plan.campaign, sizeof mail.campaign);
    memcpy(mail.signature, made->signature.bytes, sizeof mail.signature);
    mail_write(play, liar, place, &mail);
}

static enum sotto_mail_kind mail_of_stage(enum sotto_stage stage)
{
    switch (stage) {
    case SOTTO_STAGE_GATHERING: return SOTTO_MAIL_PLAN;
    case SOTTO_STAGE_SHARING: return SOTTO_MAIL_COHORT;
    case SOTTO_STAGE_UPLOADING: return SOTTO_MAIL_INBOX;
    case SOTTO_STAGE_INCLUDING: return SOTTO_MAIL_SURVIVORS;
    case SOTTO_STAGE_REVEALING: return SOTTO_MAIL_INCLUSIONS;
    case SOTTO_STAGE_UNMASKED:
    case SOTTO_STAGE_FAILED: break;
    }
    return SOTTO_MAIL_NONE;
}

static size_t story_choose(struct play *play, const struct liar *liar, uint32_t place,
                           const struct liar_plan *made)
{
    size_t which = made->loyal[place];
    bool is_late = story_stage(&made->stories[which]) >= SOTTO_STAGE_INCLUDING;

    if (happens(play, is_late ? liar->temper.greedy : 0) || happens(play, liar->temper.faithless))
        which = play_below(play, made->story_count);
    return which;
}

/* What a story has for this site, unless it has had it. */
static void story_send(struct play *play, struct liar *liar, uint32_t place, struct liar_plan *made)
{
    size_t which = story_choose(play, liar, place, made);
    const struct story *story = &made->stories[which];
    enum sotto_mail_kind *told = &made->told[which][place];
    uint8_t bytes[MAIL_BYTES];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_mail mail = {.kind = mail_of_stage(story_stage(story)), .round = made->plan.round};

    if (mail.kind <= *told && !happens(play, liar->temper.twice))
        return;
    if (mail.kind == SOTTO_MAIL_PLAN) {
        *told = mail.kind;
        plan_send(play, liar, place, made);
        return;
    }
    if (mail.kind == SOTTO_MAIL_NONE || story_tell(story, place + 1, &body) != SOTTO_OK)
        return;
    *told = mail.kind;
    made->asked[place] = which;
    memcpy(mail.campaign, made->plan.campaign, sizeof mail.campaign);
    mail.body = sotto_view_buffer(&body);
    mail_write(play, liar, place, &mail);
}

static void serve(struct play *play, struct liar *liar, uint32_t place)
{
    size_t newest = liar->plan_count - 1;
    size_t which =
        happens(play, liar->temper.elsewhere) ? play_below(play, liar->plan_count) : newest;

    if (happens(play, liar->temper.again))
        mail_again(play, liar, place);
    else if (happens(play, liar->temper.outcome))
        outcome_send(play, liar, place);
    else
        story_send(play, liar, place, &liar->plans[which]);
}

/* Have all answered who hear this story? */
static bool is_ripe(const struct liar_plan *made, size_t which)
{
    const struct sotto_collector *collector = made->stories[which].collector;

    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++)
        if (made->loyal[place] == which &&
            sotto_secaggplus.collector_expects(collector, place + 1) &&
            !sotto_secaggplus.collector_has_answered(collector, place + 1))
            return false;
    return true;
}

static uint32_t answered(const struct story *story)
{
    uint32_t set = 0;

    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++)
        set |= (uint32_t)sotto_secaggplus.collector_has_answered(story->collector, place + 1)
               << place;
    return set;
}

/* Would the story go on if the stage were closed now, with so many less? */
static bool is_enough(const struct story *story, uint32_t less)
{
    uint32_t needed = sotto_secaggplus.collector_cohort_count(story->collector) / 2 + 2;

    if (story_stage(story) == SOTTO_STAGE_GATHERING)
        needed = story->setup.cohort_min;
    else if (story_stage(story) <= SOTTO_STAGE_UPLOADING && needed < story->setup.survivors_min)
        needed = story->setup.survivors_min;
    return (uint32_t)__builtin_popcount(answered(story)) >= needed + less;
}

/* One of those who have answered; the colluder says what the liar wants. */
static uint32_t victim_choose(struct play *play, const struct liar *liar, const struct story *story)
{
    uint32_t set = answered(story), place;

    if (liar->colluder != 0)
        set &= ~(1u << (liar->colluder - 1));
    if (set == 0)
        return 0;
    do
        place = (uint32_t)play_below(play, CHAOS_SITES_MAX);
    while ((set >> place & 1) == 0);
    return 1u << place;
}

/* The same beginning without what one site said last; some of those who heard it hear this. */
static struct story *story_branch(struct play *play, struct liar *liar, struct liar_plan *made,
                                  size_t from)
{
    size_t which = made->story_count++;
    unsigned share = (unsigned)play_below(play, 1000);

    story_fork(&made->stories[which], &made->stories[from],
               victim_choose(play, liar, &made->stories[from]));
    memcpy(made->told[which], made->told[from], sizeof made->told[which]);
    for (uint32_t place = 0; place < play->weather.sites; place++)
        if (made->loyal[place] == from && happens(play, share))
            made->loyal[place] = which;
    play->tally.lies_branched++;
    return &made->stories[which];
}

/* Should the stage be closed now? */
static bool is_time(struct play *play, const struct liar *liar, const struct liar_plan *made,
                    size_t which)
{
    const struct story *story = &made->stories[which];

    if (story_stage(story) > SOTTO_STAGE_REVEALING)
        return false;
    if (!is_enough(story, 0))
        return is_ripe(made, which) && happens(play, 10);
    if (is_ripe(made, which))
        return happens(play, 400);
    return happens(play,
                   liar->temper.impatient / (story_stage(story) == SOTTO_STAGE_GATHERING ? 4 : 1));
}

/* Closes the stage, perhaps in two ways. */
static void story_advance(struct play *play, struct liar *liar, struct liar_plan *made,
                          size_t which)
{
    struct sotto_collector_event close = {.kind = SOTTO_COLLECTOR_CLOSE};
    struct story *story = &made->stories[which];
    enum sotto_stage stage = story_stage(story);

    if (!is_time(play, liar, made, which))
        return;
    if (stage <= SOTTO_STAGE_UPLOADING && made->story_count < LIAR_STORIES_MAX &&
        is_enough(story, 1) &&
        happens(play, liar->temper.branching / (stage == SOTTO_STAGE_UPLOADING ? 1 : 2)))
        story_take(story_branch(play, liar, made, which), &close);
    story_take(story, &close);
}

static bool is_told_out(const struct liar_plan *made)
{
    for (size_t i = 0; i < made->story_count; i++)
        if (story_stage(&made->stories[i]) <= SOTTO_STAGE_REVEALING)
            return false;
    return true;
}

void liar_wake(struct play *play, struct liar *liar)
{
    struct parcel tick = {.kind = PARCEL_LIAR};
    const struct liar_plan *newest = &liar->plans[liar->plan_count - 1];

    if (play->is_calm)
        return;
    for (size_t i = 0; i < liar->plan_count; i++)
        for (size_t j = 0; j < liar->plans[i].story_count; j++)
            story_advance(play, liar, &liar->plans[i], j);
    if (liar->plan_count < LIAR_PLANS_MAX && happens(play, is_told_out(newest) ? 300 : 3))
        plan_begin(play, liar);
    for (uint32_t place = 0; place < play->weather.sites; place++)
        if (liar->waiting[place].attempt != 0)
            serve(play, liar, place);
    play_later(play, &tick, (struct sotto_view){0}, 1 + play_below(play, TICK_MS));
}

static enum sotto_collector_event_kind event_of(enum errand_kind errand)
{
    switch (errand) {
    case ERRAND_ADVERT: return SOTTO_COLLECTOR_ADVERT;
    case ERRAND_SHARES: return SOTTO_COLLECTOR_SHARES;
    case ERRAND_UPLOAD: return SOTTO_COLLECTOR_UPLOAD;
    case ERRAND_INCLUSION: return SOTTO_COLLECTOR_INCLUSION;
    case ERRAND_REVEAL: return SOTTO_COLLECTOR_REVEAL;
    case ERRAND_POLL:
    case ERRAND_FETCH:
    case ERRAND_LEAVE: break;
    }
    return SOTTO_COLLECTOR_LEAVE;
}

/* Every story of the plan hears it, but shares and reveals only that from which it was asked. */
static void plan_take(struct liar_plan *made, const struct sotto_collector_event *event)
{
    bool is_of_one = event->kind == SOTTO_COLLECTOR_SHARES || event->kind == SOTTO_COLLECTOR_REVEAL;

    for (size_t i = 0; i < made->story_count; i++)
        if (!is_of_one || made->asked[event->id - 1] == i)
            story_take(&made->stories[i], event);
}

static void answer_take(struct play *play, struct liar *liar, const struct parcel *request,
                        struct sotto_view body)
{
    struct sotto_collector_event event = {.kind = event_of(request->errand),
                                          .id = request->place + 1,
                                          .bytes = body,
                                          .digest = request->digest};
    /* Whoever refuses a number is still there in the round that it took part in. */
    bool is_heard = request->refusal != SOTTO_REFUSAL_ROUND_NOT_NEW;

    if (event.kind == SOTTO_COLLECTOR_UPLOAD)
        event.bytes = (struct sotto_view){0};
    for (size_t i = 0; i < liar->plan_count; i++)
        if (is_heard && liar->plans[i].plan.round == request->round &&
            strcmp(liar->plans[i].plan.campaign, request->campaign) == 0)
            plan_take(&liar->plans[i], &event);
    reply(play, request, !happens(play, 30), (struct sotto_view){0});
}

void liar_request(struct play *play, struct liar *liar, const struct parcel *request,
                  struct sotto_view body)
{
    if (request->errand == ERRAND_POLL)
        liar->waiting[request->place] = *request;
    else if (request->errand == ERRAND_FETCH)
        desk_fetch(play, &play->hub, request);
    else
        answer_take(play, liar, request, body);
}
