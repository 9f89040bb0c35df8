/* Which round comes next in a campaign, what its plan says, and when to stop trying. */
#ifndef SOTTO_COORDINATOR_SCHEDULE_TIMETABLE_H
#define SOTTO_COORDINATOR_SCHEDULE_TIMETABLE_H

#include "coordinator/schedule/definition.h"

enum { SOTTO_ABANDONED_IN_A_ROW_MAX = 10 };

/* How far a campaign has come. */
struct sotto_progress {
    uint32_t round_newest; /* 0: none yet */
    uint32_t finished;
    uint32_t abandoned_in_a_row; /* since the last finished one or the last start by hand */
    struct sotto_digest adapter; /* the version that holds */
    uint32_t adapter_round;      /* that made it; 0: the campaign began with it */
};

enum sotto_next { SOTTO_NEXT_ROUND, SOTTO_NEXT_FINISHED, SOTTO_NEXT_PAUSE };

/* The end comes before a pause, a pause before another round. */
enum sotto_next sotto_timetable_next(const struct sotto_definition *definition,
                                     const struct sotto_progress *progress);

/* Does the campaign end if the next round finishes? */
bool sotto_timetable_is_last(const struct sotto_definition *definition,
                             const struct sotto_progress *progress);

struct sotto_round_terms {
    const struct sotto_digest *roster;
    uint64_t roster_epoch;
    const uint8_t *roster_signature; /* [64] of the roster's authority; NULL or zeros: not signed */
    const uint8_t *nonce;            /* [32] */
};

/*
 * The next round's plan. The rate follows rate(x) = r * (0.05 + 0.95 * (1 + cos(pi * x)) / 2), x
 * from 0 to 1 over the campaign's finished rounds; in a round it goes from the value at its
 * beginning to the value at its end. Source: Loshchilov and Hutter, SGDR, ICLR 2017, equation 5,
 * without restarts.
 */
void sotto_timetable_plan(struct sotto_plan *plan, const struct sotto_definition *definition,
                          const struct sotto_progress *progress,
                          const struct sotto_round_terms *terms);

#endif
