#include "models/kernels/kernels.h"

#include <cblas.h>

#include "models/kernels/attention.h"
#include "models/kernels/elementwise.h"
#include "models/kernels/matmul.h"
#include "models/kernels/norm.h"

static const struct sotto_kernels cpu = {
    .name = "cpu",
    .matmul = sotto_cpu_matmul,
    .fill_rows = sotto_cpu_fill_rows,
    .add_column_sums = sotto_cpu_add_column_sums,
    .add = sotto_cpu_add,
    .multiply = sotto_cpu_multiply,
    .gelu = sotto_cpu_gelu,
    .norm_forward = sotto_cpu_norm_forward,
    .norm_backward = sotto_cpu_norm_backward,
    .norm_parameters = sotto_cpu_norm_parameters,
    .attention_forward = sotto_cpu_attention_forward,
    .attention_backward = sotto_cpu_attention_backward,
    .softmax_rows = sotto_cpu_softmax_rows,
};

const struct sotto_kernels *sotto_kernels_cpu(void)
{
    openblas_set_num_threads(1);
    return &cpu;
}
