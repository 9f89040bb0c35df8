/*
 * Which gradients a backward has to compute: one that nothing trained needs is left out, and with
 * it everything before it.
 */
#ifndef SOTTO_MODELS_BLOCK_NEEDS_H
#define SOTTO_MODELS_BLOCK_NEEDS_H

#include "models/block/block.h"

/* From the block's result down to its input; each implies those before it. */
struct sotto_block_needs {
    bool any;       /* anything at all */
    bool sum;       /* what the last norm gets, with norm after; else the result itself */
    bool active;    /* what the MLP's last layer gets */
    bool mlp_input; /* what its first layers get */
    bool attended;  /* x plus the attention */
    bool projected; /* queries, keys, values, and with them the context */
    bool input;     /* what their layers get */
    bool x;
};

struct sotto_block_needs sotto_block_needs_of(const struct sotto_block *block,
                                              enum sotto_block_below below);

#endif
