/*
 * Transformer blocks one after another over the same tokens, and a norm after the last: what
 * encoder and decoder of a masked autoencoder both are. All weights are trained.
 */
#ifndef SOTTO_MODELS_PRETRAIN_STACK_H
#define SOTTO_MODELS_PRETRAIN_STACK_H

#include "models/block/block.h"

struct sotto_stack {
    struct sotto_block *blocks;
    struct sotto_block_pass *passes;
    size_t block_count;
    size_t row_count;               /* tokens of all samples, at most */
    struct sotto_block_shape shape; /* of the last forward */
    struct sotto_norm norm;
    struct sotto_norm_rows rows;
    struct sotto_block_scratch scratch;
    struct sotto_device_float *streams;         /* [block_count + 1][row_count, width] */
    struct sotto_device_float *gradient;        /* [row_count, width] of a stream */
    struct sotto_device_float *normed;          /* [row_count, width] */
    struct sotto_device_float *normed_gradient; /* [row_count, width] */
};

/* What a stack is made of. */
struct sotto_stack_model {
    struct sotto_block first; /* bound to its weights and gradients; the others follow in memory */
    size_t block_count;
    struct sotto_norm norm;
};

/*
 * Takes the memory for shapes up to `largest`, all rows of which go on; with a counting workspace
 * it only counts. SOTTO_NO_MEMORY: the workspace is full.
 */
SOTTO_CHECKED enum sotto_status sotto_stack_take(struct sotto_stack *stack,
                                                 const struct sotto_stack_model *model,
                                                 struct sotto_block_shape largest,
                                                 struct sotto_workspace *workspace);

/* From the tokens, which the caller has put into streams, to normed. */
void sotto_stack_forward(struct sotto_stack *stack, struct sotto_block_shape shape);

/* From normed_gradient to gradient, which is then that of the tokens; one backward a forward. */
void sotto_stack_backward(struct sotto_stack *stack);

#endif
