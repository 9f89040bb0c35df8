/*
 * The tokeniser of a Hugging Face model directory, its tokenizer.json: text to the same token
 * indices as PyPI tokenizers gives. Known: WordPiece and byte-pair encoding; which parts, the
 * headers of this room say. A part that is not known is refused by its name.
 *
 * Not used, because it has no bearing on the indices of one text: padding, what a post-processor
 * does with a pair. The decoder is looked at by sotto_tokeniser_open_decoder alone.
 *
 * A sotto_tokeniser is read-only and can be shared by any number of encoders, decoders and threads;
 * each of those has its own scratch and belongs to one thread.
 */
#ifndef SOTTO_MODELS_TOKENISE_TOKENISER_H
#define SOTTO_MODELS_TOKENISE_TOKENISER_H

#include "core/base/bytes.h"
#include "models/tokenise/vocabulary.h"

enum { SOTTO_TOKENISER_BYTES_MAX = 64 * 1024 * 1024, SOTTO_TEXT_BYTES_MAX = 16 * 1024 * 1024 };

struct sotto_tokeniser;
struct sotto_encoder;
struct sotto_decoder;

/*
 * Reads the bytes of a tokenizer.json; `path` is for the fault.
 *
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED (the fault names the part), SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY:
 * *tokeniser is NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_tokeniser_open(struct sotto_tokeniser **tokeniser,
                                                     struct sotto_view json, const char *path,
                                                     struct sotto_fault *fault);
void sotto_tokeniser_close(struct sotto_tokeniser *tokeniser);

/* Every index that it gives is below this; a model's vocabulary must be at least as large. */
uint32_t sotto_tokeniser_size(const struct sotto_tokeniser *tokeniser);

/* The index of a token by its text, such as "</s>"; SOTTO_TOKEN_NONE: it has none. */
uint32_t sotto_tokeniser_find(const struct sotto_tokeniser *tokeniser, struct sotto_view text);

/*
 * Whether it puts something, a space, before whatever follows a special token, even before a space:
 * the normalizer's Prepend of older files.
 */
bool sotto_tokeniser_prepends(const struct sotto_tokeniser *tokeniser);

/* SOTTO_NO_MEMORY: *encoder is NULL. The tokeniser outlives it. */
SOTTO_CHECKED enum sotto_status sotto_encoder_open(struct sotto_encoder **encoder,
                                                   const struct sotto_tokeniser *tokeniser);
void sotto_encoder_close(struct sotto_encoder *encoder);

struct sotto_encoding_form {
    size_t length_max; /* tokens in all, those of the frame too; 0: as the file says, if it does */
    bool is_framed;    /* with the special tokens that the file puts around a text */
};

struct sotto_encoding {
    const uint32_t *tokens; /* borrowed until the encoder is used again */
    size_t count;
    size_t text_first; /* where those of the text itself begin, after what is before it */
    size_t text_count; /* and how many they are */
    bool is_cut;       /* the text was longer: its end is missing */
};

/*
 * The tokens of one text. A text that begins in the middle of what is too long is cut at its end,
 * inside the frame.
 *
 * SOTTO_MALFORMED: not UTF-8; SOTTO_OVER_LIMIT: more than SOTTO_TEXT_BYTES_MAX, or length_max is
 * not above the frame's own tokens; SOTTO_NO_MEMORY: *encoding is empty.
 */
SOTTO_CHECKED enum sotto_status sotto_encoder_run(struct sotto_encoder *encoder,
                                                  struct sotto_encoding *encoding,
                                                  struct sotto_view text,
                                                  struct sotto_encoding_form form);

/*
 * SOTTO_UNSUPPORTED: its tokens do not become text, the fault names the part of the file;
 * SOTTO_MALFORMED, SOTTO_OVER_LIMIT: the file's decoder is broken; SOTTO_NO_MEMORY: *decoder is
 * NULL. The tokeniser outlives it.
 */
SOTTO_CHECKED enum sotto_status sotto_tokeniser_open_decoder(
    struct sotto_decoder **decoder, const struct sotto_tokeniser *tokeniser,
    struct sotto_fault *fault);

#endif
