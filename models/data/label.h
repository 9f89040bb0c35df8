/*
 * The label of one text, as a file has it: a name of the labels, or its index. A name goes first,
 * so that labels which are called "1" and "0" mean themselves.
 */
#ifndef SOTTO_MODELS_DATA_LABEL_H
#define SOTTO_MODELS_DATA_LABEL_H

#include <jansson.h>

#include "models/data/dataset.h"

/*
 *   label  out  below labels->count
 *   why    out  what is wrong and the remedy, without the file; [SOTTO_FAULT_TEXT_MAX]
 *
 * SOTTO_MISMATCH: it is none of the labels; label untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_label_of_text(uint32_t *label,
                                                    const struct sotto_label_names *labels,
                                                    struct sotto_view text, char *why);

/* The same of a text or a whole number in JSON; SOTTO_MALFORMED: it is neither, or NULL. */
SOTTO_CHECKED enum sotto_status sotto_label_of_json(uint32_t *label,
                                                    const struct sotto_label_names *labels,
                                                    const json_t *value, char *why);

#endif
