/*
 * Growing memory for text and for tokens, and UTF-8 one character at a time (RFC 3629).
 *
 * Both grow by doubling and remember a failure, so that a chain of additions is checked once.
 */
#ifndef SOTTO_MODELS_TOKENISE_TEXT_H
#define SOTTO_MODELS_TOKENISE_TEXT_H

#include "core/base/bytes.h"

struct sotto_text {
    uint8_t *at;
    size_t length;
    size_t capacity;
    bool is_short; /* memory ran out: what was added last is missing */
};

/* What stands in a text; memory that ran out is in is_short. */
void sotto_text_close(struct sotto_text *text);
void sotto_text_clear(struct sotto_text *text); /* keeps the memory; is_short becomes false */
void sotto_text_add(struct sotto_text *text, struct sotto_view bytes);
void sotto_text_add_character(struct sotto_text *text, uint32_t character);
struct sotto_view sotto_text_view(const struct sotto_text *text);

struct sotto_tokens {
    uint32_t *at;
    size_t count;
    size_t capacity;
    bool is_short;
};

/* As those of a text. */
void sotto_tokens_close(struct sotto_tokens *tokens);
void sotto_tokens_clear(struct sotto_tokens *tokens);
void sotto_tokens_add(struct sotto_tokens *tokens, const uint32_t *added, size_t count);

/* Whether the bytes are UTF-8: shortest forms, no surrogates, at most U+10FFFF. */
bool sotto_utf8_is_valid(struct sotto_view text);

/* The first character of valid, non-empty UTF-8; *length: its bytes, 1 .. 4. */
uint32_t sotto_utf8_first(struct sotto_view text, size_t *length);

/* The last character of valid, non-empty UTF-8; *length: its bytes. */
uint32_t sotto_utf8_last(struct sotto_view text, size_t *length);

/*
 * The length of the character that non-empty bytes begin with; 0: they end within it. Where they
 * begin with none, *is_valid is false and the length is of what one U+FFFD stands for: Unicode 15,
 * section 3.9, maximal subparts.
 */
size_t sotto_utf8_take(struct sotto_view bytes, bool *is_valid);

/* What is left of a view after its first `length` bytes. */
struct sotto_view sotto_view_after(struct sotto_view bytes, size_t length);

/* What is left of a file after a byte order mark of UTF-8, if it begins with one. */
struct sotto_view sotto_view_after_mark(struct sotto_view bytes);

#endif
