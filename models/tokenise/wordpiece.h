/*
 * WordPiece: a word becomes the longest token that it begins with, then the longest continuing one,
 * and so on; a word that cannot be finished is unknown as a whole. Source: Devlin et al., BERT,
 * 2019, the WordpieceTokenizer of its published code.
 */
#ifndef SOTTO_MODELS_TOKENISE_WORDPIECE_H
#define SOTTO_MODELS_TOKENISE_WORDPIECE_H

#include "models/tokenise/part.h"
#include "models/tokenise/text.h"
#include "models/tokenise/vocabulary.h"

struct sotto_wordpiece {
    struct sotto_vocabulary whole; /* every token */
    struct sotto_vocabulary rest;  /* those that continue a word, without their prefix */
    uint32_t unknown;
    uint32_t characters_max; /* longer words are unknown */
};

/*
 * Reads the value of "model". SOTTO_MALFORMED, SOTTO_UNSUPPORTED, SOTTO_OVER_LIMIT,
 * SOTTO_NO_MEMORY: empty.
 */
SOTTO_CHECKED enum sotto_status sotto_wordpiece_open(struct sotto_wordpiece *model,
                                                     const struct sotto_part *reading);
void sotto_wordpiece_close(struct sotto_wordpiece *model);

/* Adds the tokens of a non-empty word. Work: O(length * length of the longest token). */
void sotto_wordpiece_encode(const struct sotto_wordpiece *model, struct sotto_tokens *tokens,
                            struct sotto_view word);

#endif
