/*
 * A whole round of SecAgg+M in memory: a roster, its participants and the coordinator, with nobody
 * between them but the test. Ids are not positions, and everything derives from one seed.
 */
#ifndef TESTS_CRYPTO_SECAGG_CHORUS_H
#define TESTS_CRYPTO_SECAGG_CHORUS_H

#include "crypto/secagg/protocol.h"

struct chorus_setup {
    uint32_t count; /* participants, all of them in the roster and the cohort */
    uint32_t lane_count;
    unsigned ring_bits;
    uint32_t survivors_min;
    double corrupt_fraction;
    double dropout_fraction;
    uint64_t seed;
    bool is_other_plan; /* the same keys under another plan */
};

struct chorus {
    const struct sotto_protocol *protocol;
    uint32_t count;
    struct sotto_terms terms;
    struct sotto_roster_entry entries[SOTTO_COHORT_MAX];
    struct sotto_roster roster;
    struct sotto_secret identities[SOTTO_COHORT_MAX];
    struct sotto_secret seeds[SOTTO_COHORT_MAX];
    struct sotto_secret signing;
    struct sotto_ed25519_public coordinator;
    struct sotto_arena
        arena; /* every member and the collector, which point at nothing that moves */
    struct sotto_member *members[SOTTO_COHORT_MAX];
    struct sotto_collector *collector;
    const uint32_t *plain; /* [count][lane_count] contributed instead of chorus_lane; NULL: not */
    uint32_t *masked;      /* [count][lane_count] what was uploaded */
    uint8_t *scratch;      /* one packed vector */
    uint8_t wire[SOTTO_PROTOCOL_MESSAGE_MAX];
};

/* Eight lanes of 32 bits, gamma 0.05, delta 0.1, the smallest floors. */
struct chorus_setup chorus_setup_of(uint32_t count, uint64_t seed);
struct chorus *chorus_open(const struct chorus_setup *setup);
/* The same in two steps, for tests that bring keys of their own in between. */
struct chorus *chorus_prepare(const struct chorus_setup *setup);
void chorus_start(struct chorus *chorus);
void chorus_close(struct chorus *chorus);

uint32_t chorus_id(uint32_t place);
/* The plain lane that participant `place` contributes. */
uint32_t chorus_lane(uint32_t place, uint32_t lane);

/* Steps one machine. */
struct sotto_member_effects chorus_tell(struct chorus *chorus, uint32_t place,
                                        enum sotto_member_event_kind kind, struct sotto_view bytes);
struct sotto_collector_effects chorus_deliver(struct chorus *chorus,
                                              const struct sotto_collector_event *event);
/* Ends the stage; returns the one that follows. */
enum sotto_stage chorus_end_stage(struct chorus *chorus, struct sotto_collector_effects *effects);
/* What the coordinator has for `place` now, in chorus->wire; length 0: nothing. */
struct sotto_view chorus_mail(struct chorus *chorus, uint32_t place);

/* The member's event for the mail of a stage. */
enum sotto_member_event_kind chorus_mail_kind(enum sotto_stage stage);
/*
 * The honest answer of `place` in the present stage, in the member's own memory until its next
 * step; what the member would refuse fails the test.
 */
struct sotto_collector_event chorus_answer(struct chorus *chorus, uint32_t place);

/*
 * Everybody in `places` (bit i: participant i; from the 32nd on everybody) answers honestly, then
 * the stage ends.
 */
enum sotto_stage chorus_play(struct chorus *chorus, uint32_t places);
/* The same with everybody for whom `answers` says so. */
enum sotto_stage chorus_play_where(struct chorus *chorus, bool (*answers)(uint32_t place));
/* Plays with everybody up to the beginning of `stage`. */
void chorus_play_until(struct chorus *chorus, enum sotto_stage stage);
/* In SOTTO_STAGE_UNMASKED: the sum without masks, [lane_count]. */
void chorus_unmask(const struct chorus *chorus, uint32_t *sum);
/* In SOTTO_STAGE_UNMASKED: fails the test unless the sum is exactly that over the survivors. */
void chorus_check_sum(const struct chorus *chorus);

#endif
