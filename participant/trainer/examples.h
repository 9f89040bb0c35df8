/* A site's labelled pictures, read for a layout's labels and a model's form of picture. */
#ifndef SOTTO_PARTICIPANT_TRAINER_EXAMPLES_H
#define SOTTO_PARTICIPANT_TRAINER_EXAMPLES_H

#include "models/trainer.h"

struct sotto_examples_place {
    const char *folder; /* folder/<label>/<picture>; or "", then: */
    const char *images; /* an IDX pair */
    const char *labels;
    size_t count; /* of an IDX pair: only so many of the first; 0: all */
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (a label that the layout does not have, or
 * pictures of another form), SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: the fault names the file or the
 * folder; nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_examples_open(struct sotto_dataset *dataset,
                                                    const struct sotto_examples_place *place,
                                                    const struct sotto_adapter_choice *choice,
                                                    const struct sotto_model *model,
                                                    struct sotto_fault *fault);

#endif
