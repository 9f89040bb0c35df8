/*
 * Texts with what is to be learnt from them: to classify, {"text", "label"} a line or CSV with a
 * header; for a language model {"text"} or {"messages"} a line. A file is CSV if its name ends so,
 * else JSON lines.
 */
#ifndef SOTTO_MODELS_DATA_TEXTS_H
#define SOTTO_MODELS_DATA_TEXTS_H

#include "models/data/chat.h"
#include "models/data/dataset.h"
#include "models/tokenise/tokeniser.h"

enum { SOTTO_TEXTS_BYTES_MAX = 1024 * 1024 * 1024 };

/* How a text becomes an example. Borrowed. */
struct sotto_text_form {
    const struct sotto_tokeniser *tokeniser;
    uint32_t length_max;                    /* tokens; longer texts lose their end */
    const struct sotto_label_names *labels; /* NULL: for a language model */
    enum sotto_chat chat;                   /* the format of {"messages"} */
};

/* What happened to texts that are longer than length_max. */
struct sotto_text_report {
    size_t cut_count;
    size_t dropped_count; /* conversations whose first answer begins beyond it */
};

/*
 * Reads all examples of a file, past a byte order mark of UTF-8. A label is a name or an index; of
 * a language model's {"text"} every token but the first is learnt, of {"messages"} what the
 * assistant says, with the token that ends it. Other keys and columns are passed over.
 *
 * The fault names file, line and remedy; the dataset is empty. SOTTO_NOT_FOUND: no such file, or no
 * example in it; SOTTO_MALFORMED: broken JSON or CSV, no UTF-8, an empty text, a key that is
 * missing; SOTTO_MISMATCH: a label that is none of the labels, or a chat format whose tokens the
 * tokeniser lacks; SOTTO_OVER_LIMIT, also where length_max leaves no answer of any conversation, or
 * no token of a text; SOTTO_NO_MEMORY, SOTTO_IO.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_text_file(struct sotto_dataset *dataset,
                                                             struct sotto_text_report *report,
                                                             const char *path,
                                                             const struct sotto_text_form *form,
                                                             struct sotto_fault *fault);

/* The same from bytes; `name` is for the fault, and says whether they are CSV. */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_text_bytes(
    struct sotto_dataset *dataset, struct sotto_text_report *report, struct sotto_view bytes,
    const char *name, const struct sotto_text_form *form, struct sotto_fault *fault);

/* One text without a label, to be classified; `name` is for the fault. Statuses as above. */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_text(struct sotto_dataset *dataset,
                                                        struct sotto_view text, const char *name,
                                                        const struct sotto_text_form *form,
                                                        struct sotto_fault *fault);

#endif
