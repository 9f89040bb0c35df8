/*
 * What the tensors of an adapter are called in a PEFT file, in the words of both major versions of
 * transformers. Only pictures have two: PEFT finds a module by the name that the transformers it
 * runs with gives it.
 */
#ifndef SOTTO_MODELS_ADAPTER_NAMING_H
#define SOTTO_MODELS_ADAPTER_NAMING_H

#include "models/adapter/layout.h"
#include "models/arch/family.h"

/* Whether transformers 5 has words of its own for the family. */
bool sotto_naming_is_double(enum sotto_family family);

/* A target's name in target_modules; NULL where the family has no such layer. */
const char *sotto_naming_target(enum sotto_family family, enum sotto_target target,
                                enum sotto_naming naming);

/*
 * The paths of a target's and a norm's module, such as "vit.layers.0.attention.q_proj". The family
 * has the layer.
 */
void sotto_naming_target_module(char out[SOTTO_MODULE_TEXT_MAX + 1],
                                const struct sotto_layout_tensor *tensor, enum sotto_family family,
                                enum sotto_naming naming);
void sotto_naming_norm_module(char out[SOTTO_MODULE_TEXT_MAX + 1],
                              const struct sotto_layout_tensor *tensor, enum sotto_family family,
                              enum sotto_naming naming);

/* The name in the file, such as "base_model.model.vit.layers.0.attention.q_proj.lora_A.weight". */
void sotto_naming_tensor(char out[SOTTO_TENSOR_TEXT_MAX + 1], const struct sotto_layout *layout,
                         size_t tensor, enum sotto_naming naming);

/*
 * The reverse, under either naming: role, block, target and norm; the sides and the first lane stay
 * as they are. False: no adapter of the family has a tensor of that name; tensor untouched.
 */
bool sotto_naming_parse(struct sotto_layout_tensor *tensor, const char *name,
                        enum sotto_family family);

#endif
