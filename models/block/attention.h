/* The first half of a block: from its input to the attended rows. */
#ifndef SOTTO_MODELS_BLOCK_ATTENTION_H
#define SOTTO_MODELS_BLOCK_ATTENTION_H

#include "models/block/layers.h"
#include "models/block/needs.h"

/* pass->attended = x + Attention(Norm(x)), or of x itself with norm after. */
void sotto_block_attention_forward(const struct sotto_block_run *run);

/*
 *   gradient  out  dL/dx [rows, width], if it is needed
 *   attended  in   dL/d attended [onward rows, width]: `gradient` with norm before,
 *                  scratch->narrow with norm after
 */
void sotto_block_attention_backward(const struct sotto_block_run *run,
                                    const struct sotto_block_needs *needs,
                                    struct sotto_device_float *gradient,
                                    struct sotto_device_float *attended);

#endif
