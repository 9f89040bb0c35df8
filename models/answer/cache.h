/*
 * One text through a language model, some tokens at a time. Keys and values of all blocks are kept,
 * so that a token costs one row through the model, whatever came before it; each row is what it is
 * in the whole text at once. Source: Shazeer, arXiv:1911.02150, section 2.4, incremental inference.
 */
#ifndef SOTTO_MODELS_ANSWER_CACHE_H
#define SOTTO_MODELS_ANSWER_CACHE_H

#include "models/arch/network.h"

struct sotto_cache_room {
    uint32_t length_max; /* tokens of the text, up to the model's positions */
    uint32_t row_max;    /* of which so many come at a time */
};

struct sotto_cache {
    struct sotto_cache_room room;
    uint32_t length;    /* tokens that are kept; 0: another text begins */
    uint32_t starts[2]; /* of the rows that come */
    /* [block_count][length_max, 2][key width] */
    struct sotto_device_float *kept;
    struct sotto_device_float *streams; /* [2][row_max, width] between the blocks */
    struct sotto_norm_rows rows;
    struct sotto_block_pass pass; /* of one block after the other */
    struct sotto_block_scratch scratch;
};

/*
 * Takes the memory: 8 bytes a token, block and column of the keys, and what a block needs of
 * row_max rows. SOTTO_NO_MEMORY: the workspace is full. The adapters' ranks are looked at.
 *
 *   network  in  of a language model, with a rotary table for length_max
 */
SOTTO_CHECKED enum sotto_status sotto_cache_take(struct sotto_cache *cache,
                                                 const struct sotto_network *network,
                                                 struct sotto_cache_room room,
                                                 struct sotto_workspace *workspace);

/*
 * The text goes on.
 *
 *   features  out  [width] of the last token after the final norm: what foretells the next
 *   tokens    in   [count], 1 .. row_max, each below the vocabulary; with those that are kept at
 *                  most length_max
 */
void sotto_cache_extend(struct sotto_cache *cache, const struct sotto_network *network,
                        struct sotto_device_float *features, const uint32_t *tokens,
                        uint32_t count);

#endif
