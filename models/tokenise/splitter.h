/*
 * How a normalised text becomes words: the "pre_tokenizer" of a tokenizer.json. Known:
 * BertPreTokenizer; ByteLevel with GPT-2's pattern or none; Split by GPT-2's, Llama 3's or Qwen2's
 * pattern; Digits; Whitespace splits; Metaspace; and a Sequence of these.
 *
 * A pattern is recognised by its very text and found by a scanner of its own: linear time, and no
 * expression from a file is ever run.
 */
#ifndef SOTTO_MODELS_TOKENISE_SPLITTER_H
#define SOTTO_MODELS_TOKENISE_SPLITTER_H

#include "models/tokenise/part.h"
#include "models/tokenise/text.h"

enum { SOTTO_SPLITTER_STEPS_MAX = 8 };

enum sotto_splitter_kind {
    SOTTO_SPLITTER_BERT,      /* spaces go, punctuation is apart */
    SOTTO_SPLITTER_GPT2,      /* Radford et al., 2019, encoder.py */
    SOTTO_SPLITTER_LLAMA3,    /* up to digits_max digits together */
    SOTTO_SPLITTER_DIGITS,    /* numbers apart, digits_max digits together, 0: all */
    SOTTO_SPLITTER_SPACES,    /* spaces go */
    SOTTO_SPLITTER_METASPACE, /* before every U+2581 */
};

struct sotto_splitter_step {
    enum sotto_splitter_kind kind;
    uint32_t digits_max;
};

enum sotto_metaspace {
    SOTTO_METASPACE_NONE,
    SOTTO_METASPACE_NEVER,  /* U+2581 for each space */
    SOTTO_METASPACE_FIRST,  /* and one before the text's very first word */
    SOTTO_METASPACE_ALWAYS, /* and one before each part between special tokens */
};

struct sotto_splitter {
    struct sotto_splitter_step steps[SOTTO_SPLITTER_STEPS_MAX];
    size_t count;
    bool is_byte_level; /* words are bytes, each written as one of 256 printable characters */
    bool adds_space;    /* before a part that does not begin with one; is_byte_level only */
    enum sotto_metaspace metaspace;
};

/*
 * Reads an object of the type Metaspace, of a "pre_tokenizer" or a "decoder": an old file says
 * add_prefix_space where a newer one says prepend_scheme.
 *
 *   splits  out  a text is cut before every U+2581
 *
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault names the part): unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_metaspace_decode(enum sotto_metaspace *metaspace,
                                                       bool *splits,
                                                       const struct sotto_part *reading);

/*
 * Reads the value of "pre_tokenizer", which may be null: then a text is one word. SOTTO_MALFORMED,
 * SOTTO_UNSUPPORTED (the fault names the part), SOTTO_OVER_LIMIT: unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_splitter_decode(struct sotto_splitter *splitter,
                                                      const struct sotto_part *reading);

/*
 * The first piece of a non-empty part by one step: its length in bytes, at least 1.
 *
 *   is_dropped  out  the piece goes
 */
size_t sotto_splitter_next(const struct sotto_splitter_step *step, struct sotto_view part,
                           bool *is_dropped);

#endif
