/* sotto-coordinator recover: go on after acknowledged journal entries were lost. */
#ifndef SOTTO_COORDINATOR_PROGRAM_RECOVER_H
#define SOTTO_COORDINATOR_PROGRAM_RECOVER_H

#include "core/base/log.h"
#include "core/base/status.h"

/*
 * Takes the journal as it is and gives the running round up, so that no second survivor set can be
 * announced for it; its campaign is paused. What sites were told in the lost entries stays lost.
 */
SOTTO_CHECKED enum sotto_status sotto_recover_run(const char *folder, const struct sotto_log *log,
                                                  struct sotto_fault *fault);

#endif
