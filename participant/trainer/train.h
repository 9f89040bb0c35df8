/* `sotto-participant train`: trains an adapter on local examples alone, without any federation. */
#ifndef SOTTO_PARTICIPANT_TRAINER_TRAIN_H
#define SOTTO_PARTICIPANT_TRAINER_TRAIN_H

#include "core/base/status.h"

/* Parses its arguments; results go to stdout. Exits by itself on a usage error or --help. */
SOTTO_CHECKED enum sotto_status sotto_command_train(int argument_count, char **arguments,
                                                    struct sotto_fault *fault);

#endif
