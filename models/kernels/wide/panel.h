/*
 * The product's operands: a is copied into rows that lie side by side, b into panels of
 * SOTTO_WIDE_COLUMNS of its columns. Weights may lie in panels already.
 */
#ifndef SOTTO_MODELS_KERNELS_WIDE_PANEL_H
#define SOTTO_MODELS_KERNELS_WIDE_PANEL_H

#include "models/kernels/matrix.h"
#include "models/kernels/packed/ahead.h"

enum sotto_wide_order {
    SOTTO_WIDE_PLAIN,      /* b itself, row by row */
    SOTTO_WIDE_TRANSPOSED, /* b^T, row by row */
    SOTTO_WIDE_PANELS,     /* b^T is W as models/kernels/packed/packed.h has it: panels of b */
    SOTTO_WIDE_TURNED      /* b is such a W */
};

/* b [inner, columns]. Of weights in panels both are multiples of SOTTO_WIDE_COLUMNS. */
struct sotto_wide_right {
    enum sotto_wide_order order;
    const struct sotto_device_float *at;
    size_t inner;
    size_t columns;
    size_t stride; /* of what lies row by row */
};

/* Rows `row` on and inner elements `first` on of a, to [SOTTO_WIDE_BLOCK_ROWS, SOTTO_WIDE_STRIDE].
 */
void sotto_wide_rows_pack(float *block, struct sotto_factor a, size_t row, size_t first);

/*
 * Columns `column` on and inner elements `first` on of b.
 *
 *   panel  out  [SOTTO_WIDE_DEPTH, SOTTO_WIDE_COLUMNS]
 */
void sotto_wide_panel_pack(float *panel, const struct sotto_wide_right *b, size_t column,
                           size_t first);

/* What that reads; nothing behind the last panel. */
struct sotto_ahead sotto_wide_panel_source(const struct sotto_wide_right *b, size_t column,
                                           size_t first);

/* The first element of a panel that can be read where it is, of SOTTO_WIDE_PANELS. */
const float *sotto_wide_panel_at(const struct sotto_wide_right *b, size_t column, size_t first);

/* W, whose rows and columns are multiples of SOTTO_WIDE_COLUMNS, in panels. */
void sotto_wide_panels_pack(struct sotto_device_float *out, struct sotto_matrix_view w);

#endif
