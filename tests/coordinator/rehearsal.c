#include "tests/coordinator/rehearsal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/lanes.h"
#include "tests/support/cmocka.h"

struct rehearsal *rehearsal_open(struct cohort *cohort)
{
    struct rehearsal *rehearsal = calloc(1, sizeof *rehearsal);

    assert_non_null(rehearsal);
    rehearsal->cohort = cohort;
    rehearsal->now_ms = COHORT_OPENED_MS;
    rehearsal->round = cohort_round(cohort, &rehearsal->arena);
    rehearsal->deadline_ms = COHORT_OPENED_MS + cohort->plan.deadlines.gathering_ms;
    return rehearsal;
}

void rehearsal_close(struct rehearsal *rehearsal)
{
    sotto_round_wipe(rehearsal->round);
    sotto_arena_close(&rehearsal->arena);
    free(rehearsal);
}

static void event_keep(struct rehearsal *rehearsal, const struct sotto_round_event *event)
{
    struct rehearsal_event *kept = &rehearsal->events[rehearsal->event_count++];

    assert_in_range(rehearsal->event_count, 1, REHEARSAL_EVENTS_MAX);
    assert_in_range(event->bytes.length, 0, REHEARSAL_EVENT_BYTES);
    kept->event = *event;
    if (event->bytes.length > 0)
        memcpy(kept->bytes, event->bytes.at, event->bytes.length);
    kept->event.bytes.at = kept->bytes;
}

static void event_trace(struct rehearsal *rehearsal, const struct sotto_round_event *event,
                        const struct sotto_round_effects *effects)
{
    static const char *const names[] = {
        [SOTTO_ROUND_ADVERT] = "advert",       [SOTTO_ROUND_SHARES] = "shares",
        [SOTTO_ROUND_RECEIPT] = "receipt",     [SOTTO_ROUND_UPLOAD] = "upload",
        [SOTTO_ROUND_INCLUSION] = "inclusion", [SOTTO_ROUND_REVEAL] = "reveal",
        [SOTTO_ROUND_LEAVE] = "leave",         [SOTTO_ROUND_DEADLINE] = "deadline",
        [SOTTO_ROUND_SUM_READY] = "sum-ready", [SOTTO_ROUND_APPLIED] = "applied",
        [SOTTO_ROUND_BROKEN] = "broken"};
    size_t length = strlen(rehearsal->trace);

    snprintf(rehearsal->trace + length, sizeof rehearsal->trace - length,
             "%s %" PRIu32 " +%" PRIu64 ": %s%s, %s\n", names[event->kind], event->site,
             event->at_ms - COHORT_OPENED_MS, sotto_status_name(effects->verdict),
             effects->is_repeat ? " again" : "",
             sotto_round_phase_name(sotto_round_phase(rehearsal->round)));
}

struct sotto_round_effects rehearsal_step(struct rehearsal *rehearsal,
                                          const struct sotto_round_event *event)
{
    struct sotto_round_effects effects;

    sotto_round_step(rehearsal->round, event, &effects);
    if (effects.store)
        event_keep(rehearsal, event);
    event_trace(rehearsal, event, &effects);
    if (effects.deadline_ms != 0)
        rehearsal->deadline_ms = effects.deadline_ms;
    if (effects.job == SOTTO_ROUND_JOB_ADD)
        sotto_lanes_unpack_add(rehearsal->sum, COHORT_LANES, rehearsal->cohort->plan.ring_bits,
                               rehearsal->cohort->packed[effects.job_site - 1]);
    else if (effects.job != SOTTO_ROUND_JOB_NONE)
        rehearsal->job = effects.job;
    return effects;
}

/* Runs what was asked for and steps its result. */
static void run_job(struct rehearsal *rehearsal)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_APPLIED, .at_ms = ++rehearsal->now_ms};

    if (rehearsal->job == SOTTO_ROUND_JOB_UNMASK) {
        event.kind = SOTTO_ROUND_SUM_READY;
        assert_int_equal(sotto_secaggplus.collector_unmask(
                             sotto_round_collector(rehearsal->round), rehearsal->sum,
                             (struct sotto_lane_range){.count = COHORT_LANES}),
                         SOTTO_OK);
    } else {
        memset(event.digest.bytes, 0xab, sizeof event.digest.bytes);
    }
    rehearsal->job = SOTTO_ROUND_JOB_NONE;
    rehearsal_step(rehearsal, &event);
}

void rehearsal_expire(struct rehearsal *rehearsal)
{
    if (rehearsal->now_ms < rehearsal->deadline_ms)
        rehearsal->now_ms = rehearsal->deadline_ms;
    rehearsal_step(rehearsal, &(struct sotto_round_event){.kind = SOTTO_ROUND_DEADLINE,
                                                          .at_ms = rehearsal->now_ms});
}

/* Everybody who still speaks answers the mail of this phase. */
static void sites_answer(struct rehearsal *rehearsal, const struct rehearsal_script *script,
                         uint32_t *silent)
{
    for (uint32_t place = 0; place < rehearsal->cohort->count; place++) {
        enum sotto_mail_kind next = rehearsal->cohort->seen[place] + 1;
        struct sotto_round_event event;

        if (next <= SOTTO_MAIL_OUTCOME)
            *silent |= script->silent_at[next] & 1u << place;
        if ((*silent >> place & 1) != 0 ||
            !cohort_answer(rehearsal->cohort, place, rehearsal->round, &event))
            continue;
        event.at_ms = ++rehearsal->now_ms;
        rehearsal_step(rehearsal, &event);
    }
}

void rehearsal_play(struct rehearsal *rehearsal, const struct rehearsal_script *script,
                    enum sotto_round_phase until)
{
    uint32_t silent = 0;

    while (sotto_round_phase(rehearsal->round) < SOTTO_ROUND_FINISHED &&
           sotto_round_phase(rehearsal->round) != until) {
        if (rehearsal->job != SOTTO_ROUND_JOB_NONE) {
            run_job(rehearsal);
            continue;
        }
        sites_answer(rehearsal, script, &silent);
        rehearsal_expire(rehearsal);
    }
}

struct sotto_digest rehearsal_look(const struct rehearsal *rehearsal)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_hasher hasher;
    struct sotto_digest digest;
    uint64_t numbers[SOTTO_ROUND_PHASE_COUNT + 1] = {sotto_round_phase(rehearsal->round)};

    sotto_hasher_init(&hasher);
    for (size_t phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        numbers[phase + 1] =
            sotto_round_phase_began_ms(rehearsal->round, (enum sotto_round_phase)phase);
    sotto_hasher_add(&hasher, sotto_view_of(numbers, sizeof numbers));
    sotto_hasher_add(&hasher, sotto_view_text(sotto_round_reason(rehearsal->round)));
    for (uint32_t place = 0; place < rehearsal->cohort->count; place++) {
        struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
        struct sotto_mail mail;

        if (sotto_round_mail(rehearsal->round, place + 1, SOTTO_MAIL_NONE, &mail, &body) ==
            SOTTO_OK)
            sotto_hasher_add(&hasher, mail.body);
    }
    sotto_hasher_finish(&hasher, &digest);
    return digest;
}
