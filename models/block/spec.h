/*
 * What a transformer block is, as data: one spec a family, and the list of tensors that follows
 * from it.
 *     norm before (ViT, Llama):  s = x + Attention(Norm(x)),    y = s + MLP(Norm(s))
 *     norm after (BERT):         m = Norm(x + Attention(x)),    y = Norm(m + MLP(m))
 * Sources: Dosovitskiy et al., ICLR 2021, eq. 2 and 3; Touvron et al., arXiv:2302.13971, section
 * 2.2; Devlin et al., NAACL 2019, section 3, with Vaswani et al., NeurIPS 2017, section 3.1.
 */
#ifndef SOTTO_MODELS_BLOCK_SPEC_H
#define SOTTO_MODELS_BLOCK_SPEC_H

#include "models/kernels/kernels.h"

enum sotto_norm_order { SOTTO_NORM_BEFORE, SOTTO_NORM_AFTER };

/* The linear layers of a block, in the order of enum sotto_target of models/adapter. */
enum sotto_block_linear {
    SOTTO_BLOCK_QUERY,
    SOTTO_BLOCK_KEY,
    SOTTO_BLOCK_VALUE,
    SOTTO_BLOCK_ATTENTION_OUT,
    SOTTO_BLOCK_MLP_IN, /* what a gate lets through: Llama's up_proj */
    SOTTO_BLOCK_MLP_OUT,
    SOTTO_BLOCK_MLP_GATE, /* of SOTTO_ACTIVATION_SILU_GATE */
    SOTTO_BLOCK_LINEAR_COUNT
};

struct sotto_block_spec {
    uint32_t width;
    uint32_t mlp_width;
    uint32_t head_count;
    uint32_t kv_head_count; /* divides head_count; heads of one group follow one another */
    uint32_t head_width;    /* with is_rotary even */
    enum sotto_norm_kind norm_kind;
    enum sotto_norm_order norm_place;
    float norm_epsilon;
    enum sotto_activation activation;
    bool is_causal;    /* a token sees itself and what is before it */
    bool is_rotary;    /* queries and keys are turned by their position */
    uint32_t bias_set; /* bit 1 << enum sotto_block_linear: that layer has a bias */
};

/* The weights of a block in the order in which they lie in memory. */
enum sotto_block_tensor {
    SOTTO_BLOCK_ATTENTION_NORM_GAIN, /* before the attention, or after its sum */
    SOTTO_BLOCK_ATTENTION_NORM_BIAS,
    SOTTO_BLOCK_QUERY_WEIGHT,
    SOTTO_BLOCK_KEY_WEIGHT,
    SOTTO_BLOCK_VALUE_WEIGHT,
    SOTTO_BLOCK_QUERY_BIAS,
    SOTTO_BLOCK_KEY_BIAS,
    SOTTO_BLOCK_VALUE_BIAS,
    SOTTO_BLOCK_ATTENTION_OUT_WEIGHT,
    SOTTO_BLOCK_ATTENTION_OUT_BIAS,
    SOTTO_BLOCK_MLP_NORM_GAIN, /* before the MLP, or after its sum */
    SOTTO_BLOCK_MLP_NORM_BIAS,
    SOTTO_BLOCK_MLP_GATE_WEIGHT,
    SOTTO_BLOCK_MLP_IN_WEIGHT,
    SOTTO_BLOCK_MLP_GATE_BIAS,
    SOTTO_BLOCK_MLP_IN_BIAS,
    SOTTO_BLOCK_MLP_OUT_WEIGHT,
    SOTTO_BLOCK_MLP_OUT_BIAS,
    SOTTO_BLOCK_TENSOR_COUNT
};

/*
 * Shape of a block's tensor, columns 1 for a vector, and where it begins in the weights; rows 0 and
 * columns 1: a tensor that blocks of this spec lack.
 */
struct sotto_block_tensor_place {
    size_t first;
    uint32_t rows;
    uint32_t columns;
};
struct sotto_block_tensor_place sotto_block_tensor_place(const struct sotto_block_spec *spec,
                                                         enum sotto_block_tensor tensor);
size_t sotto_block_weight_count(const struct sotto_block_spec *spec);

/* A linear layer's weight and bias in the list of tensors. */
enum sotto_block_tensor sotto_block_linear_weight(enum sotto_block_linear layer);
enum sotto_block_tensor sotto_block_linear_bias(enum sotto_block_linear layer);

/* Columns of all query heads, and of all key heads, which are as many as the value heads'. */
size_t sotto_block_query_width(const struct sotto_block_spec *spec);
size_t sotto_block_key_width(const struct sotto_block_spec *spec);
bool sotto_block_is_gated(const struct sotto_block_spec *spec);

#endif
