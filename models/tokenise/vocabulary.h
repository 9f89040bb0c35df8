/*
 * A table from the bytes of tokens to their indices, and back. Read-only once it is filled.
 */
#ifndef SOTTO_MODELS_TOKENISE_VOCABULARY_H
#define SOTTO_MODELS_TOKENISE_VOCABULARY_H

#include "core/base/bytes.h"

enum {
    SOTTO_TOKEN_BYTES_MAX = 1024,       /* of one token */
    SOTTO_VOCABULARY_MAX = 1024 * 1024, /* tokens, and the largest index */
};

#define SOTTO_TOKEN_NONE UINT32_MAX

struct sotto_vocabulary_entry {
    uint32_t hash;
    uint32_t token; /* SOTTO_TOKEN_NONE: a free slot */
    uint32_t first; /* in `bytes` */
    uint32_t length;
};

struct sotto_vocabulary {
    struct sotto_vocabulary_entry *entries; /* [slot_count], open addressing */
    size_t slot_count;                      /* a power of two, at least twice the tokens */
    uint8_t *bytes;
    size_t byte_count;
    size_t byte_capacity;
    size_t count;
    size_t count_max;
    size_t length_max;                                /* of the tokens that are in it */
    uint64_t lengths[SOTTO_TOKEN_BYTES_MAX / 64 + 1]; /* bit n: some token has n bytes */
};

/*
 * Room for `count_max` tokens of `byte_capacity` bytes together. SOTTO_NO_MEMORY: the table is
 * empty and safe to close.
 */
SOTTO_CHECKED enum sotto_status sotto_vocabulary_open(struct sotto_vocabulary *vocabulary,
                                                      size_t count_max, size_t byte_capacity);
void sotto_vocabulary_close(struct sotto_vocabulary *vocabulary);

/*
 * SOTTO_OVER_LIMIT: longer than SOTTO_TOKEN_BYTES_MAX, or beyond the room; SOTTO_MISMATCH: it is
 * there with another index. The table is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_vocabulary_add(struct sotto_vocabulary *vocabulary,
                                                     struct sotto_view bytes, uint32_t token);

/* The index of a token of just these bytes, or SOTTO_TOKEN_NONE. Work: O(length). */
uint32_t sotto_vocabulary_find(const struct sotto_vocabulary *vocabulary, struct sotto_view bytes);

/*
 * The longest token that `text` begins with, or SOTTO_TOKEN_NONE; *length: its bytes. The empty
 * token is never found. Work: O(length_max).
 */
uint32_t sotto_vocabulary_longest(const struct sotto_vocabulary *vocabulary, struct sotto_view text,
                                  size_t *length);

#endif
