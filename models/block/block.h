/*
 * The one transformer block that every architecture is built of, with explicit backward.
 * Pre-LayerNorm, as in Dosovitskiy et al., ICLR 2021, eq. 2 and 3:
 *     m = x + Attention(LayerNorm(x)),   y = m + MLP(LayerNorm(m))
 * where MLP is linear, GELU (erf), linear. Attention is bidirectional. Any of the six linear
 * layers can have a low-rank adapter.
 *
 * Batch and sequence length are free per call, up to what the pass was taken for. No call
 * allocates.
 */
#ifndef SOTTO_MODELS_BLOCK_BLOCK_H
#define SOTTO_MODELS_BLOCK_BLOCK_H

#include "core/base/arena.h"
#include "models/ops/linear.h"
#include "models/ops/norm.h"

struct sotto_block_spec {
    uint32_t width;
    uint32_t mlp_width;
    uint32_t head_count; /* divides width */
    float norm_epsilon;
};

/* The weights of a block in the order in which they lie in memory. */
enum sotto_block_tensor {
    SOTTO_BLOCK_NORM_BEFORE_GAIN,
    SOTTO_BLOCK_NORM_BEFORE_BIAS,
    SOTTO_BLOCK_QUERY_WEIGHT,
    SOTTO_BLOCK_KEY_WEIGHT,
    SOTTO_BLOCK_VALUE_WEIGHT,
    SOTTO_BLOCK_QUERY_BIAS,
    SOTTO_BLOCK_KEY_BIAS,
    SOTTO_BLOCK_VALUE_BIAS,
    SOTTO_BLOCK_ATTENTION_OUT_WEIGHT,
    SOTTO_BLOCK_ATTENTION_OUT_BIAS,
    SOTTO_BLOCK_NORM_AFTER_GAIN,
    SOTTO_BLOCK_NORM_AFTER_BIAS,
    SOTTO_BLOCK_MLP_IN_WEIGHT,
    SOTTO_BLOCK_MLP_IN_BIAS,
    SOTTO_BLOCK_MLP_OUT_WEIGHT,
    SOTTO_BLOCK_MLP_OUT_BIAS,
    SOTTO_BLOCK_TENSOR_COUNT
};

/* Shape of a block's tensor, columns 1 for a vector, and where it begins in the weights. */
struct sotto_block_tensor_place {
    size_t first;
    uint32_t rows;
    uint32_t columns;
};
struct sotto_block_tensor_place sotto_block_tensor_place(const struct sotto_block_spec *spec,
                                                         enum sotto_block_tensor tensor);
size_t sotto_block_weight_count(const struct sotto_block_spec *spec);

/* The linear layers of a block, in the order of enum sotto_target of models/adapter/layout.h. */
enum sotto_block_linear {
    SOTTO_BLOCK_QUERY,
    SOTTO_BLOCK_KEY,
    SOTTO_BLOCK_VALUE,
    SOTTO_BLOCK_ATTENTION_OUT,
    SOTTO_BLOCK_MLP_IN,
    SOTTO_BLOCK_MLP_OUT,
    SOTTO_BLOCK_LINEAR_COUNT
};

struct sotto_block {
    const struct sotto_kernels *kernels;
    struct sotto_block_spec spec;
    const float *weights; /* [sotto_block_weight_count] in the order of enum sotto_block_tensor */
    float *weight_gradients; /* the same order, added to; NULL: the base is frozen */
    struct sotto_lora lora[SOTTO_BLOCK_LINEAR_COUNT]; /* rank 0: none */
};

struct sotto_block_shape {
    uint32_t batch;
    uint32_t token_count;
    /*
     * How many leading tokens of each sample go on after the attention: token_count, or 1 where
     * only the first row of the result is wanted (a classifier's last block).
     */
    uint32_t query_count;
};

/* What a forward leaves for its backward. Taken for the largest shape, used for any smaller. */
struct sotto_block_pass {
    struct sotto_block_shape shape; /* of the last forward */
    const float *x;
    float *normed_before; /* [rows, width] */
    struct sotto_norm_rows rows_before;
    float *projected;     /* query, key and value, side by side */
    float *probabilities; /* [batch, heads, query_count, token_count] */
    float *context;       /* [query rows, width] */
    float *middle;        /* [query rows, width] m */
    float *normed_after;  /* [query rows, width] */
    struct sotto_norm_rows rows_after;
    float *slope;                          /* [query rows, mlp_width] GELU'(z) */
    float *active;                         /* [query rows, mlp_width] GELU(z) */
    float *down[SOTTO_BLOCK_LINEAR_COUNT]; /* [rows, rank] */
};

/* Memory that the backwards of all blocks share. */
struct sotto_block_scratch {
    float *wide;   /* [rows, max(3 width, mlp_width)] */
    float *narrow; /* [rows, width] */
    float *down;   /* [rows, rank] */
    float *scores; /* [query_count, token_count] */
};

/*
 * Takes the memory of a pass for shapes up to `largest` from an arena; with a counting arena it
 * only counts.
 * SOTTO_NO_MEMORY: the arena is full.
 */
SOTTO_CHECKED enum sotto_status sotto_block_pass_take(struct sotto_block_pass *pass,
                                                      const struct sotto_block *block,
                                                      struct sotto_block_shape largest,
                                                      struct sotto_arena *arena);
SOTTO_CHECKED enum sotto_status sotto_block_scratch_take(struct sotto_block_scratch *scratch,
                                                         const struct sotto_block *block,
                                                         struct sotto_block_shape largest,
                                                         struct sotto_arena *arena);

/*
 *   y  out  [batch, query_count, width]
 *   x  in   [batch, token_count, width]; kept by reference until the backward is done; not y
 */
void sotto_block_forward(const struct sotto_block *block, struct sotto_block_pass *pass, float *y,
                         const float *x, struct sotto_block_shape shape);

/* Which gradient is wanted besides those of the trained weights. */
enum sotto_block_below { SOTTO_BLOCK_BELOW_FROZEN, SOTTO_BLOCK_BELOW_TRAINED };

/*
 * Adds the gradients of the block's trained weights, and carries the gradient through the block,
 * in place.
 *
 *   gradient  inout  dL/dy [batch, query_count, width], with room for [batch, token_count, width];
 *                    comes back as dL/dx [batch, token_count, width], or as garbage if `below` is
 *                    SOTTO_BLOCK_BELOW_FROZEN
 */
void sotto_block_backward(const struct sotto_block *block, struct sotto_block_pass *pass,
                          const struct sotto_block_scratch *scratch, float *gradient,
                          enum sotto_block_below below);

#endif
