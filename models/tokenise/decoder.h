/*
 * How tokens become text again: the "decoder" of a tokenizer.json. Known: ByteLevel; Metaspace; and
 * Replace of a fixed string, ByteFallback, Fuse and Strip at the left, each at most once and in
 * this order, alone or in a Sequence, as models that were SentencePiece's have them.
 */
#ifndef SOTTO_MODELS_TOKENISE_DECODER_H
#define SOTTO_MODELS_TOKENISE_DECODER_H

#include "models/tokenise/added.h"
#include "models/tokenise/normaliser.h"
#include "models/tokenise/part.h"
#include "models/tokenise/vocabulary.h"

/* What is done to tokens, in this order; the first and the last kind stand alone. */
enum sotto_joiner_step {
    SOTTO_JOINER_METASPACE, /* U+2581 becomes a space */
    SOTTO_JOINER_REPLACE,
    SOTTO_JOINER_FALLBACK, /* <0x00> to <0xFF> become bytes */
    SOTTO_JOINER_FUSE,     /* the tokens become one text */
    SOTTO_JOINER_STRIP,    /* of which the first so many characters go, if they are that one */
    SOTTO_JOINER_BYTES,    /* each character stands for a byte */
};

struct sotto_joiner {
    uint32_t step_set;                /* bit 1 << enum sotto_joiner_step; 0: there is no decoder */
    bool drops_first;                 /* of Metaspace: the first token's go */
    struct sotto_normaliser replaced; /* one Replace */
    uint32_t stripped;                /* a character */
    uint32_t stripped_max;
};

/*
 * Reads the value of "decoder", which may be null. SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault
 * names the part), SOTTO_OVER_LIMIT: unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_joiner_decode(struct sotto_joiner *joiner,
                                                    const struct sotto_part *reading);

/* The parts of a tokeniser that its decoders need; borrowed, and they outlive a decoder. */
struct sotto_decoder_parts {
    const struct sotto_joiner *joiner; /* with a step */
    const struct sotto_vocabulary *vocabulary;
    const struct sotto_added *added;
    uint32_t size; /* every index is below */
};

struct sotto_decoder;

/* SOTTO_NO_MEMORY: *decoder is NULL. */
SOTTO_CHECKED enum sotto_status sotto_decoder_open(struct sotto_decoder **decoder,
                                                   struct sotto_decoder_parts parts);
void sotto_decoder_close(struct sotto_decoder *decoder);

/*
 * The text of the next tokens, without special tokens and without indices that are no token. A
 * character of which bytes are still missing is held back until they come, or until the end, where
 * it becomes U+FFFD as all bytes do that are no UTF-8.
 *
 *   text     out  valid UTF-8, borrowed until the decoder is used again
 *   is_last  in   this ends the text: the next call begins another
 *
 * SOTTO_NO_MEMORY: *text is empty.
 */
SOTTO_CHECKED enum sotto_status sotto_decoder_run(struct sotto_decoder *decoder,
                                                  struct sotto_view *text, const uint32_t *tokens,
                                                  size_t count, bool is_last);

#endif
