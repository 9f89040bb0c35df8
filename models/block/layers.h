/*
 * A block's linear layers with their adapters, and its norms, as its two halves use them: bound to
 * the weights, or to the vectors trained in their place.
 */
#ifndef SOTTO_MODELS_BLOCK_LAYERS_H
#define SOTTO_MODELS_BLOCK_LAYERS_H

#include "models/block/block.h"

/* One pass through a block: what every step of it needs. */
struct sotto_block_run {
    const struct sotto_block *block;
    const struct sotto_block_pass *pass;
    const struct sotto_block_scratch *scratch;
};

/* Layers of one input, side by side: their weights follow one another in memory and act as one. */
enum { SOTTO_BLOCK_SIDE_MAX = 3 };
struct sotto_block_layers {
    enum sotto_block_linear at[SOTTO_BLOCK_SIDE_MAX];
    size_t count;
};

/* The attention's norm, before it or after its sum. */
struct sotto_norm sotto_block_attention_norm(const struct sotto_block *block);
/* The MLP's. */
struct sotto_norm sotto_block_mlp_norm(const struct sotto_block *block);

/* Whether the tensor, or a linear layer with its adapter and bias, is trained. */
bool sotto_block_trains_tensor(const struct sotto_block *block, enum sotto_block_tensor tensor);
bool sotto_block_trains_layer(const struct sotto_block *block, enum sotto_block_linear layer);

/* Whether the gradients of the layers look at their input. */
bool sotto_block_layers_need_input(const struct sotto_block *block,
                                   const struct sotto_block_layers *layers);

/*
 *   y         out  [rows, out of all layers]
 *   x         in   [rows, in]: all rows, or the samples' first ones
 *   residual  in   [rows, out] added to y, or at == NULL
 */
void sotto_block_layers_forward(const struct sotto_block_run *run,
                                const struct sotto_block_layers *layers, struct sotto_matrix y,
                                struct sotto_matrix_view x, struct sotto_matrix_view residual);

/*
 * Adds the gradients of the layers' trained weights.
 *
 *   dx  out  [rows, in], overwritten; at == NULL: nothing below needs it; may be x
 *   dy  in   [rows, out of all layers]
 *   x   in   what the forward got; not looked at if the layers need no input
 */
void sotto_block_layers_backward(const struct sotto_block_run *run,
                                 const struct sotto_block_layers *layers, struct sotto_matrix dx,
                                 struct sotto_matrix_view dy, struct sotto_matrix_view x);

#endif
