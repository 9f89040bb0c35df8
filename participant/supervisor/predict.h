/*
 * `sotto-participant predict`: a site's model, adapter and chat format, or those that are named, go
 * to the trainer's program, which opens models and examples.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_PREDICT_H
#define SOTTO_PARTICIPANT_SUPERVISOR_PREDICT_H

#include "core/base/status.h"

/*
 * Reads the command line, of which the first argument is the program's name, and becomes the
 * trainer's program. A wrong command line ends the program. Returns only after a failure:
 * SOTTO_NOT_FOUND: no state folder, or no adapter came home yet; what sotto_site_load and
 * sotto_trainer_become say.
 */
SOTTO_CHECKED enum sotto_status sotto_site_predict(int argument_count, char **arguments,
                                                   struct sotto_fault *fault);

#endif
