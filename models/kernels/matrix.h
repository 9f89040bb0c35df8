/*
 * A row-major float32 matrix in somebody else's device memory: what every kernel takes and writes.
 */
#ifndef SOTTO_MODELS_KERNELS_MATRIX_H
#define SOTTO_MODELS_KERNELS_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

#include "models/kernels/device/device.h"

/* Element (row, column) is at[row * stride + column]; stride >= columns. */
struct sotto_matrix {
    struct sotto_device_float *at;
    size_t rows;
    size_t columns;
    size_t stride;
};

/*
 * The same, read-only. at == NULL where a comment allows "none"; stride 0, one row that stands for
 * all, where a comment allows that.
 */
struct sotto_matrix_view {
    const struct sotto_device_float *at;
    size_t rows;
    size_t columns;
    size_t stride;
};

/* A factor of a product; is_transposed: the product takes the view's transpose. */
struct sotto_factor {
    struct sotto_matrix_view view;
    bool is_transposed;
};

/* Dense: stride = columns. */
struct sotto_matrix sotto_matrix_of(struct sotto_device_float *at, size_t rows, size_t columns);
struct sotto_matrix_view sotto_matrix_view_of(const struct sotto_device_float *at, size_t rows,
                                              size_t columns);
struct sotto_matrix_view sotto_matrix_read(struct sotto_matrix matrix);

/* `columns` columns from `first` on, all rows; the stride stays. */
struct sotto_matrix sotto_matrix_columns(struct sotto_matrix matrix, size_t first, size_t columns);
struct sotto_matrix_view sotto_matrix_view_columns(struct sotto_matrix_view view, size_t first,
                                                   size_t columns);

struct sotto_factor sotto_factor_plain(struct sotto_matrix_view view);
struct sotto_factor sotto_factor_transposed(struct sotto_matrix_view view);

#endif
