/* A base model tried before a site is enrolled with it, by the program that will open it later. */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_TRIAL_H
#define SOTTO_PARTICIPANT_SUPERVISOR_TRIAL_H

#include "core/base/status.h"

/*
 * Runs `sotto-trainer check` on a model directory to its end: this process opens no model.
 *
 * What the trainer says of the model, with a status of the same exit code; SOTTO_NO_MEMORY,
 * SOTTO_IO, SOTTO_NOT_FOUND: it could not be started.
 */
SOTTO_CHECKED enum sotto_status sotto_model_try(const char *model, struct sotto_fault *fault);

#endif
