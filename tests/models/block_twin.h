/* A transformer block written down naively, in double: what models/block is compared with. */
#ifndef SOTTO_TESTS_MODELS_BLOCK_TWIN_H
#define SOTTO_TESTS_MODELS_BLOCK_TWIN_H

#include "models/block/block.h"

enum { TWIN_ROWS_MAX = 16, TWIN_COLUMNS_MAX = 16 };

/* Without dropouts. */
struct twin {
    const struct sotto_block *block;
    const struct sotto_block_shape *shape;
    const float *x;                            /* [rows, width] */
    double y[TWIN_ROWS_MAX][TWIN_COLUMNS_MAX]; /* [onward rows, width] */
};

void twin_run(struct twin *twin);

#endif
