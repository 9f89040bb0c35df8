/* The loop of the trainer process: answers the sealer's letters, one at a time. */
#ifndef SOTTO_PARTICIPANT_TRAINER_DRIVE_H
#define SOTTO_PARTICIPANT_TRAINER_DRIVE_H

#include "core/base/status.h"

/*
 * The whole life of the process, from the supervisor's START on. SOTTO_IO: the sealer is gone.
 * Other failures were told to the supervisor.
 */
SOTTO_CHECKED enum sotto_status sotto_trainer_serve(void);

#endif
