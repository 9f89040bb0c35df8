/*
 * The linear layers that an adapter can have, and what they and the other trained tensors are
 * called, in the words of transformers 4 (models/arch/family.h has the table).
 */
#ifndef SOTTO_MODELS_ADAPTER_TARGET_H
#define SOTTO_MODELS_ADAPTER_TARGET_H

#include "core/base/bytes.h"
#include "models/arch/arch.h"

/* The order of the linear layers in models/block. A family may lack some. */
enum sotto_target {
    SOTTO_TARGET_QUERY,
    SOTTO_TARGET_KEY,
    SOTTO_TARGET_VALUE,
    SOTTO_TARGET_ATTENTION_OUT,
    SOTTO_TARGET_MLP_IN,
    SOTTO_TARGET_MLP_OUT,
    SOTTO_TARGET_MLP_GATE,
    SOTTO_TARGET_COUNT
};

/* A block's norms: beside the attention and beside the MLP. */
enum sotto_norm_place { SOTTO_NORM_OF_ATTENTION, SOTTO_NORM_OF_MLP, SOTTO_NORM_COUNT };

enum {
    SOTTO_TARGETS_ALL = (1 << SOTTO_TARGET_COUNT) - 1,
    SOTTO_MODULE_TEXT_MAX = 95,
    SOTTO_RANK_MAX = 256,
};

/* Bits 1 << enum sotto_target of the layers that a family has. */
uint32_t sotto_family_targets(enum sotto_family family);

/*
 * How a target is named in target_modules, such as "query", "attention.output.dense" or "q_proj";
 * NULL where the family has no such layer.
 */
const char *sotto_target_name(enum sotto_family family, enum sotto_target target);

/*
 * A module's path in the model, such as "bert.encoder.layer.0.attention.self.query". The family
 * has the layer.
 */
void sotto_target_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                         uint32_t block, enum sotto_target target);
void sotto_norm_module(char out[SOTTO_MODULE_TEXT_MAX + 1], enum sotto_family family,
                       uint32_t block, enum sotto_norm_place place);

/* How a norm is named in modules_to_save, such as "layernorm_before". */
const char *sotto_norm_name(enum sotto_family family, enum sotto_norm_place place);

/* The classifier's module; NULL: the family has none. */
const char *sotto_family_head(enum sotto_family family);

/*
 * A list such as "query,value", or "all-linear", to a target set; names as sotto_target_name has
 * them for any family. SOTTO_MALFORMED: an unknown or repeated name, in the fault; set untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_target_set_parse(uint32_t *set, const char *text,
                                                       struct sotto_fault *fault);

/*
 * Whether every name of such a list, with or without a rank, is one that the family has for a layer
 * of its own, or all-linear; the parsers take those of any family. SOTTO_MALFORMED: the fault lists
 * the family's.
 */
SOTTO_CHECKED enum sotto_status sotto_target_names_check(const char *text, enum sotto_family family,
                                                         struct sotto_fault *fault);

/*
 * A list such as "query=4,value=16" to ranks by target; an empty text to none. Targets outside the
 * list get 0. SOTTO_MALFORMED: an unknown or repeated name, or no rank of 1 to 256, in the fault;
 * ranks untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_rank_pattern_parse(uint32_t ranks[SOTTO_TARGET_COUNT],
                                                         const char *text,
                                                         struct sotto_fault *fault);

#endif
