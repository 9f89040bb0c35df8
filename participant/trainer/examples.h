/*
 * A site's labelled examples, read for a layout's labels and a model's form: pictures for a vision
 * model, texts for one of texts.
 */
#ifndef SOTTO_PARTICIPANT_TRAINER_EXAMPLES_H
#define SOTTO_PARTICIPANT_TRAINER_EXAMPLES_H

#include "models/data/texts.h"
#include "models/trainer.h"

enum { SOTTO_TEXT_LENGTH_MAX = 16384 };

struct sotto_examples_place {
    const char *folder; /* folder/<label>/<picture>, or a file of texts; or "", then: */
    const char *images; /* an IDX pair */
    const char *labels;
    size_t count;         /* of an IDX pair: only so many of the first; 0: all */
    const char *chat;     /* the format of conversations, or "" */
    uint32_t text_length; /* tokens of a text; 0: as many as the model takes, at most 1024 */
};

/*
 * How texts are read for a model of texts. SOTTO_MALFORMED: the place names no known chat format;
 * the fault says which there are.
 *
 *   labels  out  borrows the choice's, and is borrowed by the form
 */
SOTTO_CHECKED enum sotto_status sotto_examples_form(struct sotto_text_form *form,
                                                    struct sotto_label_names *labels,
                                                    const struct sotto_examples_place *place,
                                                    const struct sotto_adapter_choice *choice,
                                                    const struct sotto_model *model,
                                                    struct sotto_fault *fault);

/* Opened examples, and one line to tell about them, such as how many texts were too long, or "". */
struct sotto_examples {
    struct sotto_dataset dataset;
    char note[160];
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_MISMATCH (a label that the layout does not have, pictures
 * of another form, or a chat or text_length that the model has no use for), SOTTO_OVER_LIMIT,
 * SOTTO_NO_MEMORY: the fault names the file or the folder; nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_examples_open(struct sotto_examples *examples,
                                                    const struct sotto_examples_place *place,
                                                    const struct sotto_adapter_choice *choice,
                                                    const struct sotto_model *model,
                                                    struct sotto_fault *fault);
void sotto_examples_close(struct sotto_examples *examples); /* twice is harmless */

#endif
