/*
 * The long way from a round's sum to the next version on its shelf: the version that it started
 * from, the server optimiser's moments beside it, the step, and both of the new version, durable.
 * The same inputs give the same files, so that it can run again after a crash.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_ADVANCE_H
#define SOTTO_COORDINATOR_DRIVE_ADVANCE_H

#include "coordinator/apply/apply.h"
#include "coordinator/schedule/definition.h"

/* All borrowed. */
struct sotto_advance {
    const char *folder; /* of the coordinator's state */
    const struct sotto_definition *definition;
    const struct sotto_plan *plan;
    struct sotto_view layout;
    uint32_t survivors;
    uint32_t start_round; /* that made the version which the round started from; 0: none did */
};

/*
 *   sum  in  [plan->lane_count] unmasked
 *
 * SOTTO_FORGED: what the round started from is damaged; SOTTO_NOT_FOUND, SOTTO_IO, SOTTO_NO_MEMORY
 * and the statuses of sotto_apply_sum: the fault says what, and no version was stored.
 */
SOTTO_CHECKED enum sotto_status sotto_advance_run(const struct sotto_advance *advance,
                                                  struct sotto_applied *applied,
                                                  const uint32_t *sum, struct sotto_fault *fault);

#endif
