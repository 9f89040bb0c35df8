/*
 * Byte-pair encoding: a word's characters are merged two by two, always the pair of the lowest rank
 * that is there, the leftmost first. Source: Sennrich et al., ACL 2016; over bytes: Radford et al.,
 * 2019.
 *
 * In a byte-level model each byte is written as one of 256 printable characters; its vocabulary is
 * kept as the bytes themselves.
 */
#ifndef SOTTO_MODELS_TOKENISE_BPE_H
#define SOTTO_MODELS_TOKENISE_BPE_H

#include "models/tokenise/part.h"
#include "models/tokenise/text.h"
#include "models/tokenise/vocabulary.h"

/* Two tokens that become one. */
struct sotto_bpe_merge {
    uint32_t left; /* SOTTO_TOKEN_NONE: a free slot */
    uint32_t right;
    uint32_t rank;
    uint32_t token;
};

struct sotto_bpe {
    struct sotto_vocabulary vocabulary;
    struct sotto_bpe_merge *merges; /* [slot_count], open addressing */
    size_t slot_count;
    bool is_byte_level;
    bool ignores_merges; /* a word that is a token as a whole is that token */
    bool falls_to_bytes; /* an unknown character becomes its bytes, <0x00> to <0xFF> */
    bool fuses_unknown;  /* neighbouring unknown characters become one token */
    uint32_t unknown;    /* SOTTO_TOKEN_NONE: an unknown character goes */
    uint32_t bytes[256]; /* the token of each byte where is_byte_level or falls_to_bytes */
};

struct sotto_bpe_symbol {
    uint32_t token; /* SOTTO_TOKEN_NONE: it became part of the one before it */
    uint32_t before;
    uint32_t after; /* UINT32_MAX: none, as in `before` */
};

/* A merge that was possible when it was found. */
struct sotto_bpe_chance {
    uint32_t rank;
    uint32_t at; /* the left symbol */
    uint32_t token;
};

/* Scratch of one thread; all zero is empty. */
struct sotto_bpe_scratch {
    struct sotto_bpe_symbol *symbols;
    size_t symbol_capacity;
    struct sotto_bpe_chance *heap; /* least rank first, then leftmost */
    size_t heap_capacity;
    size_t heap_count;
};

/*
 * Reads the value of "model". SOTTO_MALFORMED, SOTTO_UNSUPPORTED, SOTTO_OVER_LIMIT,
 * SOTTO_NO_MEMORY: empty.
 */
SOTTO_CHECKED enum sotto_status sotto_bpe_open(struct sotto_bpe *model, bool is_byte_level,
                                               const struct sotto_part *reading);
void sotto_bpe_close(struct sotto_bpe *model);
void sotto_bpe_scratch_close(struct sotto_bpe_scratch *scratch);

/*
 * The bytes that a token of a byte-level vocabulary stands for, as it is written; false: a
 * character stands for none.
 *
 *   out  out  [token.length], of which *length are used; may be the token's own memory
 */
bool sotto_bpe_bytes_of(uint8_t *out, size_t *length, struct sotto_view token);

/*
 * Adds the tokens of a non-empty word. Work: O(n log n) for n characters. A lack of memory is in
 * tokens->is_short.
 */
void sotto_bpe_encode(const struct sotto_bpe *model, struct sotto_tokens *tokens,
                      struct sotto_bpe_scratch *scratch, struct sotto_view word);

#endif
