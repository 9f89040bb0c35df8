/*
 * Where the rows of a batch lie: sample after sample, without padding.
 */
#ifndef SOTTO_MODELS_BLOCK_ROWS_H
#define SOTTO_MODELS_BLOCK_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "models/kernels/kernels.h"

struct sotto_block_shape {
    uint32_t batch;
    const uint32_t *starts; /* [batch + 1] first row of each sample; NULL: length_max rows each */
    uint32_t length_max;    /* rows of a sample, at most; none has 0 */
    /* Only each sample's first row goes on after the attention: a classifier's last block. */
    bool is_first_only;
    uint32_t known; /* of the only sample: rows before these, whose keys and values are kept */
    uint32_t sample_first; /* number of the first sample in its step: what dropouts count from */
};

/* Rows of all samples, and those that go on after the attention. */
size_t sotto_block_row_count(const struct sotto_block_shape *shape);
size_t sotto_block_onward_count(const struct sotto_block_shape *shape);

/* First row of a sample; of the sample after the last one: the row count. */
size_t sotto_block_row_first(const struct sotto_block_shape *shape, size_t sample);

/* out [batch, width] = the first rows of the samples of x [rows, width]. */
void sotto_block_rows_gather(const struct sotto_kernels *kernels, struct sotto_device_float *out,
                             const struct sotto_device_float *x,
                             const struct sotto_block_shape *shape, size_t width);

/*
 * x [batch, width] becomes [rows, width], in place: each row at the head of its sample, zeros
 * elsewhere. The opposite of gather.
 */
void sotto_block_rows_scatter(const struct sotto_kernels *kernels, struct sotto_device_float *x,
                              const struct sotto_block_shape *shape, size_t width);

#endif
