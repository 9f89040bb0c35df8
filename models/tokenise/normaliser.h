/*
 * What is done to a text before it is split: the "normalizer" of a tokenizer.json. Known:
 * BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Prepend, Replace of a fixed string, and a
 * Sequence of these.
 */
#ifndef SOTTO_MODELS_TOKENISE_NORMALISER_H
#define SOTTO_MODELS_TOKENISE_NORMALISER_H

#include "models/tokenise/part.h"
#include "models/tokenise/text.h"
#include "models/tokenise/unicode.h"

enum { SOTTO_NORMALISER_STEPS_MAX = 8, SOTTO_NORMALISER_STRING_MAX = 16 };

enum sotto_normaliser_kind {
    SOTTO_NORMALISER_BERT,
    SOTTO_NORMALISER_LOWERCASE,
    SOTTO_NORMALISER_FORM,
    SOTTO_NORMALISER_PREPEND,
    SOTTO_NORMALISER_REPLACE,
};

/* Source: Devlin et al., BERT, 2019, the BasicTokenizer of its published code. */
struct sotto_bert_rules {
    bool cleans_text;    /* controls and U+FFFD go, white space becomes a space */
    bool parts_chinese;  /* spaces around ideographs */
    bool strips_accents; /* NFD without nonspacing marks */
    bool lowercases;
};

struct sotto_normaliser_string {
    uint8_t bytes[SOTTO_NORMALISER_STRING_MAX];
    size_t length;
};

struct sotto_normaliser_step {
    enum sotto_normaliser_kind kind;
    struct sotto_bert_rules bert;
    enum sotto_unicode_form form;
    struct sotto_normaliser_string from; /* Replace: what; not empty */
    struct sotto_normaliser_string to;   /* Replace: by what; Prepend: what */
};

struct sotto_normaliser {
    struct sotto_normaliser_step steps[SOTTO_NORMALISER_STEPS_MAX];
    size_t count;
};

/*
 * Reads the value of "normalizer", which may be null. SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault
 * names the part), SOTTO_OVER_LIMIT: the normaliser is unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_normaliser_decode(struct sotto_normaliser *normaliser,
                                                        const struct sotto_part *reading);

/*
 * *out becomes the normalised text, in place of what it held; `spare` is scratch. A lack of memory
 * is in out->is_short.
 *
 *   text  in  valid UTF-8; neither `out` nor `spare`
 */
void sotto_normaliser_run(const struct sotto_normaliser *normaliser, struct sotto_text *out,
                          struct sotto_text *spare, struct sotto_view text);

#endif
