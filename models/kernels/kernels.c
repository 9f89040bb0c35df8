#include "models/kernels/kernels.h"

#include <cblas.h>

#include "models/kernels/activation.h"
#include "models/kernels/attention.h"
#include "models/kernels/device/memory.h"
#include "models/kernels/dropout.h"
#include "models/kernels/elementwise.h"
#include "models/kernels/loss.h"
#include "models/kernels/matmul.h"
#include "models/kernels/norm.h"
#include "models/kernels/rotary.h"

static const struct sotto_kernels cpu = {
    .name = "cpu",
    .reserve = sotto_cpu_reserve,
    .release = sotto_cpu_release,
    .upload = sotto_cpu_upload,
    .download = sotto_cpu_download,
    .download_loss = sotto_cpu_download_loss,
    .adopt = sotto_cpu_adopt,
    .disown = sotto_cpu_disown,
    .matmul = sotto_cpu_matmul,
    .affine = sotto_cpu_affine,
    .pack = sotto_cpu_pack,
    .pack_floats = sotto_cpu_pack_floats,
    .packs_floats = sotto_cpu_packs_floats,
    .affine_packed = sotto_cpu_affine_packed,
    .matmul_packed = sotto_cpu_matmul_packed,
    .fill_rows = sotto_cpu_fill_rows,
    .add_column_sums = sotto_cpu_add_column_sums,
    .add = sotto_cpu_add,
    .add_rows = sotto_cpu_add_rows,
    .copy = sotto_cpu_copy,
    .clear = sotto_cpu_clear,
    .activate = sotto_cpu_activate,
    .activate_backward = sotto_cpu_activate_backward,
    .norm_forward = sotto_cpu_norm_forward,
    .norm_backward = sotto_cpu_norm_backward,
    .norm_parameters = sotto_cpu_norm_parameters,
    .rotate = sotto_cpu_rotate,
    .drop = sotto_cpu_drop,
    .attention_forward = sotto_cpu_attention_forward,
    .attention_backward = sotto_cpu_attention_backward,
    .cross_entropy = sotto_cpu_cross_entropy,
    .compare_patches = sotto_cpu_compare_patches,
    .clear_loss = sotto_cpu_clear_loss,
    .add_loss = sotto_cpu_add_loss,
    .softmax_rows = sotto_cpu_softmax_rows,
    .tanh_forward = sotto_cpu_tanh_forward,
    .tanh_backward = sotto_cpu_tanh_backward,
    .gather_rows = sotto_cpu_gather_rows,
    .scatter_rows = sotto_cpu_scatter_rows,
    .cut_patches = sotto_cpu_cut_patches,
    .adamw = sotto_cpu_adamw,
    .pull = sotto_cpu_pull,
};

const struct sotto_kernels *sotto_kernels_cpu(void)
{
    openblas_set_num_threads(1);
    return &cpu;
}

/* Probabilities of a tile, and their gradient. */
size_t sotto_attention_scratch(uint32_t length_max)
{
    return (size_t)2 * SOTTO_ATTENTION_TILE * length_max;
}
