/*
 * The innermost part of the product: rows of a, copied side by side, against one panel of b; a tile
 * of 14 x 32 results stays in registers.
 */
#ifndef SOTTO_MODELS_KERNELS_WIDE_TILE_H
#define SOTTO_MODELS_KERNELS_WIDE_TILE_H

#include <stdbool.h>
#include <stddef.h>

#include "models/kernels/packed/ahead.h"

enum {
    SOTTO_WIDE_ROWS = 14,    /* 14 x 2 sums, 2 of b, 1 of a: all registers but 1 */
    SOTTO_WIDE_COLUMNS = 32, /* of a panel of b */
    SOTTO_WIDE_DEPTH = 384,  /* of a block: panel, 48 KiB, and rows stay in L2 */
    SOTTO_WIDE_STRIDE = SOTTO_WIDE_DEPTH + 16, /* of a block's rows: no power of two */
    SOTTO_WIDE_BLOCK_ROWS = 29 * SOTTO_WIDE_ROWS
};

/* One tile of results: c = alpha (a b + bias + residual) + beta c. */
struct sotto_wide_tile {
    const float *a; /* [rows] of stride SOTTO_WIDE_STRIDE */
    const float *b; /* [depth] of stride b_stride, whole vectors: read beyond `columns` */
    float *c;
    size_t b_stride;
    size_t c_stride;
    bool is_far;    /* c is larger than a cache */
    size_t columns; /* 1 .. SOTTO_WIDE_COLUMNS */
    size_t depth;
    float alpha;
    float beta;
    const float *bias;     /* [columns] or NULL */
    const float *residual; /* as c, or NULL */
    size_t residual_stride;
};

/* All rows of one panel, in tiles; `next` is fetched meanwhile. */
void sotto_wide_tiles_multiply(struct sotto_wide_tile tile, size_t rows, struct sotto_ahead next);

#endif
