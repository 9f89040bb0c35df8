/*
 * The one transformer block that every architecture is built of, with explicit backward; its spec
 * says which (models/block/spec.h). Any of its linear layers can have a low-rank adapter, any of
 * its vectors, norm gains and biases, can be trained in the base's place.
 *
 * Samples lie one after another without padding, of any lengths; batch and lengths are free per
 * call, up to what the pass was taken for. No call allocates. What can be computed again cheaply
 * (normed rows, activations, probabilities) is not kept.
 */
#ifndef SOTTO_MODELS_BLOCK_BLOCK_H
#define SOTTO_MODELS_BLOCK_BLOCK_H

#include "models/block/rows.h"
#include "models/block/spec.h"
#include "models/kernels/device/arena.h"
#include "models/ops/linear.h"
#include "models/ops/norm.h"

struct sotto_block {
    const struct sotto_kernels *kernels;
    struct sotto_block_spec spec;
    struct sotto_rotary rotary; /* for the longest sample; looked at if the spec is rotary */
    /* [sotto_block_weight_count] in the order of enum sotto_block_tensor. */
    const struct sotto_device_float *weights;
    /* [SOTTO_BLOCK_LINEAR_COUNT] by models/block/packing.h, in place of the matrices; or NULL. */
    const struct sotto_packed *packed;
    /* The same order, added to; NULL: the base is frozen. */
    struct sotto_device_float *weight_gradients;
    /* Of the tensors of one column: in place of what `weights` has, or NULL. */
    const struct sotto_device_float *vector[SOTTO_BLOCK_TENSOR_COUNT];
    /* Added to; NULL: frozen. */
    struct sotto_device_float *vector_gradient[SOTTO_BLOCK_TENSOR_COUNT];
    struct sotto_lora lora[SOTTO_BLOCK_LINEAR_COUNT]; /* rank 0: none */
};

/* What a forward leaves for its backward. Taken for the largest shape, used for any smaller. */
struct sotto_block_pass {
    struct sotto_block_shape shape; /* of the last forward */
    const struct sotto_device_float *x;
    struct sotto_norm_rows attention_rows; /* of the two norms */
    struct sotto_norm_rows mlp_rows;
    struct sotto_device_float *projected; /* query, key and value, turned by their positions */
    struct sotto_device_float *context;   /* [onward rows, query width] of the attention */
    struct sotto_device_float *attended;  /* [onward rows, width] x plus the attention */
    /* [onward rows, mlp_width, or 2 mlp_width: gate | in] before the activation. */
    struct sotto_device_float *hidden;
    /* [onward rows, width] before the last norm; with norm after only. */
    struct sotto_device_float *summed;
    struct sotto_device_float *down[SOTTO_BLOCK_LINEAR_COUNT]; /* [rows, rank] */
    /*
     * [shape.known + rows, 2][key width] of a causal block whose only sample goes on: keys, turned
     * by their positions, beside values. The forward puts its own behind those that are known, and
     * has no backward. Not taken, but the caller's; NULL: nothing is kept.
     */
    struct sotto_device_float *kept;
};

/* Memory that the passes of all blocks share while one of them runs. */
struct sotto_block_scratch {
    struct sotto_device_float *normed; /* [rows, width] a layer's input, computed again */
    struct sotto_device_float *narrow; /* [rows, width] a gradient */
    struct sotto_device_float *active; /* [rows, max(mlp_width, query width)] */
    struct sotto_device_float *wide;   /* [rows, max(hidden columns, projected columns)] */
    /* [2][batch, width] first rows of the samples, and their gradient. */
    struct sotto_device_float *first;
    struct sotto_device_float *bias;    /* [wide columns] biases of layers side by side */
    struct sotto_device_float *inner;   /* [rows, rank] */
    struct sotto_device_float *dropped; /* [rows, in] an adapter's input; with a dropout only */
    struct sotto_device_float *scores;  /* [sotto_attention_scratch] */
};

/*
 * Takes the memory of a pass for shapes up to `largest` from an arena, where `known` is the most
 * rows before; with a counting arena it only counts. Ranks are looked at, and whether an adapter
 * has a dropout.
 * SOTTO_NO_MEMORY: the arena is full.
 */
SOTTO_CHECKED enum sotto_status sotto_block_pass_take(struct sotto_block_pass *pass,
                                                      const struct sotto_block *block,
                                                      struct sotto_block_shape largest,
                                                      struct sotto_device_arena *arena);
SOTTO_CHECKED enum sotto_status sotto_block_scratch_take(struct sotto_block_scratch *scratch,
                                                         const struct sotto_block *block,
                                                         struct sotto_block_shape largest,
                                                         struct sotto_device_arena *arena);

/*
 *   y      out  [onward rows, width]; not x
 *   x      in   [rows, width]; kept by reference until the backward is done
 *   shape  in   its starts are kept by reference until the backward is done
 */
void sotto_block_forward(const struct sotto_block *block, struct sotto_block_pass *pass,
                         const struct sotto_block_scratch *scratch, struct sotto_device_float *y,
                         const struct sotto_device_float *x, struct sotto_block_shape shape);

/* Which gradient is wanted besides those of the trained weights. */
enum sotto_block_below { SOTTO_BLOCK_BELOW_FROZEN, SOTTO_BLOCK_BELOW_TRAINED };

/*
 * Adds the gradients of the block's trained weights, and carries the gradient through the block,
 * in place. Nothing is computed that no trained weight needs.
 *
 *   gradient  inout  dL/dy [onward rows, width], with room for [rows, width]; comes back as dL/dx
 *                    [rows, width], or as garbage if `below` is SOTTO_BLOCK_BELOW_FROZEN
 */
void sotto_block_backward(const struct sotto_block *block, struct sotto_block_pass *pass,
                          const struct sotto_block_scratch *scratch,
                          struct sotto_device_float *gradient, enum sotto_block_below below);

/* Whether the block has anything to train. */
bool sotto_block_is_trained(const struct sotto_block *block);

#endif
