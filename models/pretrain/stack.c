#include "models/pretrain/stack.h"

static enum sotto_status take_blocks(struct sotto_stack *stack, const struct sotto_block *first,
                                     struct sotto_block_shape largest,
                                     struct sotto_workspace *workspace)
{
    enum sotto_status status = SOTTO_OK;
    struct sotto_block_pass counted;

    stack->blocks = sotto_arena_take(&workspace->host, stack->block_count, sizeof *stack->blocks);
    stack->passes = sotto_arena_take(&workspace->host, stack->block_count, sizeof *stack->passes);
    if (!workspace->host.counting && (stack->blocks == NULL || stack->passes == NULL))
        return SOTTO_NO_MEMORY;
    for (size_t i = 0; i < stack->block_count && status == SOTTO_OK; i++) {
        size_t offset = i * sotto_block_weight_count(&first->spec);

        status = sotto_block_pass_take(workspace->host.counting ? &counted : &stack->passes[i],
                                       first, largest, &workspace->device);
        if (workspace->host.counting)
            continue;
        stack->blocks[i] = *first;
        stack->blocks[i].weights += offset;
        stack->blocks[i].weight_gradients += offset;
    }
    if (status == SOTTO_OK)
        status = sotto_block_scratch_take(&stack->scratch, first, largest, &workspace->device);
    return status;
}

enum sotto_status sotto_stack_take(struct sotto_stack *stack, const struct sotto_stack_model *model,
                                   struct sotto_block_shape largest,
                                   struct sotto_workspace *workspace)
{
    size_t rows = sotto_block_row_count(&largest);
    size_t values = rows * model->first.spec.width;
    struct sotto_device_arena *device = &workspace->device;

    *stack = (struct sotto_stack){
        .block_count = model->block_count, .row_count = rows, .norm = model->norm};
    if (!sotto_device_floats_take(&stack->streams, device, (model->block_count + 1) * values) ||
        !sotto_device_floats_take(&stack->gradient, device, values) ||
        !sotto_device_floats_take(&stack->normed, device, values) ||
        !sotto_device_floats_take(&stack->normed_gradient, device, values) ||
        !sotto_device_floats_take(&stack->rows.mean, device, rows) ||
        !sotto_device_floats_take(&stack->rows.inverse_std, device, rows))
        return SOTTO_NO_MEMORY;
    return take_blocks(stack, &model->first, largest, workspace);
}

/* The rows before block `i`, or after the last one. */
static struct sotto_device_float *stream_at(const struct sotto_stack *stack, size_t i)
{
    return stack->streams + i * stack->row_count * stack->blocks[0].spec.width;
}

/* The rows in use of one of the stack's arrays. */
static struct sotto_matrix rows_of(const struct sotto_stack *stack, struct sotto_device_float *at)
{
    return sotto_matrix_of(at, sotto_block_row_count(&stack->shape), stack->blocks[0].spec.width);
}

void sotto_stack_forward(struct sotto_stack *stack, struct sotto_block_shape shape)
{
    stack->shape = shape;
    for (size_t i = 0; i < stack->block_count; i++)
        sotto_block_forward(&stack->blocks[i], &stack->passes[i], &stack->scratch,
                            stream_at(stack, i + 1), stream_at(stack, i), shape);
    sotto_norm_forward(stack->blocks[0].kernels, &stack->norm, rows_of(stack, stack->normed),
                       stack->rows,
                       sotto_matrix_read(rows_of(stack, stream_at(stack, stack->block_count))));
}

void sotto_stack_backward(struct sotto_stack *stack)
{
    struct sotto_matrix gradient = rows_of(stack, stack->gradient);

    stack->blocks[0].kernels->clear(gradient.at, gradient.rows * gradient.columns);
    sotto_norm_backward(stack->blocks[0].kernels, &stack->norm, gradient,
                        sotto_matrix_read(rows_of(stack, stack->normed_gradient)),
                        sotto_matrix_read(rows_of(stack, stream_at(stack, stack->block_count))),
                        stack->rows);
    for (size_t i = stack->block_count; i-- > 0;)
        sotto_block_backward(&stack->blocks[i], &stack->passes[i], &stack->scratch, gradient.at,
                             SOTTO_BLOCK_BELOW_TRAINED);
}
