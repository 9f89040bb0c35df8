#include "models/block/mlp.h"

static const struct sotto_matrix nobody = {NULL, 0, 0, 0};
static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};
static const struct sotto_block_layers gated = {{SOTTO_BLOCK_MLP_GATE, SOTTO_BLOCK_MLP_IN}, 2};
static const struct sotto_block_layers plain = {{SOTTO_BLOCK_MLP_IN}, 1};
static const struct sotto_block_layers out = {{SOTTO_BLOCK_MLP_OUT}, 1};

/* The half's arrays at the size that the pass has. */
struct extent {
    struct sotto_matrix attended;
    struct sotto_matrix input; /* of the first layers */
    struct sotto_matrix hidden;
    struct sotto_matrix active;
    struct sotto_matrix summed;
    const struct sotto_block_layers *in;
    bool is_before;
};

static struct extent extent_of(const struct sotto_block_run *run)
{
    const struct sotto_block_spec *spec = &run->block->spec;
    const struct sotto_block_pass *pass = run->pass;
    size_t rows = sotto_block_onward_count(&pass->shape);
    bool is_gated = sotto_block_is_gated(spec);
    size_t hidden = (size_t)spec->mlp_width * (is_gated ? 2 : 1);

    return (struct extent){
        .attended = sotto_matrix_of(pass->attended, rows, spec->width),
        .input = sotto_matrix_of(run->scratch->normed, rows, spec->width),
        .hidden = sotto_matrix_of(pass->hidden, rows, hidden),
        .active = sotto_matrix_of(run->scratch->active, rows, spec->mlp_width),
        .summed = sotto_matrix_of(pass->summed, rows, spec->width),
        .in = is_gated ? &gated : &plain,
        .is_before = spec->norm_place == SOTTO_NORM_BEFORE,
    };
}

/* The norm that makes the half's input of the attended rows, and what it leaves. */
static struct sotto_norm input_norm(const struct sotto_block_run *run)
{
    return run->block->spec.norm_place == SOTTO_NORM_BEFORE
               ? sotto_block_mlp_norm(run->block)
               : sotto_block_attention_norm(run->block);
}

static struct sotto_norm_rows input_rows(const struct sotto_block_run *run)
{
    return run->block->spec.norm_place == SOTTO_NORM_BEFORE ? run->pass->mlp_rows
                                                            : run->pass->attention_rows;
}

static void normalise_input(const struct sotto_block_run *run, const struct extent *extent)
{
    struct sotto_norm norm = input_norm(run);

    sotto_norm_forward(run->block->kernels, &norm, extent->input, input_rows(run),
                       sotto_matrix_read(extent->attended));
}

void sotto_block_mlp_forward(const struct sotto_block_run *run, struct sotto_device_float *y)
{
    const struct sotto_kernels *kernels = run->block->kernels;
    struct extent extent = extent_of(run);
    struct sotto_norm last = sotto_block_mlp_norm(run->block);
    struct sotto_matrix result = extent.summed;

    result.at = y;
    normalise_input(run, &extent);
    sotto_block_layers_forward(run, extent.in, extent.hidden, sotto_matrix_read(extent.input),
                               no_residual);
    kernels->activate(extent.active, sotto_matrix_read(extent.hidden), run->block->spec.activation);
    sotto_block_layers_forward(
        run, &out, extent.is_before ? result : extent.summed, sotto_matrix_read(extent.active),
        sotto_matrix_read(extent.is_before ? extent.attended : extent.input));
    if (!extent.is_before)
        sotto_norm_forward(kernels, &last, result, run->pass->mlp_rows,
                           sotto_matrix_read(extent.summed));
}

/* Gradients of the layers, with dL/d sum in `sum`, down to the half's input in `input`. */
static void layers_backward(const struct sotto_block_run *run,
                            const struct sotto_block_needs *needs, const struct extent *extent,
                            struct sotto_matrix input, struct sotto_matrix_view sum)
{
    const struct sotto_block *block = run->block;
    struct sotto_matrix hidden = extent->hidden;

    hidden.at = run->scratch->wide;
    if (sotto_block_layers_need_input(block, &out))
        block->kernels->activate(extent->active, sotto_matrix_read(extent->hidden),
                                 block->spec.activation);
    sotto_block_layers_backward(run, &out, needs->active ? extent->active : nobody, sum,
                                sotto_matrix_read(extent->active));
    if (!needs->active)
        return;
    block->kernels->activate_backward(hidden, sotto_matrix_read(extent->active),
                                      sotto_matrix_read(extent->hidden), block->spec.activation);
    if (sotto_block_layers_need_input(block, extent->in))
        normalise_input(run, extent);
    sotto_block_layers_backward(run, extent->in, needs->mlp_input ? input : nobody,
                                sotto_matrix_read(hidden), sotto_matrix_read(extent->input));
}

static void clear(const struct sotto_block_run *run, struct sotto_matrix matrix)
{
    run->block->kernels->clear(matrix.at, matrix.rows * matrix.columns);
}

/* y = attended + MLP(Norm(attended)) */
static struct sotto_device_float *before_backward(const struct sotto_block_run *run,
                                                  const struct sotto_block_needs *needs,
                                                  struct sotto_device_float *gradient)
{
    struct extent extent = extent_of(run);
    struct sotto_norm norm = input_norm(run);
    struct sotto_matrix sum = extent.attended;
    struct sotto_matrix input = extent.attended;

    sum.at = gradient;
    input.at = run->scratch->narrow;
    layers_backward(run, needs, &extent, input, sotto_matrix_read(sum));
    if (needs->mlp_input)
        sotto_norm_backward(run->block->kernels, &norm, needs->attended ? sum : nobody,
                            sotto_matrix_read(input), sotto_matrix_read(extent.attended),
                            input_rows(run));
    return gradient;
}

/* y = Norm(m + MLP(m)) with m = Norm(attended) */
static struct sotto_device_float *after_backward(const struct sotto_block_run *run,
                                                 const struct sotto_block_needs *needs,
                                                 struct sotto_device_float *gradient)
{
    const struct sotto_kernels *kernels = run->block->kernels;
    struct extent extent = extent_of(run);
    struct sotto_norm last = sotto_block_mlp_norm(run->block);
    struct sotto_norm norm = input_norm(run);
    struct sotto_matrix input = extent.attended;
    struct sotto_matrix narrow = extent.attended;

    input.at = gradient;
    narrow.at = run->scratch->narrow;
    clear(run, narrow);
    sotto_norm_backward(kernels, &last, needs->sum ? narrow : nobody, sotto_matrix_read(input),
                        sotto_matrix_read(extent.summed), run->pass->mlp_rows);
    if (!needs->sum)
        return narrow.at;
    layers_backward(run, needs, &extent, input, sotto_matrix_read(narrow));
    if (!needs->mlp_input)
        return narrow.at;
    kernels->add(input.at, narrow.at, input.rows * input.columns);
    clear(run, narrow);
    sotto_norm_backward(kernels, &norm, needs->attended ? narrow : nobody, sotto_matrix_read(input),
                        sotto_matrix_read(extent.attended), input_rows(run));
    return narrow.at;
}

struct sotto_device_float *sotto_block_mlp_backward(const struct sotto_block_run *run,
                                                    const struct sotto_block_needs *needs,
                                                    struct sotto_device_float *gradient)
{
    return run->block->spec.norm_place == SOTTO_NORM_BEFORE ? before_backward(run, needs, gradient)
                                                            : after_backward(run, needs, gradient);
}
