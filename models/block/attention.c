#include "models/block/attention.h"

static const struct sotto_matrix nobody = {NULL, 0, 0, 0};
static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};
static const struct sotto_block_layers all_three = {
    {SOTTO_BLOCK_QUERY, SOTTO_BLOCK_KEY, SOTTO_BLOCK_VALUE}, 3};
static const struct sotto_block_layers key_and_value = {{SOTTO_BLOCK_KEY, SOTTO_BLOCK_VALUE}, 2};
static const struct sotto_block_layers query_alone = {{SOTTO_BLOCK_QUERY}, 1};
static const struct sotto_block_layers out = {{SOTTO_BLOCK_ATTENTION_OUT}, 1};

/* Where query, key and value, or their gradients, lie in one piece of memory. */
struct projections {
    struct sotto_matrix stacked; /* all three, or key and value where first rows alone ask */
    struct sotto_matrix query;
    struct sotto_matrix key;
    struct sotto_matrix value;
};

static struct projections projections_of(const struct sotto_block_run *run,
                                         struct sotto_device_float *at)
{
    const struct sotto_block_spec *spec = &run->block->spec;
    const struct sotto_block_shape *shape = &run->pass->shape;
    size_t query = sotto_block_query_width(spec);
    size_t key = sotto_block_key_width(spec);
    size_t rows = sotto_block_row_count(shape);
    size_t first = shape->is_first_only ? 0 : query;
    struct projections parts;

    parts.stacked = sotto_matrix_of(at, rows, first + 2 * key);
    parts.query = shape->is_first_only ? sotto_matrix_of(at + rows * 2 * key, shape->batch, query)
                                       : sotto_matrix_columns(parts.stacked, 0, query);
    parts.key = sotto_matrix_columns(parts.stacked, first, key);
    parts.value = sotto_matrix_columns(parts.stacked, first + key, key);
    return parts;
}

static struct sotto_attention_inputs inputs_of(const struct projections *parts)
{
    return (struct sotto_attention_inputs){sotto_matrix_read(parts->query),
                                           sotto_matrix_read(parts->key),
                                           sotto_matrix_read(parts->value)};
}

static struct sotto_attention_shape shape_of(const struct sotto_block_run *run)
{
    const struct sotto_block_spec *spec = &run->block->spec;
    const struct sotto_block_shape *shape = &run->pass->shape;

    return (struct sotto_attention_shape){.batch = shape->batch,
                                          .starts = shape->starts,
                                          .length_max = shape->length_max,
                                          .known = shape->known,
                                          .is_first_only = shape->is_first_only,
                                          .is_causal = spec->is_causal,
                                          .head_count = spec->head_count,
                                          .kv_head_count = spec->kv_head_count,
                                          .head_width = spec->head_width};
}

/* The rows of one sample. */
static struct sotto_matrix sample_of(const struct sotto_block_run *run, struct sotto_matrix all,
                                     size_t sample)
{
    const struct sotto_block_shape *shape = &run->pass->shape;
    bool is_whole = all.rows == sotto_block_row_count(shape);
    size_t first = is_whole ? sotto_block_row_first(shape, sample) : sample;

    all.rows = is_whole ? sotto_block_row_first(shape, sample + 1) - first : 1;
    all.at += first * all.stride;
    return all;
}

static void rotate(const struct sotto_block_run *run, const struct projections *parts, bool is_back)
{
    const struct sotto_block *block = run->block;
    size_t before = (size_t)run->pass->shape.known * (block->spec.head_width / 2);
    struct sotto_rotary rotary = block->rotary;

    if (!block->spec.is_rotary)
        return;
    rotary.cosines += before;
    rotary.sines += before;
    for (size_t sample = 0; sample < run->pass->shape.batch; sample++) {
        block->kernels->rotate(sample_of(run, parts->query, sample), &rotary,
                               block->spec.head_width, is_back);
        block->kernels->rotate(sample_of(run, parts->key, sample), &rotary, block->spec.head_width,
                               is_back);
    }
}

/* Keys and values of these rows go behind those that are kept; what a query then sees. */
static struct sotto_attention_inputs keep(const struct sotto_block_run *run,
                                          const struct projections *parts)
{
    size_t query = sotto_block_query_width(&run->block->spec);
    size_t key = sotto_block_key_width(&run->block->spec);
    size_t known = run->pass->shape.known;
    size_t rows = parts->stacked.rows;
    struct sotto_matrix all = sotto_matrix_of(run->pass->kept, known + rows, 2 * key);

    run->block->kernels->fill_rows(
        sotto_matrix_of(all.at + known * all.stride, rows, all.columns), NULL,
        sotto_matrix_read(sotto_matrix_columns(parts->stacked, query, all.columns)));
    return (struct sotto_attention_inputs){sotto_matrix_read(parts->query),
                                           sotto_matrix_read(sotto_matrix_columns(all, 0, key)),
                                           sotto_matrix_read(sotto_matrix_columns(all, key, key))};
}

/* What the projections get: the normed rows, made in the scratch, or x itself. */
static struct sotto_matrix_view input_of(const struct sotto_block_run *run, bool is_needed)
{
    const struct sotto_block_spec *spec = &run->block->spec;
    size_t rows = sotto_block_row_count(&run->pass->shape);
    struct sotto_matrix_view x = sotto_matrix_view_of(run->pass->x, rows, spec->width);
    struct sotto_matrix normed = sotto_matrix_of(run->scratch->normed, rows, spec->width);
    struct sotto_norm norm = sotto_block_attention_norm(run->block);

    if (spec->norm_place == SOTTO_NORM_AFTER)
        return x;
    if (is_needed)
        sotto_norm_forward(run->block->kernels, &norm, normed, run->pass->attention_rows, x);
    return sotto_matrix_read(normed);
}

/* The samples' first rows of it. */
static struct sotto_matrix_view first_rows_of(const struct sotto_block_run *run,
                                              struct sotto_matrix_view all)
{
    const struct sotto_block_shape *shape = &run->pass->shape;

    sotto_block_rows_gather(run->block->kernels, run->scratch->first, all.at, shape, all.columns);
    return sotto_matrix_view_of(run->scratch->first, shape->batch, all.columns);
}

static void project(const struct sotto_block_run *run, const struct projections *parts)
{
    bool is_whole = !run->pass->shape.is_first_only;
    struct sotto_matrix_view input = input_of(run, true);

    sotto_block_layers_forward(run, is_whole ? &all_three : &key_and_value, parts->stacked, input,
                               no_residual);
    if (!is_whole)
        sotto_block_layers_forward(run, &query_alone, parts->query, first_rows_of(run, input),
                                   no_residual);
}

void sotto_block_attention_forward(const struct sotto_block_run *run)
{
    const struct sotto_block *block = run->block;
    const struct sotto_block_shape *shape = &run->pass->shape;
    size_t onward = sotto_block_onward_count(shape);
    size_t width = block->spec.width;
    struct projections parts = projections_of(run, run->pass->projected);
    struct sotto_attention_inputs inputs = inputs_of(&parts);
    struct sotto_attention_shape attention = shape_of(run);
    struct sotto_matrix context =
        sotto_matrix_of(run->pass->context, onward, sotto_block_query_width(&block->spec));
    struct sotto_matrix_view x =
        sotto_matrix_view_of(run->pass->x, sotto_block_row_count(shape), width);

    project(run, &parts);
    rotate(run, &parts, false);
    if (run->pass->kept != NULL)
        inputs = keep(run, &parts);
    block->kernels->attention_forward(context, &inputs, &attention, run->scratch->scores);
    sotto_block_layers_forward(run, &out, sotto_matrix_of(run->pass->attended, onward, width),
                               sotto_matrix_read(context),
                               shape->is_first_only ? first_rows_of(run, x) : x);
}

/* Adds rows [batch, width] to the samples' first rows of all. */
static void add_first_rows(const struct sotto_block_run *run, struct sotto_device_float *all,
                           const struct sotto_device_float *rows)
{
    const struct sotto_block_shape *shape = &run->pass->shape;
    size_t width = run->block->spec.width;

    for (size_t sample = 0; sample < shape->batch; sample++)
        run->block->kernels->add(all + sotto_block_row_first(shape, sample) * width,
                                 rows + sample * width, width);
}

/* dL/d query, key, value in scratch->wide becomes dL/d input. */
static void project_backward(const struct sotto_block_run *run,
                             const struct sotto_block_needs *needs,
                             const struct projections *slopes, struct sotto_matrix d_input)
{
    const struct sotto_block *block = run->block;
    const struct sotto_block_shape *shape = &run->pass->shape;
    bool is_whole = !shape->is_first_only;
    struct sotto_matrix_view input =
        input_of(run, sotto_block_layers_need_input(block, &all_three));
    struct sotto_matrix d_first = sotto_matrix_of(
        run->scratch->first + shape->batch * input.columns, shape->batch, input.columns);

    sotto_block_layers_backward(run, is_whole ? &all_three : &key_and_value,
                                needs->input ? d_input : nobody, sotto_matrix_read(slopes->stacked),
                                input);
    if (is_whole)
        return;
    sotto_block_layers_backward(run, &query_alone, needs->input ? d_first : nobody,
                                sotto_matrix_read(slopes->query), first_rows_of(run, input));
    if (needs->input)
        add_first_rows(run, d_input.at, d_first.at);
}

/* dL/d query, key, value, before they were turned, into scratch->wide. */
static void context_backward(const struct sotto_block_run *run, struct sotto_matrix_view d_context,
                             const struct projections *slopes)
{
    struct projections parts = projections_of(run, run->pass->projected);
    struct sotto_attention_inputs inputs = inputs_of(&parts);
    struct sotto_attention_shape attention = shape_of(run);
    struct sotto_attention_gradients gradients = {slopes->query, slopes->key, slopes->value};

    run->block->kernels->attention_backward(&gradients, d_context, &inputs, &attention,
                                            run->scratch->scores);
    rotate(run, slopes, true);
}

/* dL/d input in scratch->narrow, and what the residual passes on in `gradient`, become dL/dx. */
static void norm_backward(const struct sotto_block_run *run, const struct sotto_block_needs *needs,
                          struct sotto_device_float *gradient)
{
    const struct sotto_block_shape *shape = &run->pass->shape;
    size_t rows = sotto_block_row_count(shape);
    size_t width = run->block->spec.width;
    struct sotto_norm norm = sotto_block_attention_norm(run->block);

    if (shape->is_first_only && needs->x)
        sotto_block_rows_scatter(run->block->kernels, gradient, shape, width);
    sotto_norm_backward(run->block->kernels, &norm,
                        needs->x ? sotto_matrix_of(gradient, rows, width) : nobody,
                        sotto_matrix_view_of(run->scratch->narrow, rows, width),
                        sotto_matrix_view_of(run->pass->x, rows, width), run->pass->attention_rows);
}

void sotto_block_attention_backward(const struct sotto_block_run *run,
                                    const struct sotto_block_needs *needs,
                                    struct sotto_device_float *gradient,
                                    struct sotto_device_float *attended)
{
    const struct sotto_block *block = run->block;
    const struct sotto_block_shape *shape = &run->pass->shape;
    bool is_before = block->spec.norm_place == SOTTO_NORM_BEFORE;
    size_t onward = sotto_block_onward_count(shape);
    size_t width = block->spec.width;
    size_t query = sotto_block_query_width(&block->spec);
    struct sotto_matrix d_context = sotto_matrix_of(run->scratch->active, onward, query);
    struct projections slopes = projections_of(run, run->scratch->wide);
    struct sotto_matrix d_input = sotto_matrix_of(is_before ? run->scratch->narrow : gradient,
                                                  sotto_block_row_count(shape), width);

    sotto_block_layers_backward(run, &out, needs->projected ? d_context : nobody,
                                sotto_matrix_view_of(attended, onward, width),
                                sotto_matrix_view_of(run->pass->context, onward, query));
    if (!needs->projected)
        return;
    context_backward(run, sotto_matrix_read(d_context), &slopes);
    project_backward(run, needs, &slopes, d_input);
    if (!needs->input)
        return;
    if (is_before)
        norm_backward(run, needs, gradient);
    else if (shape->is_first_only)
        add_first_rows(run, gradient, attended);
    else
        block->kernels->add(gradient, attended, onward * width);
}
