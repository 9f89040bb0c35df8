/* `sotto-participant evaluate`: counts how many examples, or tokens, an adapter gets right. */
#ifndef SOTTO_PARTICIPANT_TRAINER_EVALUATE_H
#define SOTTO_PARTICIPANT_TRAINER_EVALUATE_H

#include "core/base/status.h"

/* Parses its arguments; results go to stdout. Exits by itself on a usage error or --help. */
SOTTO_CHECKED enum sotto_status sotto_command_evaluate(int argument_count, char **arguments,
                                                       struct sotto_fault *fault);

#endif
