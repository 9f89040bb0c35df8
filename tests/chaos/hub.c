#include "tests/chaos/hub.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/apply/apply.h"
#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "tests/chaos/desk.h"
#include "tests/chaos/play.h"

/* As the drive has it: how long sites may need to notice that a coordinator is back. */
enum { RESTART_GRACE_MS = 10000, JOB_MS = 200 };

static struct watch_deed deed_of(const struct hub *hub)
{
    return (struct watch_deed){.context = &hub->context, .plan = &hub->plan};
}

static void memory_close(struct hub *hub)
{
    if (hub->round != NULL)
        sotto_round_wipe(hub->round);
    sotto_arena_close(&hub->arena);
    hub->round = NULL;
}

uint64_t hub_clock_ms(const struct play *play, const struct hub *hub)
{
    return play->now_ms + hub->clock_ahead_ms;
}

void hub_open(struct play *play, struct hub *hub)
{
    *hub = (struct hub){0};
    ground_adapter_finish(play->ground, &hub->versions[0].digest, hub->versions[0].adapter);
    hub->book.version_count = 1;
    hub->committed = hub->book;
}

void hub_close(struct hub *hub)
{
    memory_close(hub);
    for (size_t i = 0; i < HUB_EVENTS_MAX; i++)
        free(hub->events[i].bytes);
}

static void hub_crash(struct play *play, struct hub *hub)
{
    struct parcel up = {.kind = PARCEL_HUB_UP};
    enum sotto_round_phase phase =
        hub->round == NULL ? SOTTO_ROUND_FINISHED : sotto_round_phase(hub->round);

    play->tally.hub_crashes[phase]++;
    memory_close(hub);
    hub->is_up = false;
    play_later(play, &up, (struct sotto_view){0}, 1 + play_below(play, play->weather.downtime_ms));
}

/* Between two effects. */
static bool strikes(struct play *play, struct hub *hub)
{
    if (!play_chance(play, play->weather.rates.hub_crash))
        return false;
    hub_crash(play, hub);
    return true;
}

static bool is_over(const struct hub *hub)
{
    enum sotto_round_phase phase = sotto_round_phase(hub->round);

    return phase == SOTTO_ROUND_FINISHED || phase == SOTTO_ROUND_ABANDONED;
}

static void event_append(struct hub *hub, const struct sotto_round_event *event)
{
    struct hub_event *kept = &hub->events[hub->book.event_count++];

    assert(hub->book.event_count <= HUB_EVENTS_MAX);
    free(kept->bytes);
    kept->event = *event;
    kept->bytes = malloc(event->bytes.length + 1);
    assert(kept->bytes != NULL);
    if (event->bytes.length > 0)
        memcpy(kept->bytes, event->bytes.at, event->bytes.length);
    kept->event.bytes.at = kept->bytes;
}

/* The outcome, and how far the campaign has come. */
static void ending_append(struct hub *hub)
{
    struct hub_book *book = &hub->book;
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_buffer mail_bytes = sotto_buffer_of(book->ended_mail, sizeof book->ended_mail);
    bool is_finished = sotto_round_phase(hub->round) == SOTTO_ROUND_FINISHED;
    struct sotto_outcome outcome;
    struct sotto_mail mail;
    enum sotto_status status = sotto_round_mail(hub->round, 0, SOTTO_MAIL_NONE, &mail, &body);

    if (status == SOTTO_OK)
        status = sotto_mail_encode(&mail_bytes, &mail);
    if (status == SOTTO_OK)
        status = sotto_outcome_decode(&outcome, mail.body);
    assert(status == SOTTO_OK);
    book->is_open = false;
    book->ended_length = mail_bytes.length;
    book->ended_round = hub->plan.round;
    book->ended_survivors = outcome.survivors;
    memcpy(book->ended_reason, outcome.reason, sizeof book->ended_reason);
    memcpy(book->ended_campaign, hub->plan.campaign, sizeof book->ended_campaign);
    book->progress.finished += is_finished;
    book->progress.abandoned_in_a_row = is_finished ? 0 : book->progress.abandoned_in_a_row + 1;
    book->progress.adapter = outcome.adapter;
}

static void job_push(struct hub *hub, enum sotto_round_job kind, uint32_t site)
{
    assert(hub->job_count < HUB_JOBS_MAX);
    hub->jobs[hub->job_count++] = (struct hub_job){.kind = kind, .site = site};
}

/* What both a fresh and a replayed event lead to. */
static void effects_keep(struct hub *hub, const struct sotto_round_event *event,
                         const struct sotto_round_effects *effects)
{
    if (effects->deadline_ms != 0) {
        hub->deadline_ms = effects->deadline_ms;
        hub->is_complete = effects->deadline_ms == event->at_ms;
    }
    if (effects->verdict == SOTTO_OK && event->kind == SOTTO_ROUND_UPLOAD)
        hub->uploads[event->site - 1].is_acknowledged = true;
    if (is_over(hub))
        hub->job_count = 0;
    else if (effects->job != SOTTO_ROUND_JOB_NONE)
        job_push(hub, effects->job, effects->job_site);
}

enum sotto_status hub_event_step(struct hub *hub, const struct sotto_round_event *event)
{
    struct sotto_round_effects effects;

    sotto_round_step(hub->round, event, &effects);
    hub->has_mail = hub->has_mail || effects.mail;
    if (!effects.store)
        return effects.verdict;
    hub->is_stored = false;
    event_append(hub, event);
    if (effects.mail && is_over(hub))
        ending_append(hub);
    effects_keep(hub, event, &effects);
    return effects.verdict;
}

static void round_take_up(struct play *play, struct hub *hub)
{
    struct hub_book *book = &hub->book;
    struct sotto_view plan_bytes = sotto_view_of(book->plan, book->plan_length);
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), plan_bytes};
    struct sotto_round_setup setup = {.protocol = &sotto_secaggplus,
                                      .plan_bytes = plan_bytes,
                                      .plan_signature = book->signature.bytes,
                                      .roster = &play->ground->rosters[play->weather.sites].roster,
                                      .signing = &play->ground->signing,
                                      .opened_ms = book->opened_ms,
                                      .is_last = book->is_last};
    struct sotto_round_effects effects = {0};
    enum sotto_status status = sotto_plan_decode(&hub->plan, plan_bytes);

    memory_close(hub);
    sotto_hash(&hub->context, parts, 2);
    memset(hub->sum, 0, sizeof hub->sum);
    hub->job_count = 0;
    if (status == SOTTO_OK)
        status = sotto_arena_open(&hub->arena,
                                  sotto_round_bytes(setup.protocol, &hub->plan, setup.roster));
    if (status == SOTTO_OK)
        status = sotto_round_open(&hub->round, &hub->arena, &setup, &effects);
    assert(status == SOTTO_OK);
    hub->deadline_ms = effects.deadline_ms;
    hub->is_complete = false;
    for (size_t place = 0; place < CHAOS_SITES_MAX; place++)
        hub->uploads[place].is_acknowledged = false;
}

static void round_begin(struct play *play, struct hub *hub)
{
    const struct ground_roster *roster = &play->ground->rosters[play->weather.sites];
    struct hub_book *book = &hub->book;
    struct sotto_buffer bytes = sotto_buffer_of(book->plan, sizeof book->plan);
    uint8_t nonce[32];
    struct sotto_plan plan;
    enum sotto_status status;

    sotto_entropy_fill(&play->chance, nonce, sizeof nonce);
    sotto_timetable_plan(&plan, &book->definition, &book->progress,
                         &(struct sotto_round_terms){.roster = &roster->digest,
                                                     .roster_epoch = roster->roster.epoch,
                                                     .nonce = nonce});
    status = sotto_plan_encode(&bytes, &plan);
    assert(status == SOTTO_OK);
    book->plan_length = bytes.length;
    sotto_sign(&book->signature, &play->ground->signing, "sotto/1 plan", sotto_view_buffer(&bytes));
    book->is_last = sotto_timetable_is_last(&book->definition, &book->progress);
    book->round = book->progress.round_newest = plan.round;
    book->opened_ms = hub_clock_ms(play, hub);
    book->event_count = 0;
    book->is_open = true;
    round_take_up(play, hub);
    memset(hub->uploads, 0, sizeof hub->uploads);
    hub->is_stored = false;
    hub->has_mail = true;
}

/* A round that is over gives way to the next; false: nothing moved. */
static bool round_advance(struct play *play, struct hub *hub)
{
    if (hub->round != NULL && (!is_over(hub) || hub->is_job_running))
        return false;
    memory_close(hub);
    hub->deadline_ms = 0;
    if (!hub->book.is_running)
        return false;
    if (sotto_timetable_next(&hub->book.definition, &hub->book.progress) == SOTTO_NEXT_ROUND) {
        round_begin(play, hub);
    } else {
        hub->book.is_running = false;
        hub->is_stored = false;
    }
    return true;
}

static void timer_arm(struct play *play, struct hub *hub)
{
    struct parcel timer = {.kind = PARCEL_DEADLINE, .life = hub->life, .number = hub->deadline_ms};

    if (hub->deadline_ms == hub->armed_ms)
        return;
    hub->armed_ms = hub->deadline_ms;
    if (hub->armed_ms == 0 || (hub->life > 1 && play->sabotage == SABOTAGE_NO_TIMER))
        return;
    play_later(play, &timer, (struct sotto_view){0},
               hub->armed_ms > hub_clock_ms(play, hub) ? hub->armed_ms - hub_clock_ms(play, hub)
                                                       : 0);
}

static void job_begin(struct play *play, struct hub *hub)
{
    struct parcel job = {.kind = PARCEL_JOB, .life = hub->life};

    if (hub->is_job_running || hub->job_count == 0)
        return;
    hub->is_job_running = true;
    play_later(play, &job, (struct sotto_view){0}, 1 + play_below(play, JOB_MS));
}

static void commit(struct play *play, struct hub *hub)
{
    if (hub->committed.is_open && !hub->book.is_open && !play->is_calm) {
        play->tally.finished += sotto_round_phase(hub->round) == SOTTO_ROUND_FINISHED;
        play->tally.abandoned += sotto_round_phase(hub->round) == SOTTO_ROUND_ABANDONED;
    }
    hub->committed = hub->book;
    hub->is_stored = true;
}

/* One round of the effects, in the drive's order; false: it died on the way. */
static bool carry_out(struct play *play, struct hub *hub)
{
    bool is_eager = play->sabotage == SABOTAGE_ANSWER_FIRST;

    if (is_eager)
        desk_answer(play, hub);
    if (strikes(play, hub))
        return false;
    commit(play, hub);
    if (strikes(play, hub))
        return false;
    desk_answer(play, hub);
    if (strikes(play, hub))
        return false;
    if (hub->has_mail) {
        hub->has_mail = false;
        desk_wake(play, hub);
    }
    if (strikes(play, hub))
        return false;
    timer_arm(play, hub);
    job_begin(play, hub);
    return true;
}

bool hub_settle(struct play *play, struct hub *hub)
{
    do {
        if (!carry_out(play, hub))
            return false;
    } while (round_advance(play, hub));
    return true;
}

/* What a broken hub leaves out of its journal. */
static bool is_skipped(const struct play *play, const struct hub *hub, size_t at)
{
    size_t first = 0;

    while (first < hub->book.event_count && hub->events[first].event.kind != SOTTO_ROUND_UPLOAD)
        first++;
    return (play->sabotage == SABOTAGE_LOSES_EVENT && at == 1) ||
           (play->sabotage == SABOTAGE_LOSES_SURVIVOR && at == first);
}

/* The round that the journal left open, told again. */
static void round_replay(struct play *play, struct hub *hub)
{
    bool is_bare = play->sabotage == SABOTAGE_LOSES_UPLOAD;

    round_take_up(play, hub);
    for (size_t i = 0; i < hub->book.event_count; i++) {
        const struct sotto_round_event *event = &hub->events[i].event;
        struct sotto_round_effects effects;

        if (is_skipped(play, hub, i))
            continue;
        sotto_round_step(hub->round, event, &effects);
        if (!effects.store)
            watch_tell(&play->watch, VIOLATION_UNTOLD, "event %zu of round %u", i, hub->book.round);
        if (is_bare && effects.job == SOTTO_ROUND_JOB_ADD)
            effects.job = SOTTO_ROUND_JOB_NONE;
        effects_keep(hub, event, &effects);
    }
    if (hub->deadline_ms != 0 && !hub->is_complete &&
        hub->deadline_ms < hub_clock_ms(play, hub) + RESTART_GRACE_MS)
        hub->deadline_ms = hub_clock_ms(play, hub) + RESTART_GRACE_MS;
}

void hub_start(struct play *play, struct hub *hub)
{
    struct parcel check = {.kind = PARCEL_CHECK, .life = ++hub->life};

    hub->is_up = true;
    if (!play->is_calm && play->weather.clock_ms > 0)
        hub->clock_ahead_ms = play_below(play, play->weather.clock_ms);
    hub->book = hub->committed;
    hub->is_stored = false;
    hub->has_mail = false;
    hub->deadline_ms = 0;
    hub->armed_ms = 0;
    hub->job_count = 0;
    hub->is_job_running = false;
    hub->receipt_count = 0;
    memset(hub->waiting, 0, sizeof hub->waiting);
    if (hub->book.is_open)
        round_replay(play, hub);
    play_later(play, &check, (struct sotto_view){0}, 0);
}

void hub_campaign(struct play *play, struct hub *hub, const struct sotto_definition *definition)
{
    assert(hub->is_up && hub->round == NULL);
    hub->book.definition = *definition;
    hub->book.progress = (struct sotto_progress){.adapter = definition->adapter};
    hub->book.is_running = true;
    hub->is_stored = false;
    hub_settle(play, hub);
}

void hub_last_round(struct hub *hub)
{
    hub->book.is_running = false;
    hub->committed.is_running = false;
}

struct sotto_digest hub_version_add(const struct ground *ground, struct hub *hub,
                                    const float adapter[CHAOS_VALUES])
{
    struct hub_version *version = &hub->versions[hub->book.version_count++];

    assert(hub->book.version_count <= HUB_VERSIONS_MAX);
    memcpy(version->adapter, adapter, CHAOS_VALUES * sizeof *adapter);
    ground_adapter_finish(ground, &version->digest, version->adapter);
    return version->digest;
}

static uint32_t survivors_of(const struct hub *hub)
{
    uint32_t survivors = 0;

    for (uint32_t place = 0; place < CHAOS_SITES_MAX; place++)
        survivors |= (uint32_t)sotto_secaggplus.collector_survived(
                         sotto_round_collector(hub->round), place + 1)
                     << place;
    return survivors;
}

static void unmask(struct play *play, struct hub *hub, struct sotto_round_event *event)
{
    struct watch_deed deed = deed_of(hub);
    enum sotto_status status =
        sotto_secaggplus.collector_unmask(sotto_round_collector(hub->round), hub->sum,
                                          (struct sotto_lane_range){.count = hub->plan.lane_count});

    assert(status == SOTTO_OK);
    play->tally.sums++;
    watch_sum(&play->watch, &deed, survivors_of(hub), hub->sum);
    event->kind = SOTTO_ROUND_SUM_READY;
}

static void apply(struct play *play, struct hub *hub, struct sotto_round_event *event)
{
    const struct ground *ground = play->ground;
    float adapter[CHAOS_ADAPTER];
    const struct sotto_apply_terms terms = {
        .plan = &hub->plan,
        .layout = sotto_view_of(ground->layout_bytes, ground->layout_length),
        .survivors = sotto_round_survivor_count(hub->round),
        .server = sotto_definition_server(&hub->book.definition),
        .is_rebased = hub->book.definition.method == SOTTO_METHOD_FFA_SVD};
    struct sotto_applied applied;
    size_t at = 0;

    while (!sotto_digest_equal(&hub->versions[at].digest, &hub->plan.adapter))
        at++;
    memcpy(adapter, hub->versions[at].adapter, sizeof adapter);
    if (sotto_apply_sum(adapter, NULL, &applied, hub->sum, &terms) != SOTTO_OK) {
        event->kind = SOTTO_ROUND_BROKEN;
        event->bytes = sotto_view_text("the sum is no sum of honest uploads");
        return;
    }
    event->kind = SOTTO_ROUND_APPLIED;
    event->digest = hub_version_add(ground, hub, adapter);
    if (!sotto_digest_equal(&event->digest, &applied.adapter))
        watch_tell(&play->watch, VIOLATION_WRONG_SUM, "the adapter of round %u", hub->plan.round);
}

/* The work and its result. ADD leads to no event. */
static void job_run(struct play *play, struct hub *hub, const struct hub_job *job)
{
    struct sotto_round_event event = {.at_ms = hub_clock_ms(play, hub)};

    if (play_chance(play, play->weather.rates.broken)) {
        event.kind = SOTTO_ROUND_BROKEN;
        event.bytes = sotto_view_text("the disk is full");
    } else if (job->kind == SOTTO_ROUND_JOB_ADD) {
        sotto_lanes_unpack_add(hub->sum, hub->plan.lane_count, hub->plan.ring_bits,
                               hub->uploads[job->site - 1].bytes);
        return;
    } else if (job->kind == SOTTO_ROUND_JOB_UNMASK) {
        unmask(play, hub, &event);
    } else {
        apply(play, hub, &event);
    }
    hub_event_step(hub, &event);
}

static void job_end(struct play *play, struct hub *hub)
{
    struct hub_job job = hub->jobs[0];

    hub->is_job_running = false;
    if (hub->job_count > 0) {
        hub->job_count--;
        memmove(hub->jobs, hub->jobs + 1, hub->job_count * sizeof *hub->jobs);
        job_run(play, hub, &job);
    }
    hub_settle(play, hub);
}

static void deadline(struct play *play, struct hub *hub, uint64_t due_ms)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_DEADLINE,
                                      .at_ms = hub_clock_ms(play, hub)};

    if (hub->armed_ms != due_ms || hub->round == NULL)
        return;
    hub->armed_ms = 0;
    hub->deadline_ms = 0;
    hub_event_step(hub, &event);
    hub_settle(play, hub);
}

void hub_wake(struct play *play, struct hub *hub, const struct parcel *parcel)
{
    if (!hub->is_up || parcel->life != hub->life)
        return;
    if (parcel->kind == PARCEL_JOB)
        job_end(play, hub);
    else if (parcel->kind == PARCEL_DEADLINE)
        deadline(play, hub, parcel->number);
    else if (parcel->attempt != 0)
        desk_expire(play, hub, parcel);
    else
        hub_settle(play, hub);
}
