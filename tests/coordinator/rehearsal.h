/*
 * A round driven to its end in memory: what the drive does with effects, without disk or network.
 * Every stored event is kept, as a journal would, so that the round can be told again.
 */
#ifndef TESTS_COORDINATOR_REHEARSAL_H
#define TESTS_COORDINATOR_REHEARSAL_H

#include "tests/coordinator/cohort.h"

enum { REHEARSAL_EVENTS_MAX = 64, REHEARSAL_EVENT_BYTES = 4096, REHEARSAL_TRACE_BYTES = 4096 };

struct rehearsal_event {
    struct sotto_round_event event;
    uint8_t bytes[REHEARSAL_EVENT_BYTES];
};

struct rehearsal {
    struct cohort *cohort;
    struct sotto_arena arena;
    struct sotto_round *round;
    uint64_t now_ms;
    uint64_t deadline_ms;
    uint32_t sum[COHORT_LANES];
    enum sotto_round_job
        job; /* the last that was asked for and has not been run; ADDs run at once */
    size_t event_count;
    struct rehearsal_event events[REHEARSAL_EVENTS_MAX];
    char trace[REHEARSAL_TRACE_BYTES]; /* a line an event */
};

/* Which sites (bit i: place i) stop answering from which mail on. */
struct rehearsal_script {
    uint32_t silent_at[SOTTO_MAIL_OUTCOME + 1];
};

struct rehearsal *rehearsal_open(struct cohort *cohort);
void rehearsal_close(struct rehearsal *rehearsal);

/* Steps one event, keeps it if it is to be stored, runs ADDs; returns the effects. */
struct sotto_round_effects rehearsal_step(struct rehearsal *rehearsal,
                                          const struct sotto_round_event *event);
/* The armed time comes. */
void rehearsal_expire(struct rehearsal *rehearsal);
/* To the end, or until `until` is the phase. */
void rehearsal_play(struct rehearsal *rehearsal, const struct rehearsal_script *script,
                    enum sotto_round_phase until);
/* Everything that anybody can see of a round, as a digest. */
struct sotto_digest rehearsal_look(const struct rehearsal *rehearsal);

#endif
