#include "models/kernels/matmul.h"

#include <assert.h>
#include <cblas.h>
#include <limits.h>

#include "models/kernels/device/host.h"
#include "models/kernels/elementwise.h"
#include "models/kernels/wide/wide.h"

static int dimension(size_t count)
{
    assert(count <= INT_MAX);
    return (int)count;
}

static size_t factor_rows(struct sotto_factor factor)
{
    return factor.is_transposed ? factor.view.columns : factor.view.rows;
}

static size_t factor_columns(struct sotto_factor factor)
{
    return factor.is_transposed ? factor.view.rows : factor.view.columns;
}

void sotto_blas_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                       float alpha, float beta)
{
    cblas_sgemm(CblasRowMajor, a.is_transposed ? CblasTrans : CblasNoTrans,
                b.is_transposed ? CblasTrans : CblasNoTrans, dimension(c.rows),
                dimension(c.columns), dimension(factor_columns(a)), alpha,
                sotto_host_read(a.view.at), dimension(a.view.stride), sotto_host_read(b.view.at),
                dimension(b.view.stride), beta, sotto_host_write(c.at), dimension(c.stride));
}

void sotto_cpu_matmul(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                      float alpha, float beta)
{
    assert(factor_rows(a) == c.rows && factor_columns(b) == c.columns &&
           factor_rows(b) == factor_columns(a));
    if (sotto_wide_is_supported())
        sotto_wide_matmul(c, a, b, alpha, beta);
    else
        sotto_blas_matmul(c, a, b, alpha, beta);
}

void sotto_blas_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                       struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                       struct sotto_matrix_view residual)
{
    bool has_addend = bias != NULL || residual.at != NULL;

    if (has_addend)
        sotto_cpu_fill_rows(y, bias, residual);
    sotto_blas_matmul(y, sotto_factor_plain(x), sotto_factor_transposed(weight), 1.0f,
                      has_addend ? 1.0f : 0.0f);
}

void sotto_cpu_affine(struct sotto_matrix y, struct sotto_matrix_view x,
                      struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                      struct sotto_matrix_view residual)
{
    assert(x.rows == y.rows && weight.rows == y.columns && weight.columns == x.columns);
    if (sotto_wide_is_supported())
        sotto_wide_affine(y, x, weight, bias, residual);
    else
        sotto_blas_affine(y, x, weight, bias, residual);
}
