#include "models/ops/norm.h"

void sotto_norm_forward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                        struct sotto_matrix y, struct sotto_norm_rows rows,
                        struct sotto_matrix_view x)
{
    kernels->norm_forward(y, rows, x, norm);
}

void sotto_norm_backward(const struct sotto_kernels *kernels, const struct sotto_norm *norm,
                         struct sotto_matrix dx, struct sotto_matrix_view dy,
                         struct sotto_matrix_view x, struct sotto_norm_rows rows)
{
    kernels->norm_parameters(norm, dy, x, rows);
    if (dx.at != NULL)
        kernels->norm_backward(dx, dy, x, rows, norm);
}
