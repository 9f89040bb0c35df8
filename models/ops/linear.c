#include "models/ops/linear.h"

static struct sotto_matrix_view weight_of(const struct sotto_linear *linear)
{
    return sotto_matrix_view_of(linear->weight, linear->out, linear->in);
}

void sotto_linear_forward(const struct sotto_kernels *kernels, const struct sotto_linear *linear,
                          struct sotto_matrix y, struct sotto_matrix_view x,
                          struct sotto_matrix_view residual)
{
    if (linear->packed.rows > 0)
        kernels->affine_packed(y, x, &linear->packed, linear->bias, residual);
    else
        kernels->affine(y, x, weight_of(linear), linear->bias, residual);
}

void sotto_linear_backward(const struct sotto_kernels *kernels, const struct sotto_linear *linear,
                           struct sotto_matrix dx, struct sotto_matrix_view dy,
                           struct sotto_matrix_view x)
{
    if (linear->weight_gradient != NULL)
        kernels->matmul(sotto_matrix_of(linear->weight_gradient, linear->out, linear->in),
                        sotto_factor_transposed(dy), sotto_factor_plain(x), 1.0f, 1.0f);
    if (linear->bias_gradient != NULL)
        kernels->add_column_sums(linear->bias_gradient, dy);
    if (dx.at == NULL)
        return;
    if (linear->packed.rows > 0)
        kernels->matmul_packed(dx, dy, &linear->packed);
    else
        kernels->matmul(dx, sotto_factor_plain(dy), sotto_factor_plain(weight_of(linear)), 1.0f,
                        0.0f);
}

void sotto_lora_forward(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                        struct sotto_matrix y, struct sotto_device_float *down,
                        struct sotto_matrix_view x)
{
    struct sotto_matrix inner = sotto_matrix_of(down, x.rows, lora->rank);

    if (lora->rank == 0)
        return;
    kernels->matmul(inner, sotto_factor_plain(x),
                    sotto_factor_transposed(sotto_matrix_view_of(lora->a, lora->rank, x.columns)),
                    1.0f, 0.0f);
    kernels->matmul(y, sotto_factor_plain(sotto_matrix_read(inner)),
                    sotto_factor_transposed(sotto_matrix_view_of(lora->b, y.columns, lora->rank)),
                    lora->scale, 1.0f);
}

void sotto_lora_backward(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                         struct sotto_device_float *inner, struct sotto_matrix_view dy,
                         const struct sotto_device_float *down, struct sotto_matrix_view x)
{
    struct sotto_matrix_view kept = sotto_matrix_view_of(down, dy.rows, lora->rank);
    struct sotto_matrix slope = sotto_matrix_of(inner, dy.rows, lora->rank);

    if (lora->rank == 0)
        return;
    if (lora->b_gradient != NULL)
        kernels->matmul(sotto_matrix_of(lora->b_gradient, dy.columns, lora->rank),
                        sotto_factor_transposed(dy), sotto_factor_plain(kept), lora->scale, 1.0f);
    kernels->matmul(slope, sotto_factor_plain(dy),
                    sotto_factor_plain(sotto_matrix_view_of(lora->b, dy.columns, lora->rank)),
                    lora->scale, 0.0f);
    if (lora->a_gradient != NULL)
        kernels->matmul(sotto_matrix_of(lora->a_gradient, lora->rank, x.columns),
                        sotto_factor_transposed(sotto_matrix_read(slope)), sotto_factor_plain(x),
                        1.0f, 1.0f);
}

void sotto_lora_carry(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                      struct sotto_matrix dx, const struct sotto_device_float *inner, float beta)
{
    if (lora->rank == 0 || dx.at == NULL)
        return;
    kernels->matmul(dx, sotto_factor_plain(sotto_matrix_view_of(inner, dx.rows, lora->rank)),
                    sotto_factor_plain(sotto_matrix_view_of(lora->a, lora->rank, dx.columns)), 1.0f,
                    beta);
}
