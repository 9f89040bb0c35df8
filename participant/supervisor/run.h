/* `sotto-participant run`: keeps a site's processes alive until SIGTERM or SIGINT. */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_RUN_H
#define SOTTO_PARTICIPANT_SUPERVISOR_RUN_H

#include "participant/supervisor/folder.h"

/*
 *   exit_code  out  0 after SIGTERM, 130 after SIGINT, otherwise that of the failure
 *
 * SOTTO_BUSY: another run has the folder; SOTTO_NOT_FOUND, SOTTO_MALFORMED: site.yaml or a key; the
 * fault has the sentence. A process that fails for a lasting reason ends the run with its exit
 * code, others are started anew, up to a bound and with growing pauses.
 */
SOTTO_CHECKED enum sotto_status sotto_site_run(int *exit_code,
                                               const struct sotto_state_folder *folder,
                                               struct sotto_fault *fault);

#endif
