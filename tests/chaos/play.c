#include "tests/chaos/play.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How much a calm may take: steps are deliveries. Both are several times what any seed needs. */
enum { CALM_STEPS_MAX = 20000, CALM_STAGES_MAX = 60 };
/* What a message takes in the calm, and how soon every site is there at the beginning. */
enum { CALM_LATENCY_MS = 50, ARRIVAL_MS = 3000 };

bool play_chance(struct play *play, unsigned rate)
{
    return !play->is_calm && rate > 0 && sotto_entropy_below(&play->chance, 1000) < rate;
}

uint64_t play_below(struct play *play, uint64_t bound)
{
    return sotto_entropy_below(&play->chance, bound);
}

void play_later(struct play *play, const struct parcel *parcel, struct sotto_view body,
                uint64_t delay_ms)
{
    size_t length = sizeof *parcel + body.length;
    uint8_t *bytes = malloc(length);
    struct sotto_post post = {.at_ms = play->now_ms + delay_ms};
    enum sotto_status status;

    assert(bytes != NULL);
    memcpy(bytes, parcel, sizeof *parcel);
    if (body.length > 0)
        memcpy(bytes + sizeof *parcel, body.at, body.length);
    status = sotto_timeline_add(&play->timeline, &post, sotto_view_of(bytes, length));
    assert(status == SOTTO_OK);
    free(bytes);
}

static uint64_t latency_of(struct play *play)
{
    if (play->is_calm)
        return 1 + play_below(play, CALM_LATENCY_MS);
    if (play_chance(play, play->weather.rates.slow))
        return 1 + play_below(play, 2 * play->weather.stage_ms);
    return 1 + play_below(play, play->weather.latency_ms);
}

void play_ask(struct play *play, const struct parcel *request, struct sotto_view body)
{
    if (play_chance(play, play->weather.rates.request_twice)) {
        play->tally.requests_repeated++;
        play_later(play, request, body, latency_of(play));
    }
    if (play_chance(play, play->weather.rates.request_lost))
        play->tally.requests_lost++;
    else
        play_later(play, request, body, latency_of(play));
}

void play_reply(struct play *play, const struct parcel *reply, struct sotto_view body)
{
    if (play_chance(play, play->weather.rates.reply_lost))
        play->tally.replies_lost++;
    else
        play_later(play, reply, body, latency_of(play));
}

static void parcel_deliver(struct play *play, const struct parcel *parcel, struct sotto_view body)
{
    struct site *site = &play->sites[parcel->place];

    switch (parcel->kind) {
    case PARCEL_REQUEST:
        if (play->weather.is_lying && !play->is_calm)
            liar_request(play, &play->liar, parcel, body);
        else
            hub_request(play, &play->hub, parcel, body);
        return;
    case PARCEL_REPLY:
    case PARCEL_EXPIRY:
    case PARCEL_RETRY:
    case PARCEL_ECHO: courier_take(play, site, parcel, body); return;
    case PARCEL_LOADED:
    case PARCEL_TRAINED:
    case PARCEL_ADOPTED:
    case PARCEL_READY: site_trainer(play, site, parcel); return;
    case PARCEL_SITE_UP:
        if (play->is_calm || play->liar.colluder != parcel->place + 1)
            site_start(play, site);
        return;
    case PARCEL_HUB_UP: hub_start(play, &play->hub); return;
    case PARCEL_LIAR: liar_wake(play, &play->liar); return;
    case PARCEL_DEADLINE:
    case PARCEL_CHECK:
    case PARCEL_JOB: hub_wake(play, &play->hub, parcel); return;
    }
}

/* false: nothing will ever happen again. */
static bool step(struct play *play)
{
    struct sotto_post post;
    struct parcel parcel;

    if (sotto_timeline_take(&play->timeline, &post) != SOTTO_OK)
        return false;
    play->steps++;
    play->now_ms = post.at_ms;
    memcpy(&parcel, post.bytes, sizeof parcel);
    parcel_deliver(play, &parcel,
                   sotto_view_of(post.bytes + sizeof parcel, post.length - sizeof parcel));
    free(post.bytes);
    return true;
}

static void hub_begin(struct play *play)
{
    struct sotto_definition definition;

    hub_start(play, &play->hub);
    weather_definition(&definition, &play->weather, play->ground, "storm",
                       &play->hub.versions[0].digest);
    hub_campaign(play, &play->hub, &definition);
}

static void begin(struct play *play)
{
    play->is_calm = true;
    hub_open(play, &play->hub);
    if (!play->weather.is_lying)
        hub_begin(play);
    for (uint32_t place = 0; place < play->weather.sites; place++) {
        struct parcel up = {.kind = PARCEL_SITE_UP, .place = place};

        site_open(play, &play->sites[place]);
        play_later(play, &up, (struct sotto_view){0}, play_below(play, ARRIVAL_MS));
    }
    play->is_calm = false;
    if (play->weather.is_lying)
        liar_open(play, &play->liar);
    if (play->liar.colluder != 0)
        play->watch.corrupt = 1u << (play->liar.colluder - 1);
}

static bool is_over(const struct hub *hub)
{
    return hub->is_up && hub->round == NULL && !hub->book.is_open && !hub->book.is_running;
}

/* Up, and done with whatever it was training for: that may still cost it part of its budget. */
static bool is_everybody_ready(const struct play *play)
{
    for (uint32_t place = 0; place < play->weather.sites; place++)
        if (play->sites[place].turn == NULL || play->sites[place].answers_due > 0)
            return false;
    return true;
}

/* Faults have ceased: until the hub rests and all sites are ready. false: that does not come. */
static bool calm_down(struct play *play)
{
    uint64_t steps_max = play->steps + CALM_STEPS_MAX;
    uint64_t end_ms = play->now_ms + CALM_STAGES_MAX * play->weather.stage_ms;

    while (!is_over(&play->hub) || !is_everybody_ready(play))
        if (play->steps >= steps_max || play->now_ms >= end_ms || !step(play))
            return false;
    return true;
}

/* All sites, from an adapter that no earlier sum was made from. */
static void fresh_round(struct play *play)
{
    float adapter[CHAOS_VALUES];
    struct sotto_definition definition;
    struct sotto_digest start;

    for (size_t i = 0; i < CHAOS_VALUES; i++)
        adapter[i] = 0.5f;
    start = hub_version_add(play->ground, &play->hub, adapter);
    weather_definition(&definition, &play->weather, play->ground, "calm", &start);
    definition.rounds = 1;
    definition.cohort_min = definition.cohort_max = play->weather.sites;
    hub_campaign(play, &play->hub, &definition);
}

/* The liar is gone; the colluder's identity is an honest site's from now on. */
static void honest_begin(struct play *play)
{
    struct parcel up = {.kind = PARCEL_SITE_UP, .place = play->liar.colluder - 1};

    hub_start(play, &play->hub);
    if (play->liar.colluder != 0)
        play_later(play, &up, (struct sotto_view){0}, 1);
}

/* A site whose budget is spent refuses for good, as it should. */
static bool can_everybody_pay(const struct play *play)
{
    for (uint32_t place = 0; place < play->weather.sites; place++)
        if (!site_can_pay(&play->sites[place], play->weather.noise_multiplier))
            return false;
    return true;
}

static void calm(struct play *play)
{
    const struct hub_book *book = &play->hub.committed;
    bool is_affordable;

    play->is_calm = true;
    hub_last_round(&play->hub);
    if (play->weather.is_lying)
        honest_begin(play);
    if (!calm_down(play)) {
        watch_tell(&play->watch, VIOLATION_STUCK, "round %u does not end", book->round);
        return;
    }
    is_affordable = can_everybody_pay(play);
    fresh_round(play);
    if (!calm_down(play))
        watch_tell(&play->watch, VIOLATION_STUCK, "the fresh round does not end");
    else if (!is_affordable)
        play->tally.spent++;
    else if (book->progress.finished != 1 || book->round != 1)
        watch_tell(&play->watch, VIOLATION_STUCK, "the fresh round fails: %s", book->ended_reason);
    else if (book->ended_survivors != play->weather.sites)
        watch_tell(&play->watch, VIOLATION_STUCK, "only %u sites are in the fresh sum",
                   book->ended_survivors);
    else
        play->tally.fresh++;
}

void play_run(struct play *play, const struct ground *ground, uint64_t seed, enum sabotage sabotage)
{
    memset(play, 0, sizeof *play);
    play->ground = ground;
    play->sabotage = sabotage;
    play->now_ms = 1000000;
    weather_draw(&play->weather, seed);
    sabotage_weather(sabotage, &play->weather);
    sotto_entropy_init_seeded(&play->chance, ~seed);
    watch_open(&play->watch, &play->weather);
    begin(play);
    play->weather.storm_ms += play->now_ms;
    while (play->now_ms < play->weather.storm_ms && !is_over(&play->hub) && step(play))
        continue;
    liar_count(&play->liar, &play->tally);
    calm(play);
    play->tally.seeds = 1;
    play->tally.lying_seeds = play->weather.is_lying;
    play->tally.steps = play->steps;
}

void play_close(struct play *play)
{
    for (uint32_t place = 0; place < play->weather.sites; place++)
        site_close(&play->sites[place]);
    hub_close(&play->hub);
    liar_close(&play->liar);
    sotto_timeline_close(&play->timeline);
    watch_close(&play->watch);
}
