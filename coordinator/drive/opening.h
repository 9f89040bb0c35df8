/* The beginning of a round: who is on the roster, what the plan says, signed. */
#ifndef SOTTO_COORDINATOR_DRIVE_OPENING_H
#define SOTTO_COORDINATOR_DRIVE_OPENING_H

#include "coordinator/ledger/rounds.h"
#include "coordinator/schedule/timetable.h"
#include "core/base/entropy.h"

struct sotto_opening {
    const char *folder;
    struct sotto_ledger *ledger;
    const struct sotto_secret *signing;
    struct sotto_entropy *entropy; /* of the plan's nonce */
    uint64_t now_ms;
};

/*
 * Puts the roster on its shelf, the signed one or else that of now, then writes and signs the plan
 * into a fresh row.
 */
SOTTO_CHECKED enum sotto_status sotto_opening_make(struct sotto_round_row *row,
                                                   const struct sotto_opening *opening,
                                                   const struct sotto_definition *definition,
                                                   const struct sotto_progress *progress,
                                                   struct sotto_fault *fault);

#endif
