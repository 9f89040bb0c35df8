/* `sotto-participant check`: opens a base model as a site would, and tells what it is. */
#ifndef SOTTO_PARTICIPANT_TRAINER_CHECK_H
#define SOTTO_PARTICIPANT_TRAINER_CHECK_H

#include "core/base/status.h"

/* Parses its arguments; results go to stdout. Exits by itself on a usage error or --help. */
SOTTO_CHECKED enum sotto_status sotto_command_check(int argument_count, char **arguments,
                                                    struct sotto_fault *fault);

#endif
