/* `sotto-participant export`: an adapter in the forms that other tools know. */
#ifndef SOTTO_PARTICIPANT_TRAINER_EXPORT_H
#define SOTTO_PARTICIPANT_TRAINER_EXPORT_H

#include "core/base/status.h"

/* Parses its arguments; results go to stdout. Exits by itself on a usage error or --help. */
SOTTO_CHECKED enum sotto_status sotto_command_export(int argument_count, char **arguments,
                                                     struct sotto_fault *fault);

#endif
