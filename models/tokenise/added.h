/*
 * The "added_tokens" of a tokenizer.json: texts that are one token wherever they stand, such as
 * [MASK] or <|im_end|>. Those that are not normalised are looked for in the text as it came, the
 * others in what the normaliser left.
 */
#ifndef SOTTO_MODELS_TOKENISE_ADDED_H
#define SOTTO_MODELS_TOKENISE_ADDED_H

#include "models/tokenise/normaliser.h"
#include "models/tokenise/part.h"
#include "models/tokenise/vocabulary.h"

struct sotto_added_token {
    uint32_t token;
    uint32_t first; /* of its text as the file has it, in sotto_added.contents */
    uint32_t length;
    bool is_word;       /* not inside a word */
    bool strips_before; /* white space before it belongs to it */
    bool strips_after;
    bool is_normalised;
    bool is_special;
};

/* One of the two kinds; its vocabulary gives places in sotto_added.tokens. */
struct sotto_added_set {
    struct sotto_vocabulary texts;
    bool begins[256]; /* whether one begins with this byte */
};

struct sotto_added {
    struct sotto_added_token *tokens;
    size_t count;
    struct sotto_text contents;
    struct sotto_added_set written;
    struct sotto_added_set normalised;
};

/*
 * Reads the value of "added_tokens", which may be absent. SOTTO_MALFORMED, SOTTO_UNSUPPORTED,
 * SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: empty.
 */
SOTTO_CHECKED enum sotto_status sotto_added_open(struct sotto_added *added,
                                                 const struct sotto_normaliser *normaliser,
                                                 const struct sotto_part *reading);
void sotto_added_close(struct sotto_added *added);

struct sotto_added_match {
    size_t first; /* its bytes, with the white space that belongs to it */
    size_t end;
    uint32_t token;
};

/*
 * The first added token in text[from ..): the leftmost, and of those the longest.
 *
 *   match  out  where there is one
 *   set    in   added->written or added->normalised
 */
bool sotto_added_find(const struct sotto_added *added, struct sotto_added_match *match,
                      const struct sotto_added_set *set, struct sotto_view text, size_t from);

/* The text of a token as the file has it. */
struct sotto_view sotto_added_content(const struct sotto_added *added,
                                      const struct sotto_added_token *token);

/* The index of an added token of just this text, or SOTTO_TOKEN_NONE. */
uint32_t sotto_added_token_of(const struct sotto_added *added, struct sotto_view text);

#endif
