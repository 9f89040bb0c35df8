/* The second half of a block: from the attended rows to the result. */
#ifndef SOTTO_MODELS_BLOCK_MLP_H
#define SOTTO_MODELS_BLOCK_MLP_H

#include "models/block/layers.h"
#include "models/block/needs.h"

/* y out [onward rows, width] */
void sotto_block_mlp_forward(const struct sotto_block_run *run, struct sotto_device_float *y);

/*
 * dL/dy in `gradient`, which is overwritten.
 * Returns where dL/d attended then lies, [onward rows, width]: `gradient` with norm before,
 * scratch->narrow with norm after; as far as it is needed.
 */
struct sotto_device_float *sotto_block_mlp_backward(const struct sotto_block_run *run,
                                                    const struct sotto_block_needs *needs,
                                                    struct sotto_device_float *gradient);

#endif
