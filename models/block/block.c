#include "models/block/block.h"

#include <assert.h>

#include "models/block/attention.h"
#include "models/block/layers.h"
#include "models/block/mlp.h"
#include "models/block/needs.h"

static bool take_norm_rows(struct sotto_norm_rows *out, struct sotto_device_arena *arena,
                           size_t rows)
{
    return sotto_device_floats_take(&out->mean, arena, rows) &&
           sotto_device_floats_take(&out->inverse_std, arena, rows);
}

static bool take_downs(struct sotto_block_pass *pass, const struct sotto_block *block,
                       struct sotto_device_arena *arena, size_t rows)
{
    bool is_taken = true;

    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        if (block->lora[i].rank > 0)
            is_taken =
                sotto_device_floats_take(&pass->down[i], arena, rows * block->lora[i].rank) &&
                is_taken;
    }
    return is_taken;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Columns of query, key and value side by side, and of what the activation gets. */
static size_t projected_width(const struct sotto_block_spec *spec)
{
    return sotto_block_query_width(spec) + 2 * sotto_block_key_width(spec);
}

static size_t hidden_width(const struct sotto_block_spec *spec)
{
    return (size_t)spec->mlp_width * (sotto_block_is_gated(spec) ? 2 : 1);
}

enum sotto_status sotto_block_pass_take(struct sotto_block_pass *pass,
                                        const struct sotto_block *block,
                                        struct sotto_block_shape largest,
                                        struct sotto_device_arena *arena)
{
    const struct sotto_block_spec *spec = &block->spec;
    bool is_before = spec->norm_place == SOTTO_NORM_BEFORE;
    size_t rows = sotto_block_row_count(&largest);
    size_t onward = sotto_block_onward_count(&largest);

    *pass = (struct sotto_block_pass){0};
    if (take_norm_rows(&pass->attention_rows, arena, rows) &&
        take_norm_rows(&pass->mlp_rows, arena, onward) &&
        sotto_device_floats_take(&pass->projected, arena, rows * projected_width(spec)) &&
        sotto_device_floats_take(&pass->context, arena, onward * sotto_block_query_width(spec)) &&
        sotto_device_floats_take(&pass->attended, arena, onward * spec->width) &&
        sotto_device_floats_take(&pass->hidden, arena, onward * hidden_width(spec)) &&
        (is_before || sotto_device_floats_take(&pass->summed, arena, onward * spec->width)) &&
        take_downs(pass, block, arena, rows))
        return SOTTO_OK;
    return SOTTO_NO_MEMORY;
}

/* What adapters need of the scratch, a row: ranks side by side, and the widest dropped input. */
static void adapter_widths(const struct sotto_block *block, size_t *ranks, size_t *dropped)
{
    *ranks = 0;
    *dropped = 0;
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        size_t in = sotto_block_tensor_place(&block->spec, sotto_block_linear_weight(i)).columns;

        *ranks += block->lora[i].rank;
        if (block->lora[i].rank > 0 && block->lora[i].dropout.rate > 0.0f)
            *dropped = larger(*dropped, in);
    }
}

enum sotto_status sotto_block_scratch_take(struct sotto_block_scratch *scratch,
                                           const struct sotto_block *block,
                                           struct sotto_block_shape largest,
                                           struct sotto_device_arena *arena)
{
    const struct sotto_block_spec *spec = &block->spec;
    size_t rows = sotto_block_row_count(&largest);
    size_t wide = larger(hidden_width(spec), projected_width(spec));
    size_t ranks;
    size_t dropped;

    adapter_widths(block, &ranks, &dropped);
    *scratch = (struct sotto_block_scratch){0};
    if (sotto_device_floats_take(&scratch->normed, arena, rows * spec->width) &&
        sotto_device_floats_take(&scratch->narrow, arena, rows * spec->width) &&
        sotto_device_floats_take(&scratch->active, arena,
                                 rows * larger(spec->mlp_width, sotto_block_query_width(spec))) &&
        sotto_device_floats_take(&scratch->wide, arena, rows * wide) &&
        sotto_device_floats_take(&scratch->first, arena, (size_t)2 * largest.batch * spec->width) &&
        sotto_device_floats_take(&scratch->bias, arena, wide) &&
        sotto_device_floats_take(&scratch->inner, arena, rows * ranks) &&
        sotto_device_floats_take(&scratch->dropped, arena, rows * dropped) &&
        sotto_device_floats_take(&scratch->scores, arena,
                                 sotto_attention_scratch(largest.known + largest.length_max)))
        return SOTTO_OK;
    return SOTTO_NO_MEMORY;
}

void sotto_block_forward(const struct sotto_block *block, struct sotto_block_pass *pass,
                         const struct sotto_block_scratch *scratch, struct sotto_device_float *y,
                         const struct sotto_device_float *x, struct sotto_block_shape shape)
{
    const struct sotto_block_run run = {block, pass, scratch};

    assert(block->spec.head_count % block->spec.kv_head_count == 0);
    assert(pass->kept != NULL || shape.known == 0);
    pass->shape = shape;
    pass->x = x;
    sotto_block_attention_forward(&run);
    sotto_block_mlp_forward(&run, y);
}

void sotto_block_backward(const struct sotto_block *block, struct sotto_block_pass *pass,
                          const struct sotto_block_scratch *scratch,
                          struct sotto_device_float *gradient, enum sotto_block_below below)
{
    const struct sotto_block_run run = {block, pass, scratch};
    struct sotto_block_needs needs = sotto_block_needs_of(block, below);
    struct sotto_device_float *attended = sotto_block_mlp_backward(&run, &needs, gradient);

    if (needs.attended)
        sotto_block_attention_backward(&run, &needs, gradient, attended);
}

bool sotto_block_is_trained(const struct sotto_block *block)
{
    return sotto_block_needs_of(block, SOTTO_BLOCK_BELOW_FROZEN).any;
}
