#include "models/block/rows.h"

size_t sotto_block_row_first(const struct sotto_block_shape *shape, size_t sample)
{
    return shape->starts == NULL ? sample * shape->length_max : shape->starts[sample];
}

size_t sotto_block_row_count(const struct sotto_block_shape *shape)
{
    return sotto_block_row_first(shape, shape->batch);
}

size_t sotto_block_onward_count(const struct sotto_block_shape *shape)
{
    return shape->is_first_only ? shape->batch : sotto_block_row_count(shape);
}

void sotto_block_rows_gather(const struct sotto_kernels *kernels, struct sotto_device_float *out,
                             const struct sotto_device_float *x,
                             const struct sotto_block_shape *shape, size_t width)
{
    for (size_t sample = 0; sample < shape->batch; sample++)
        kernels->copy(out + sample * width, x + sotto_block_row_first(shape, sample) * width,
                      width);
}

/* Last sample first: a row moves to its own place or beyond, never onto one still to be moved. */
void sotto_block_rows_scatter(const struct sotto_kernels *kernels, struct sotto_device_float *x,
                              const struct sotto_block_shape *shape, size_t width)
{
    for (size_t sample = shape->batch; sample-- > 0;) {
        size_t first = sotto_block_row_first(shape, sample);
        size_t next = sotto_block_row_first(shape, sample + 1);

        kernels->copy(x + first * width, x + sample * width, width);
        kernels->clear(x + (first + 1) * width, (next - first - 1) * width);
    }
}
