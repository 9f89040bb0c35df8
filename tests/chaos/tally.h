/* How deep the seeds went: counts for the report, added over seeds. */
#ifndef TESTS_CHAOS_TALLY_H
#define TESTS_CHAOS_TALLY_H

#include <stdint.h>

#include "coordinator/round/round.h"
#include "participant/sealer/state.h"

/* Nothing but uint64_t. */
struct tally {
    uint64_t seeds;
    uint64_t lying_seeds;
    uint64_t steps;
    uint64_t finished; /* rounds in the storm */
    uint64_t abandoned;
    uint64_t fresh; /* rounds in the calm, finished */
    uint64_t spent; /* or in vain, because the budget of some site is spent */
    uint64_t sums;  /* held against the plain sum */
    uint64_t requests_lost;
    uint64_t replies_lost;
    uint64_t requests_repeated;
    uint64_t mails_repeated;
    uint64_t torn_records;
    uint64_t hub_crashes[SOTTO_ROUND_PHASE_COUNT]; /* by the phase of the round */
    uint64_t site_crashes[SOTTO_PHASE_COUNT];      /* by that of its turn */
    uint64_t refusals[SOTTO_REFUSAL_COUNT];
    uint64_t reveals;
    uint64_t lies_again;                      /* old mail to anybody */
    uint64_t lies_branched;                   /* stories with two ends */
    uint64_t stories[SOTTO_STAGE_FAILED + 1]; /* by the stage that they came to */
};

void tally_add(struct tally *sum, const struct tally *tally);
/* Did every kind of fault and lie come, and in every phase where it can? */
bool tally_is_deep(const struct tally *tally);
/* Some lines on stdout. */
void tally_print(const struct tally *tally);

#endif
