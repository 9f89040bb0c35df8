/* `sotto-participant predict`: names the label of each photo or text, with its probability. */
#ifndef SOTTO_PARTICIPANT_TRAINER_PREDICT_H
#define SOTTO_PARTICIPANT_TRAINER_PREDICT_H

#include "core/base/status.h"

/* Parses its arguments; results go to stdout. Exits by itself on a usage error or --help. */
SOTTO_CHECKED enum sotto_status sotto_command_predict(int argument_count, char **arguments,
                                                      struct sotto_fault *fault);

#endif
