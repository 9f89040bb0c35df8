/*
 * The innermost part of a packed product: some rows of `a` against one panel. One such table for
 * each kind of processor.
 */
#ifndef SOTTO_MODELS_KERNELS_PACKED_TILE_H
#define SOTTO_MODELS_KERNELS_PACKED_TILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SOTTO_TILE_ROWS = 14,                      /* with two vectors each, all but four registers */
    SOTTO_TILE_INNER = 384,                    /* of the inner dimension at a time: panel in L1 */
    SOTTO_TILE_STRIDE = SOTTO_TILE_INNER + 32, /* of rounded rows, so that they spread over L1 */
};

struct sotto_tile {
    float *c; /* [rows, SOTTO_PANEL_WIDTH] of a larger matrix */
    size_t c_stride;
    const uint16_t *a;     /* [rows, SOTTO_TILE_STRIDE] rounded */
    const uint16_t *panel; /* [pairs, SOTTO_PANEL_WIDTH, 2] */
    size_t pairs;          /* at most SOTTO_TILE_INNER / 2 */
    uint32_t rows;         /* 1 .. SOTTO_TILE_ROWS */
    bool adds;             /* to c, else overwrites it */
    const float *bias;     /* [SOTTO_PANEL_WIDTH] is added to each row, or NULL */
    const float *residual; /* as c, or NULL */
    size_t residual_stride;
};

struct sotto_tile_kernel {
    /* out[i] = bfloat16(in[i]), to nearest even; count is a multiple of 32. NaN stays NaN. */
    void (*round)(uint16_t *out, const float *in, size_t count);
    void (*multiply)(const struct sotto_tile *tile);

    /*
     * Turns a square: pairs of columns become pairs of rows.
     *
     *   out     out  [16 pairs of rows][32 columns][2]
     *   square  in   [16 pairs of columns][32 rows][2]
     */
    void (*turn)(uint16_t *out, const uint16_t *square);
};

/* For every processor, vectorised by the compiler. */
const struct sotto_tile_kernel *sotto_tile_portable(void);

#endif
