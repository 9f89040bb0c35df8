/*
 * Where a campaign stands and what comes next: another round, its end, or a pause with a reason
 * that an administrator can do something about.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_COURSE_H
#define SOTTO_COORDINATOR_DRIVE_COURSE_H

#include "coordinator/ledger/campaigns.h"
#include "coordinator/schedule/timetable.h"
#include "crypto/primitives/ed25519.h"

/* Whose word counts, and where things lie. Borrowed. */
struct sotto_course_ground {
    const char *folder; /* of the coordinator's state */
    struct sotto_ledger *ledger;
    const struct sotto_ed25519_public *signer;
};

struct sotto_course {
    struct sotto_definition definition;
    struct sotto_progress progress;
    enum sotto_next next;
    char reason[SOTTO_CAMPAIGN_REASON_MAX + 1]; /* of a pause; else "" */
};

/*
 * Before a round is to open, the version that it starts from and the server optimiser's moments are
 * read: without them its sum could not be applied, and all that sites did would be lost. If they
 * are missing or damaged the campaign pauses, and so does one whose definition does not parse, as
 * another version of Sotto may have left it. Reads and hashes three floats a lane at most.
 *
 *   last_reason  in  why the newest round was abandoned, for the reason of a pause
 *
 * The statuses of sotto_progress_read.
 */
SOTTO_CHECKED enum sotto_status sotto_course_read(struct sotto_course *course,
                                                  const struct sotto_course_ground *ground,
                                                  const struct sotto_campaign *campaign,
                                                  const char *last_reason,
                                                  struct sotto_fault *fault);

/*
 * Begins the moments of the campaign's newest version anew. SOTTO_UNEXPECTED: it has none; the
 * statuses of sotto_definition_decode, sotto_progress_read and sotto_momentum_renew.
 */
SOTTO_CHECKED enum sotto_status sotto_course_renew(const struct sotto_course_ground *ground,
                                                   const struct sotto_campaign *campaign,
                                                   struct sotto_fault *fault);

#endif
