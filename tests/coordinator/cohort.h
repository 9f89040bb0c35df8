/*
 * The sites of one round in memory, honest, with the shipping participant's role: they read mail
 * and answer with events for the round. Their updates are known, so that the sum can be checked.
 */
#ifndef TESTS_COORDINATOR_COHORT_H
#define TESTS_COORDINATOR_COHORT_H

#include "coordinator/round/round.h"

enum {
    COHORT_SITES_MAX = 8,
    COHORT_VALUES = 64,
    COHORT_LANES = COHORT_VALUES + 1,
    COHORT_ADAPTER = COHORT_VALUES + 2 * 8, /* with the manifest of its two tensors */
    COHORT_PACKED_BYTES = COHORT_LANES * 4,
    COHORT_OPENED_MS = 1000000,
};

struct cohort {
    uint32_t count;
    struct sotto_plan plan;
    uint8_t plan_bytes[SOTTO_PLAN_BYTES_MAX];
    size_t plan_length;
    struct sotto_signature plan_signature;
    struct sotto_roster_entry entries[COHORT_SITES_MAX];
    struct sotto_roster roster;
    struct sotto_secret signing;
    struct sotto_secret identities[COHORT_SITES_MAX];
    struct sotto_secret seeds[COHORT_SITES_MAX];
    struct sotto_arena arena;
    struct sotto_member *members[COHORT_SITES_MAX];
    enum sotto_mail_kind seen[COHORT_SITES_MAX];
    float values[COHORT_SITES_MAX][COHORT_VALUES]; /* each site's update */
    uint32_t plain[COHORT_SITES_MAX][COHORT_LANES];
    uint8_t packed[COHORT_SITES_MAX][COHORT_PACKED_BYTES]; /* as uploaded */
};

/* `count` sites with ids 1 ..; a round of them all needs `survivors_min` of them. */
struct cohort *cohort_open(uint32_t count, uint32_t survivors_min, uint64_t seed);
void cohort_close(struct cohort *cohort);
/* Its members anew, after the test has changed plan_bytes or the roster. */
void cohort_reopen(struct cohort *cohort);

/* Canonical bytes of a layout of COHORT_VALUES lanes, a classifier alone. */
struct sotto_view cohort_layout(void);

/* Writes the manifest behind the lanes; the adapter as it stands on a shelf. */
struct sotto_view cohort_adapter(float adapter[COHORT_ADAPTER]);

/* A fresh round over this cohort in `arena`, which it opens. */
struct sotto_round *cohort_round(const struct cohort *cohort, struct sotto_arena *arena);

/*
 * What site `place` (id - 1) answers to the mail that the round has for it now; its bytes live
 * until the site's next answer. false: there is no mail for it, or none that is to be answered.
 */
bool cohort_answer(struct cohort *cohort, uint32_t place, const struct sotto_round *round,
                   struct sotto_round_event *event);

/* Weight of a site: its place + 1. */
uint32_t cohort_weight(uint32_t place);
/* The lanes of the sum over the sites in `places` (bit i: place i). */
void cohort_sum(const struct cohort *cohort, uint32_t places, uint32_t sum[COHORT_LANES]);

#endif
