#include "models/ops/linear.h"

static struct sotto_matrix_view weight_of(const struct sotto_linear *linear)
{
    return sotto_matrix_view_of(linear->weight, linear->out, linear->in);
}

void sotto_linear_forward(const struct sotto_kernels *kernels, const struct sotto_linear *linear,
                          struct sotto_matrix y, struct sotto_matrix_view x,
                          struct sotto_matrix_view residual)
{
    kernels->fill_rows(y, linear->bias, residual);
    kernels->matmul(y, sotto_factor_plain(x), sotto_factor_transposed(weight_of(linear)), 1.0f,
                    1.0f);
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
    if (dx.at != NULL)
        kernels->matmul(dx, sotto_factor_plain(dy), sotto_factor_plain(weight_of(linear)), 1.0f,
                        0.0f);
}

void sotto_lora_forward(const struct sotto_kernels *kernels, const struct sotto_lora *lora,
                        struct sotto_matrix y, float *down, struct sotto_matrix_view x)
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
                         struct sotto_matrix dx, struct sotto_matrix_view dy,
                         struct sotto_matrix_view x, struct sotto_lora_pass pass)
{
    struct sotto_matrix_view down = sotto_matrix_view_of(pass.down, dy.rows, lora->rank);
    struct sotto_matrix inner = sotto_matrix_of(pass.down_gradient, dy.rows, lora->rank);

    if (lora->rank == 0)
        return;
    kernels->matmul(sotto_matrix_of(lora->b_gradient, dy.columns, lora->rank),
                    sotto_factor_transposed(dy), sotto_factor_plain(down), lora->scale, 1.0f);
    kernels->matmul(inner, sotto_factor_plain(dy),
                    sotto_factor_plain(sotto_matrix_view_of(lora->b, dy.columns, lora->rank)),
                    lora->scale, 0.0f);
    kernels->matmul(sotto_matrix_of(lora->a_gradient, lora->rank, x.columns),
                    sotto_factor_transposed(sotto_matrix_read(inner)), sotto_factor_plain(x), 1.0f,
                    1.0f);
    if (dx.at != NULL)
        kernels->matmul(dx, sotto_factor_plain(sotto_matrix_read(inner)),
                        sotto_factor_plain(sotto_matrix_view_of(lora->a, lora->rank, x.columns)),
                        1.0f, 1.0f);
}
