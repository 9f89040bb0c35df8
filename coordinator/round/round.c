#include "coordinator/round/round.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "crypto/primitives/hash.h"

struct sotto_round {
    const struct sotto_protocol *protocol;
    struct sotto_collector *collector;
    const struct sotto_roster *roster;
    const struct sotto_secret *signing;
    struct sotto_view plan_bytes;
    const uint8_t *plan_signature;
    struct sotto_plan plan;
    bool is_last;
    enum sotto_round_phase phase;
    uint64_t deadline_ms; /* of the present phase; 0: it has none */
    uint64_t began_ms[SOTTO_ROUND_PHASE_COUNT];
    uint32_t survivor_count;     /* once their set is settled */
    struct sotto_digest adapter; /* the version that holds when the round is over */
    char reason[sizeof((struct sotto_outcome *)0)->reason];
};

/* Where a deadline is kept in the plan, and what it is called when too few came. */
struct round_stage {
    enum sotto_stage stage;
    enum sotto_round_phase phase;
    const char *name;
    const char *deed;
    enum sotto_mail_kind mail;
};

static const struct round_stage round_stages[] = {
    {SOTTO_STAGE_GATHERING, SOTTO_ROUND_GATHERING, "gathering", "joined", SOTTO_MAIL_PLAN},
    {SOTTO_STAGE_SHARING, SOTTO_ROUND_SHARING, "sharing", "shared their keys", SOTTO_MAIL_COHORT},
    {SOTTO_STAGE_UPLOADING, SOTTO_ROUND_UPLOADING, "uploading", "uploaded", SOTTO_MAIL_INBOX},
    {SOTTO_STAGE_INCLUDING, SOTTO_ROUND_INCLUDING, "including", "confirmed the survivors",
     SOTTO_MAIL_SURVIVORS},
    {SOTTO_STAGE_REVEALING, SOTTO_ROUND_REVEALING, "revealing", "revealed their shares",
     SOTTO_MAIL_INCLUSIONS},
    {SOTTO_STAGE_UNMASKED, SOTTO_ROUND_UNMASKING, "unmasking", "", SOTTO_MAIL_NONE},
    {SOTTO_STAGE_FAILED, SOTTO_ROUND_ABANDONED, "abandoned", "", SOTTO_MAIL_OUTCOME},
};

enum { ROUND_STAGE_COUNT = sizeof round_stages / sizeof round_stages[0] };

static uint64_t stage_length_ms(const struct sotto_deadlines *deadlines,
                                enum sotto_round_phase phase)
{
    switch (phase) {
    case SOTTO_ROUND_GATHERING: return deadlines->gathering_ms;
    case SOTTO_ROUND_SHARING: return deadlines->sharing_ms;
    case SOTTO_ROUND_UPLOADING: return deadlines->uploading_ms;
    case SOTTO_ROUND_INCLUDING: return deadlines->including_ms;
    case SOTTO_ROUND_REVEALING: return deadlines->revealing_ms;
    case SOTTO_ROUND_UNMASKING:
    case SOTTO_ROUND_APPLYING:
    case SOTTO_ROUND_FINISHED:
    case SOTTO_ROUND_ABANDONED:
    case SOTTO_ROUND_PHASE_COUNT: return 0;
    }
    return 0;
}

static enum sotto_round_job job_of_phase(enum sotto_round_phase phase)
{
    if (phase == SOTTO_ROUND_UNMASKING)
        return SOTTO_ROUND_JOB_UNMASK;
    if (phase == SOTTO_ROUND_APPLYING)
        return SOTTO_ROUND_JOB_APPLY;
    return SOTTO_ROUND_JOB_NONE;
}

static uint32_t survivors_count(const struct sotto_round *round)
{
    uint32_t count = 0;

    for (size_t i = 0; i < round->roster->entry_count; i++)
        count +=
            round->protocol->collector_survived(round->collector, round->roster->entries[i].id);
    return count;
}

static void phase_enter(struct sotto_round *round, enum sotto_round_phase phase, uint64_t at_ms,
                        struct sotto_round_effects *effects)
{
    uint64_t length_ms = stage_length_ms(&round->plan.deadlines, phase);

    round->phase = phase;
    if (phase == SOTTO_ROUND_INCLUDING)
        round->survivor_count = survivors_count(round);
    round->began_ms[phase] = at_ms;
    round->deadline_ms = length_ms == 0 ? 0 : at_ms + length_ms;
    effects->deadline_ms = round->deadline_ms;
    effects->mail = true;
    effects->job = job_of_phase(phase);
}

static enum sotto_collector_event_kind collector_event_of(enum sotto_round_event_kind kind)
{
    switch (kind) {
    case SOTTO_ROUND_ADVERT: return SOTTO_COLLECTOR_ADVERT;
    case SOTTO_ROUND_SHARES: return SOTTO_COLLECTOR_SHARES;
    case SOTTO_ROUND_RECEIPT: return SOTTO_COLLECTOR_RECEIPT;
    case SOTTO_ROUND_UPLOAD: return SOTTO_COLLECTOR_UPLOAD;
    case SOTTO_ROUND_INCLUSION: return SOTTO_COLLECTOR_INCLUSION;
    case SOTTO_ROUND_REVEAL: return SOTTO_COLLECTOR_REVEAL;
    case SOTTO_ROUND_LEAVE: return SOTTO_COLLECTOR_LEAVE;
    case SOTTO_ROUND_DEADLINE:
    case SOTTO_ROUND_SUM_READY:
    case SOTTO_ROUND_APPLIED:
    case SOTTO_ROUND_BROKEN: break;
    }
    return SOTTO_COLLECTOR_CLOSE;
}

/* The collector hears the event; the round goes where the collector went. */
static void hear(struct sotto_round *round, const struct sotto_round_event *event,
                 struct sotto_round_effects *effects)
{
    struct sotto_collector_event heard = {.kind = collector_event_of(event->kind),
                                          .id = event->site,
                                          .bytes = event->bytes,
                                          .digest = event->digest};
    struct sotto_collector_effects said = {0};
    enum sotto_stage stage;

    round->protocol->collector_step(round->collector, &heard, &said);
    effects->verdict = said.verdict;
    effects->is_repeat = said.is_repeat;
    effects->liar_count = said.liar_count;
    memcpy(effects->liars, said.liars, sizeof said.liars);
    stage = round->protocol->collector_stage(round->collector);
    for (size_t i = 0; i < ROUND_STAGE_COUNT; i++)
        if (round_stages[i].stage == stage && round_stages[i].phase != round->phase)
            phase_enter(round, round_stages[i].phase, event->at_ms, effects);
    if (said.is_complete && !said.is_repeat && round->deadline_ms > event->at_ms) {
        round->deadline_ms = event->at_ms;
        effects->deadline_ms = event->at_ms;
    }
}

static void hear_upload(struct sotto_round *round, const struct sotto_round_event *event,
                        struct sotto_round_effects *effects)
{
    hear(round, event, effects);
    if (effects->verdict != SOTTO_OK || effects->is_repeat)
        return;
    effects->job = SOTTO_ROUND_JOB_ADD;
    effects->job_site = event->site;
}

static uint32_t answered_count(const struct sotto_round *round)
{
    uint32_t count = 0;

    for (size_t i = 0; i < round->roster->entry_count; i++)
        count +=
            round->protocol->collector_has_answered(round->collector, round->roster->entries[i].id);
    return count;
}

static void close_stage(struct sotto_round *round, const struct sotto_round_event *event,
                        struct sotto_round_effects *effects)
{
    const struct round_stage *closed = &round_stages[round->phase];
    uint32_t count = answered_count(round);
    uint32_t needed =
        round->phase == SOTTO_ROUND_GATHERING ? round->plan.cohort_min : round->plan.survivors_min;

    assert(closed->phase == round->phase);
    hear(round, event, effects);
    if (round->phase != SOTTO_ROUND_ABANDONED)
        return;
    if (count < needed)
        snprintf(round->reason, sizeof round->reason, "%s: %u sites %s, at least %u are needed",
                 closed->name, count, closed->deed, needed);
    else
        snprintf(round->reason, sizeof round->reason,
                 "%s: %u sites %s, too few for a cohort of this size to unmask a sum", closed->name,
                 count, closed->deed);
}

static void start_apply(struct sotto_round *round, const struct sotto_round_event *event,
                        struct sotto_round_effects *effects)
{
    phase_enter(round, SOTTO_ROUND_APPLYING, event->at_ms, effects);
}

static void finish(struct sotto_round *round, const struct sotto_round_event *event,
                   struct sotto_round_effects *effects)
{
    round->adapter = event->digest;
    phase_enter(round, SOTTO_ROUND_FINISHED, event->at_ms, effects);
}

static void abandon(struct sotto_round *round, const struct sotto_round_event *event,
                    struct sotto_round_effects *effects)
{
    size_t length = event->bytes.length;

    if (length >= sizeof round->reason)
        length = sizeof round->reason - 1;
    if (length > 0)
        memcpy(round->reason, event->bytes.at, length);
    round->reason[length] = '\0';
    phase_enter(round, SOTTO_ROUND_ABANDONED, event->at_ms, effects);
}

/* A timer that was armed before the phase moved, or before the stage's time, is stale. */
static bool is_due(const struct sotto_round *round, const struct sotto_round_event *event)
{
    return round->deadline_ms != 0 && event->at_ms >= round->deadline_ms;
}

struct round_rule {
    enum sotto_round_phase phase;
    enum sotto_round_event_kind event;
    bool (*guard)(const struct sotto_round *round, const struct sotto_round_event *event);
    void (*action)(struct sotto_round *round, const struct sotto_round_event *event,
                   struct sotto_round_effects *effects);
};

/* No row: the event is UNEXPECTED and changes nothing. Where a row leads, its action says. */
static const struct round_rule round_rules[] = {
    {SOTTO_ROUND_GATHERING, SOTTO_ROUND_ADVERT, NULL, hear},
    {SOTTO_ROUND_GATHERING, SOTTO_ROUND_LEAVE, NULL, hear},
    {SOTTO_ROUND_GATHERING, SOTTO_ROUND_DEADLINE, is_due, close_stage},
    {SOTTO_ROUND_GATHERING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_SHARING, SOTTO_ROUND_SHARES, NULL, hear},
    {SOTTO_ROUND_SHARING, SOTTO_ROUND_LEAVE, NULL, hear},
    {SOTTO_ROUND_SHARING, SOTTO_ROUND_DEADLINE, is_due, close_stage},
    {SOTTO_ROUND_SHARING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_UPLOADING, SOTTO_ROUND_RECEIPT, NULL, hear},
    {SOTTO_ROUND_UPLOADING, SOTTO_ROUND_UPLOAD, NULL, hear_upload},
    {SOTTO_ROUND_UPLOADING, SOTTO_ROUND_LEAVE, NULL, hear},
    {SOTTO_ROUND_UPLOADING, SOTTO_ROUND_DEADLINE, is_due, close_stage},
    {SOTTO_ROUND_UPLOADING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_INCLUDING, SOTTO_ROUND_INCLUSION, NULL, hear},
    {SOTTO_ROUND_INCLUDING, SOTTO_ROUND_LEAVE, NULL, hear},
    {SOTTO_ROUND_INCLUDING, SOTTO_ROUND_DEADLINE, is_due, close_stage},
    {SOTTO_ROUND_INCLUDING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_REVEALING, SOTTO_ROUND_REVEAL, NULL, hear},
    {SOTTO_ROUND_REVEALING, SOTTO_ROUND_LEAVE, NULL, hear},
    {SOTTO_ROUND_REVEALING, SOTTO_ROUND_DEADLINE, is_due, close_stage},
    {SOTTO_ROUND_REVEALING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_UNMASKING, SOTTO_ROUND_SUM_READY, NULL, start_apply},
    {SOTTO_ROUND_UNMASKING, SOTTO_ROUND_BROKEN, NULL, abandon},
    {SOTTO_ROUND_APPLYING, SOTTO_ROUND_APPLIED, NULL, finish},
    {SOTTO_ROUND_APPLYING, SOTTO_ROUND_BROKEN, NULL, abandon},
};

static const struct round_rule *rule_find(const struct sotto_round *round,
                                          const struct sotto_round_event *event)
{
    for (size_t i = 0; i < sizeof round_rules / sizeof round_rules[0]; i++) {
        const struct round_rule *rule = &round_rules[i];

        if (rule->phase == round->phase && rule->event == event->kind &&
            (rule->guard == NULL || rule->guard(round, event)))
            return rule;
    }
    return NULL;
}

void sotto_round_step(struct sotto_round *round, const struct sotto_round_event *event,
                      struct sotto_round_effects *effects)
{
    const struct round_rule *rule = rule_find(round, event);

    *effects = (struct sotto_round_effects){.verdict = SOTTO_UNEXPECTED};
    if (rule == NULL)
        return;
    effects->verdict = SOTTO_OK;
    rule->action(round, event, effects);
    effects->store = effects->verdict == SOTTO_OK && !effects->is_repeat;
}

static void terms_of_plan(struct sotto_terms *terms, const struct sotto_plan *plan,
                          struct sotto_view plan_bytes)
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), plan_bytes};

    *terms = (struct sotto_terms){.lane_count = plan->lane_count,
                                  .ring_bits = plan->ring_bits,
                                  .cohort_min = plan->cohort_min,
                                  .cohort_max = plan->cohort_max,
                                  .survivors_min = plan->survivors_min,
                                  .corrupt_fraction = plan->corrupt_fraction,
                                  .dropout_fraction = plan->dropout_fraction,
                                  .organisation_max = plan->organisation_max};
    sotto_hash(&terms->context, parts, 2);
}

/* A dry run: nothing of the plan but its terms decides, and they need no bytes to be hashed. */
size_t sotto_round_bytes(const struct sotto_protocol *protocol, const struct sotto_plan *plan,
                         const struct sotto_roster *roster)
{
    struct sotto_collector *collector;
    struct sotto_terms terms;
    struct sotto_arena arena;
    struct sotto_collector_setup setup = {.terms = &terms, .roster = roster};

    terms_of_plan(&terms, plan, sotto_view_text(""));
    sotto_arena_init_counting(&arena);
    (void)sotto_arena_take(&arena, 1, sizeof(struct sotto_round));
    if (protocol->collector_open(&collector, &arena, &setup) != SOTTO_NO_MEMORY)
        return sizeof(struct sotto_round);
    return arena.used;
}

enum sotto_status sotto_round_open(struct sotto_round **out, struct sotto_arena *arena,
                                   const struct sotto_round_setup *setup,
                                   struct sotto_round_effects *effects)
{
    struct sotto_round *round;
    struct sotto_plan plan;
    struct sotto_terms terms;
    enum sotto_status status = sotto_plan_decode(&plan, setup->plan_bytes);

    if (status != SOTTO_OK)
        return status;
    if (plan.roster_epoch != setup->roster->epoch ||
        strcmp(plan.protocol, setup->protocol->name) != 0)
        return SOTTO_MISMATCH;
    round = sotto_arena_take(arena, 1, sizeof *round);
    if (round == NULL)
        return SOTTO_NO_MEMORY;
    *round = (struct sotto_round){.protocol = setup->protocol,
                                  .roster = setup->roster,
                                  .signing = setup->signing,
                                  .plan_bytes = setup->plan_bytes,
                                  .plan_signature = setup->plan_signature,
                                  .plan = plan,
                                  .is_last = setup->is_last,
                                  .adapter = plan.adapter};
    terms_of_plan(&terms, &plan, setup->plan_bytes);
    status = setup->protocol->collector_open(
        &round->collector, arena,
        &(struct sotto_collector_setup){
            .terms = &terms, .roster = setup->roster, .signing = setup->signing});
    if (status != SOTTO_OK)
        return status;
    *effects = (struct sotto_round_effects){.verdict = SOTTO_OK};
    phase_enter(round, SOTTO_ROUND_GATHERING, setup->opened_ms, effects);
    *out = round;
    return SOTTO_OK;
}

void sotto_round_wipe(struct sotto_round *round)
{
    round->protocol->collector_wipe(round->collector);
    sotto_wipe(round, sizeof *round);
}

enum sotto_round_phase sotto_round_phase(const struct sotto_round *round)
{
    return round->phase;
}

const char *sotto_round_phase_name(enum sotto_round_phase phase)
{
    static const char *const names[SOTTO_ROUND_PHASE_COUNT] = {
        "gathering", "sharing",  "uploading", "including", "revealing",
        "unmasking", "applying", "finished",  "abandoned"};

    return phase < SOTTO_ROUND_PHASE_COUNT ? names[phase] : "unknown";
}

const struct sotto_plan *sotto_round_plan(const struct sotto_round *round)
{
    return &round->plan;
}

const struct sotto_collector *sotto_round_collector(const struct sotto_round *round)
{
    return round->collector;
}

uint64_t sotto_round_phase_began_ms(const struct sotto_round *round, enum sotto_round_phase phase)
{
    return round->began_ms[phase];
}

const char *sotto_round_reason(const struct sotto_round *round)
{
    return round->reason;
}

uint32_t sotto_round_survivor_count(const struct sotto_round *round)
{
    return round->survivor_count;
}

static enum sotto_status outcome_write(const struct sotto_round *round, struct sotto_mail *mail,
                                       struct sotto_buffer *body)
{
    struct sotto_outcome outcome = {
        .round = round->plan.round, .adapter = round->adapter, .layout = round->plan.layout};
    struct sotto_signature signature;
    enum sotto_status status;

    if (round->phase == SOTTO_ROUND_FINISHED) {
        outcome.kind = SOTTO_OUTCOME_FINISHED;
        outcome.is_last = round->is_last;
        outcome.survivors = sotto_round_survivor_count(round);
    } else {
        outcome.kind = SOTTO_OUTCOME_ABANDONED;
        memcpy(outcome.reason, round->reason, sizeof outcome.reason);
    }
    memcpy(outcome.campaign, round->plan.campaign, sizeof outcome.campaign);
    status = sotto_outcome_encode(body, &outcome);
    if (status != SOTTO_OK)
        return status;
    sotto_sign(&signature, round->signing, "sotto/1 outcome", sotto_view_buffer(body));
    memcpy(mail->signature, signature.bytes, sizeof mail->signature);
    return SOTTO_OK;
}

static enum sotto_status mail_write(const struct sotto_round *round, uint32_t site,
                                    struct sotto_mail *mail, struct sotto_buffer *body)
{
    if (mail->kind == SOTTO_MAIL_OUTCOME)
        return outcome_write(round, mail, body);
    if (mail->kind != SOTTO_MAIL_PLAN)
        return round->protocol->collector_message(round->collector, site, body);
    if (sotto_roster_find(round->roster, site) == NULL)
        return SOTTO_NOT_FOUND;
    memcpy(mail->signature, round->plan_signature, sizeof mail->signature);
    return sotto_buffer_add(body, round->plan_bytes);
}

static enum sotto_mail_kind mail_of_phase(enum sotto_round_phase phase)
{
    if (phase == SOTTO_ROUND_FINISHED)
        return SOTTO_MAIL_OUTCOME;
    for (size_t i = 0; i < ROUND_STAGE_COUNT; i++)
        if (round_stages[i].phase == phase)
            return round_stages[i].mail;
    return SOTTO_MAIL_NONE;
}

enum sotto_status sotto_round_mail(const struct sotto_round *round, uint32_t site,
                                   enum sotto_mail_kind seen, struct sotto_mail *mail,
                                   struct sotto_buffer *body)
{
    struct sotto_mail written = {.kind = mail_of_phase(round->phase), .round = round->plan.round};
    enum sotto_status status;

    if (written.kind <= seen)
        return SOTTO_NOT_FOUND;
    memcpy(written.campaign, round->plan.campaign, sizeof written.campaign);
    body->length = 0;
    status = mail_write(round, site, &written, body);
    if (status != SOTTO_OK)
        return status;
    written.body = sotto_view_buffer(body);
    *mail = written;
    return SOTTO_OK;
}
