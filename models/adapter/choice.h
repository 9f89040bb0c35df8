/*
 * What a campaign's author chooses of an adapter: its kind, its ranks, the layers, the labels.
 */
#ifndef SOTTO_MODELS_ADAPTER_CHOICE_H
#define SOTTO_MODELS_ADAPTER_CHOICE_H

#include "models/adapter/target.h"

enum {
    SOTTO_LABELS_MAX = 100,
    SOTTO_LABEL_TEXT_MAX = 47,
};

enum sotto_adapter_kind {
    SOTTO_ADAPTER_LORA,      /* low-rank products beside linear layers. Hu et al., ICLR 2022 */
    SOTTO_ADAPTER_NORM_BIAS, /* the norms and biases of the blocks. Ben Zaken et al., ACL 2022 */
    SOTTO_ADAPTER_KIND_COUNT
};

/*
 * A classifier is trained whole beside the adapter (modules_to_save); a causal language model has
 * none, and no labels. Labels are 2 or more different texts that can name a folder: UTF-8 without
 * control characters, '/' and a leading '.'.
 */
struct sotto_adapter_choice {
    enum sotto_adapter_kind kind;
    uint32_t rank;           /* of LoRA; 0: the classifier alone is trained */
    double alpha;            /* of LoRA, from here to `ranks`; see sotto_layout_scale */
    bool is_rank_stabilised; /* scaled by the root of the rank: Kalajdzievski, 2023 */
    uint32_t target_set;     /* bit 1 << enum sotto_target; all bits: those the family has */
    uint32_t ranks[SOTTO_TARGET_COUNT]; /* by target; 0: `rank` */
    uint32_t top_blocks;                /* adapters in so many of the last blocks; 0: in all */
    uint32_t label_count;
    char labels[SOTTO_LABELS_MAX][SOTTO_LABEL_TEXT_MAX + 1];
};

/* The numbers of a base model that the tensors follow from. */
struct sotto_adapter_base {
    enum sotto_family family;
    enum sotto_task task;
    uint32_t width;
    uint32_t query_width; /* of all query heads together */
    uint32_t kv_width;    /* of all key heads together */
    uint32_t mlp_width;
    uint32_t block_count;
    bool has_qkv_bias;
    bool has_out_bias;
    bool has_mlp_bias;
};

/*
 * Checks a choice for a base model, and brings it into the one form that means the same: what is
 * not looked at is 0, ranks that are `rank` are 0, and target_set is what the family has.
 *
 * SOTTO_OVER_LIMIT or SOTTO_MALFORMED with the offending field in the fault; plain untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_adapter_choice_settle(
    struct sotto_adapter_choice *plain, const struct sotto_adapter_choice *choice,
    const struct sotto_adapter_base *base, struct sotto_fault *fault);

/* The rank of a target of a LoRA; 0: it has none. */
uint32_t sotto_adapter_choice_rank(const struct sotto_adapter_choice *choice,
                                   enum sotto_target target);

#endif
