/*
 * One round at the coordinator: a pure machine over the events that the gate lets through. No I/O,
 * no clock; every event carries its time. The journal of its events is its whole state: a restart
 * opens a round with the same setup and steps through them again.
 *
 * The driver's contract, for each event: step; if effects.store, journal the event durably; then
 * answer the sender, then the rest of the effects. A job's result comes back as an event.
 *
 * One rule closes a stage: a DEADLINE event at or after the armed time. When everybody has
 * answered, the round arms that very moment, so that an early close is a DEADLINE like any other
 * and stands in the journal; a crash between the two leaves a timer that is due at once. DEADLINE
 * before the armed time is UNEXPECTED, so that stale timers do nothing.
 */
#ifndef SOTTO_COORDINATOR_ROUND_ROUND_H
#define SOTTO_COORDINATOR_ROUND_ROUND_H

#include "core/wire/mail.h"
#include "core/wire/outcome.h"
#include "crypto/secagg/protocol.h"

struct sotto_round;

enum sotto_round_event_kind {
    SOTTO_ROUND_ADVERT, /* site, bytes */
    SOTTO_ROUND_SHARES,
    SOTTO_ROUND_UPLOAD, /* site, digest: spooled whole, digest checked */
    SOTTO_ROUND_INCLUSION,
    SOTTO_ROUND_REVEAL,
    SOTTO_ROUND_LEAVE,    /* site, reason: an enum sotto_refusal, or 0 when revoked */
    SOTTO_ROUND_DEADLINE, /* the armed time has come: see effects.deadline_ms */
    SOTTO_ROUND_SUM_READY,
    SOTTO_ROUND_APPLIED, /* digest: the next version, durable */
    SOTTO_ROUND_BROKEN,  /* a job failed for good, the reason is in bytes: abandoned */
    SOTTO_ROUND_RECEIPT, /* site, bytes: before its upload, in a large cohort */
};

struct sotto_round_event {
    enum sotto_round_event_kind kind;
    uint64_t at_ms;
    uint32_t site;
    uint32_t reason;
    struct sotto_view bytes;
    struct sotto_digest digest;
};

enum sotto_round_phase {
    SOTTO_ROUND_GATHERING,
    SOTTO_ROUND_SHARING,
    SOTTO_ROUND_UPLOADING,
    SOTTO_ROUND_INCLUDING,
    SOTTO_ROUND_REVEALING,
    SOTTO_ROUND_UNMASKING, /* job */
    SOTTO_ROUND_APPLYING,  /* job */
    SOTTO_ROUND_FINISHED,
    SOTTO_ROUND_ABANDONED,
    SOTTO_ROUND_PHASE_COUNT
};

enum sotto_round_job {
    SOTTO_ROUND_JOB_NONE,
    SOTTO_ROUND_JOB_ADD,    /* add job_site's spooled upload to the running sum */
    SOTTO_ROUND_JOB_UNMASK, /* after every ADD: collector_unmask over all lanes, then SUM_READY */
    SOTTO_ROUND_JOB_APPLY,  /* sotto_apply_sum, keep the version, then APPLIED */
};

struct sotto_round_effects {
    enum sotto_status verdict; /* what the event's sender is told */
    bool is_repeat;            /* the same bytes again: acknowledge, journal nothing */
    bool store;
    bool mail;            /* the phase moved: sites that wait have mail */
    uint64_t deadline_ms; /* arm the timer for this time; 0: leave it */
    enum sotto_round_job job;
    uint32_t job_site;
    uint32_t liar_count;
    uint32_t liars[SOTTO_LIARS_MAX];
};

struct sotto_round_setup {
    const struct sotto_protocol *protocol;
    struct sotto_view plan_bytes;  /* a plan that decodes; borrowed, as all of the setup */
    const uint8_t *plan_signature; /* [64] */
    const struct sotto_roster *roster;
    const struct sotto_secret *signing;
    uint64_t opened_ms;
    bool is_last; /* of the campaign, if it finishes: shown in the outcome */
};

/*
 * SOTTO_MALFORMED, SOTTO_MISMATCH: plan or roster do not fit; SOTTO_NO_MEMORY: the arena is too
 * small.
 */
SOTTO_CHECKED enum sotto_status sotto_round_open(struct sotto_round **round,
                                                 struct sotto_arena *arena,
                                                 const struct sotto_round_setup *setup,
                                                 struct sotto_round_effects *effects);
/* Arena bytes that a round of this plan needs; of a plan that does not open, any number. */
size_t sotto_round_bytes(const struct sotto_protocol *protocol, const struct sotto_plan *plan,
                         const struct sotto_roster *roster);

void sotto_round_step(struct sotto_round *round, const struct sotto_round_event *event,
                      struct sotto_round_effects *effects);

enum sotto_round_phase sotto_round_phase(const struct sotto_round *round);
const char *sotto_round_phase_name(enum sotto_round_phase phase);
const struct sotto_plan *sotto_round_plan(const struct sotto_round *round);
const struct sotto_collector *sotto_round_collector(const struct sotto_round *round);
/* When a phase began, Unix ms; 0: not yet. */
uint64_t sotto_round_phase_began_ms(const struct sotto_round *round, enum sotto_round_phase phase);
const char *sotto_round_reason(const struct sotto_round *round); /* why abandoned; "" else */
uint32_t sotto_round_survivor_count(const struct sotto_round *round);

/*
 * The mail for `site` that comes after kind `seen` of this round: the plan to everyone while
 * gathering, the protocol's messages to the cohort, the outcome to everyone. mail->body is written
 * to `body` and borrowed from it. The outcome is signed with label "sotto/1 outcome" over its
 * bytes.
 * SOTTO_NOT_FOUND: nothing (yet).
 */
SOTTO_CHECKED enum sotto_status sotto_round_mail(const struct sotto_round *round, uint32_t site,
                                                 enum sotto_mail_kind seen, struct sotto_mail *mail,
                                                 struct sotto_buffer *body);

void sotto_round_wipe(struct sotto_round *round);

#endif
