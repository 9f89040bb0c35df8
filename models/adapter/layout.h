/*
 * The layout of an adapter: which tensors are trained, in which order they lie in the lanes, what
 * the labels are called. A list of tensors exists once, here; sizes, PEFT names, wire order and
 * initial values derive from it.
 *
 * Tensor order: the adapted blocks from the lowest to the last; in a block
 *     of LoRA: the targets in the order of enum sotto_target, lora_A [rank, in] before lora_B
 *         [out, rank];
 *     of norms and biases: each norm's gain and, where it has one, its bias; then the biases of the
 *         linear layers in the order of enum sotto_target, all [width of the layer, 1];
 * then, but for a language model, classifier.weight [labels, width] and classifier.bias [labels].
 * All row-major.
 */
#ifndef SOTTO_MODELS_ADAPTER_LAYOUT_H
#define SOTTO_MODELS_ADAPTER_LAYOUT_H

#include "core/base/bytes.h"
#include "core/base/entropy.h"
#include "models/adapter/choice.h"

enum {
    SOTTO_LAYOUT_TENSORS_MAX = 2048,
    SOTTO_LAYOUT_BYTES_MAX = 16 * 1024,
    SOTTO_LAYOUT_LANES_MAX = 1 << 28,
    SOTTO_TENSOR_TEXT_MAX = 159,
};

enum sotto_tensor_role {
    SOTTO_ROLE_LORA_A,
    SOTTO_ROLE_LORA_B,
    SOTTO_ROLE_NORM_GAIN, /* values of their own in place of the base model's, as the two below */
    SOTTO_ROLE_NORM_BIAS,
    SOTTO_ROLE_LINEAR_BIAS,
    SOTTO_ROLE_HEAD,
    SOTTO_ROLE_HEAD_BIAS
};

struct sotto_layout_tensor {
    enum sotto_tensor_role role;
    uint32_t block;
    enum sotto_target target;   /* of the LoRA roles and a linear layer's bias */
    enum sotto_norm_place norm; /* of a norm's gain and bias */
    uint32_t rows;
    uint32_t columns; /* 1 for a vector */
    size_t first;     /* index of its first lane */
};

struct sotto_layout {
    struct sotto_adapter_choice choice; /* settled */
    struct sotto_adapter_base base;
    uint32_t first_block; /* the lowest adapted one; block_count: none is */
    size_t lane_count;
    size_t tensor_count;
    struct sotto_layout_tensor tensors[SOTTO_LAYOUT_TENSORS_MAX];
};

/*
 * What follows from a base model's shape and a choice. The layout's own choice is settled, so that
 * one layout has one encoding.
 *
 * SOTTO_OVER_LIMIT or SOTTO_MALFORMED with the offending field in the fault; layout untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_layout_derive(struct sotto_layout *layout,
                                                    const struct sotto_arch *arch,
                                                    const struct sotto_adapter_choice *choice,
                                                    struct sotto_fault *fault);

/*
 * Whether the layout was derived from a base model of this shape. SOTTO_MISMATCH: the fault names
 * the first number that differs.
 */
SOTTO_CHECKED enum sotto_status sotto_layout_check_arch(const struct sotto_layout *layout,
                                                        const struct sotto_arch *arch,
                                                        struct sotto_fault *fault);

/*
 * Canonical bytes: the base model's numbers and the choice; the tensors follow from them. Their
 * SHA-256 under "sotto/1 layout" is the layout digest. Decode takes exactly what encode makes.
 *
 * SOTTO_OVER_LIMIT: no room in `out`, which then holds no message. SOTTO_MALFORMED: bytes that
 * encode would not make; layout untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_layout_encode(struct sotto_buffer *out,
                                                    const struct sotto_layout *layout);
SOTTO_CHECKED enum sotto_status sotto_layout_decode(struct sotto_layout *layout,
                                                    struct sotto_view bytes);

/*
 * What the product B A of a target is scaled by: alpha / rank, or alpha / sqrt(rank) where that is
 * rank-stabilised. The target has an adapter.
 */
double sotto_layout_scale(const struct sotto_layout *layout, enum sotto_target target);

/* The highest rank of any target; 0: the classifier alone, or norms and biases. */
uint32_t sotto_layout_rank_max(const struct sotto_layout *layout);

/*
 * Starting values, from public randomness: the rows of A are orthonormal, drawn uniformly, where
 * there are at most as many as columns, else in groups of as many; B, the classifier's weight and
 * bias zero, so that the adapted model starts as the base model. Gains and biases of norms and
 * linear layers come out as zero and are the base model's to fill in.
 *
 * Orthonormal rows make B the same step in the product B A whatever the draw: Sun et al., Improving
 * LoRA in privacy-preserving federated learning, ICLR 2024, section 5.
 *
 *   lanes  out  [lane_count]
 *
 * Work: rank^2 * in for each A.
 */
void sotto_layout_start(float *lanes, const struct sotto_layout *layout,
                        struct sotto_entropy *entropy);

/*
 * PEFT name of a tensor in the words of transformers 4, such as
 * base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight.
 */
void sotto_layout_tensor_name(char out[SOTTO_TENSOR_TEXT_MAX + 1],
                              const struct sotto_layout *layout, size_t tensor);

#endif
