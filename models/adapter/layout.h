/*
 * The layout of an adapter: which tensors are trained, in which order they lie in the lanes, what
 * the labels are called. A list of tensors exists once, here; sizes, PEFT names, wire order and
 * initial values derive from it.
 *
 * Tensor order: block 0 .. n-1; in a block the targets in the order of enum sotto_target, lora_A
 * [rank, in] before lora_B [out, rank]; then classifier.weight [labels, width] and classifier.bias
 * [labels]. All row-major.
 */
#ifndef SOTTO_MODELS_ADAPTER_LAYOUT_H
#define SOTTO_MODELS_ADAPTER_LAYOUT_H

#include "core/base/bytes.h"
#include "core/base/entropy.h"

struct sotto_arch;

enum sotto_target {
    SOTTO_TARGET_QUERY,
    SOTTO_TARGET_KEY,
    SOTTO_TARGET_VALUE,
    SOTTO_TARGET_ATTENTION_OUT,
    SOTTO_TARGET_MLP_IN,
    SOTTO_TARGET_MLP_OUT,
    SOTTO_TARGET_COUNT
};

enum {
    SOTTO_LABELS_MAX = 100,
    SOTTO_LABEL_TEXT_MAX = 47,
    SOTTO_LAYOUT_TENSORS_MAX = 1024,
    SOTTO_LAYOUT_BYTES_MAX = 16 * 1024,
    SOTTO_LAYOUT_LANES_MAX = 1 << 28,
    SOTTO_TENSOR_TEXT_MAX = 159,
    SOTTO_RANK_MAX = 256,
};

/*
 * What a campaign's author chooses. rank 0: the classifier head alone is trained, alpha and targets
 * are not looked at. Labels are 2 or more different texts that can name a folder: UTF-8 without
 * control characters, '/' and a leading '.'.
 */
struct sotto_adapter_choice {
    uint32_t rank;
    double alpha;        /* the product B A is scaled by alpha / rank */
    uint32_t target_set; /* bit 1 << enum sotto_target */
    uint32_t label_count;
    char labels[SOTTO_LABELS_MAX][SOTTO_LABEL_TEXT_MAX + 1];
};

enum sotto_tensor_role {
    SOTTO_ROLE_LORA_A,
    SOTTO_ROLE_LORA_B,
    SOTTO_ROLE_HEAD,
    SOTTO_ROLE_HEAD_BIAS
};

struct sotto_layout_tensor {
    enum sotto_tensor_role role;
    uint32_t block;
    enum sotto_target target; /* of the LoRA roles */
    uint32_t rows;
    uint32_t columns; /* 1 for a bias */
    size_t first;     /* index of its first lane */
};

struct sotto_layout {
    struct sotto_adapter_choice choice;
    uint32_t width; /* of the base model: what the shapes follow from */
    uint32_t mlp_width;
    uint32_t block_count;
    size_t lane_count;
    size_t tensor_count;
    struct sotto_layout_tensor tensors[SOTTO_LAYOUT_TENSORS_MAX];
};

/*
 * What follows from a base model's shape and a choice. With rank 0 the layout's own choice has
 * alpha and targets 0, so that one layout has one encoding.
 *
 * SOTTO_OVER_LIMIT or SOTTO_MALFORMED with the offending field in the fault; layout untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_layout_derive(struct sotto_layout *layout,
                                                    const struct sotto_arch *arch,
                                                    const struct sotto_adapter_choice *choice,
                                                    struct sotto_fault *fault);

/*
 * Canonical bytes: choice, widths and block count; the tensors follow from them. Their SHA-256
 * under "sotto/1 layout" is the layout digest. Decode takes exactly what encode makes.
 *
 * SOTTO_OVER_LIMIT: no room in `out`, which then holds no message. SOTTO_MALFORMED: bytes that
 * encode would not make; layout untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_layout_encode(struct sotto_buffer *out,
                                                    const struct sotto_layout *layout);
SOTTO_CHECKED enum sotto_status sotto_layout_decode(struct sotto_layout *layout,
                                                    struct sotto_view bytes);

/* The name of a target's module in a Hugging Face ViT, such as "attention.output.dense". */
const char *sotto_target_name(enum sotto_target target);

/*
 * A list such as "query,value", or "all-linear", to a target set; names as sotto_target_name has
 * them. SOTTO_MALFORMED: an unknown or repeated name, in the fault; set untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_target_set_parse(uint32_t *set, const char *text,
                                                       struct sotto_fault *fault);

/*
 * Starting values: A uniform in +-1/sqrt(in) (Kaiming uniform with a = sqrt 5, PEFT's default); B,
 * head and bias zero, so that the adapted model starts as the base model.
 *
 *   lanes  out  [lane_count]
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
