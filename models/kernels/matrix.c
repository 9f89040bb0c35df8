#include "models/kernels/matrix.h"

#include <assert.h>

struct sotto_matrix sotto_matrix_of(struct sotto_device_float *at, size_t rows, size_t columns)
{
    return (struct sotto_matrix){at, rows, columns, columns};
}

struct sotto_matrix_view sotto_matrix_view_of(const struct sotto_device_float *at, size_t rows,
                                              size_t columns)
{
    return (struct sotto_matrix_view){at, rows, columns, columns};
}

struct sotto_matrix_view sotto_matrix_read(struct sotto_matrix matrix)
{
    return (struct sotto_matrix_view){matrix.at, matrix.rows, matrix.columns, matrix.stride};
}

struct sotto_matrix sotto_matrix_columns(struct sotto_matrix matrix, size_t first, size_t columns)
{
    assert(first + columns <= matrix.columns);
    if (matrix.at != NULL)
        matrix.at += first;
    matrix.columns = columns;
    return matrix;
}

struct sotto_matrix_view sotto_matrix_view_columns(struct sotto_matrix_view view, size_t first,
                                                   size_t columns)
{
    assert(first + columns <= view.columns);
    if (view.at != NULL)
        view.at += first;
    view.columns = columns;
    return view;
}

struct sotto_factor sotto_factor_plain(struct sotto_matrix_view view)
{
    return (struct sotto_factor){view, false};
}

struct sotto_factor sotto_factor_transposed(struct sotto_matrix_view view)
{
    return (struct sotto_factor){view, true};
}
