/*
 * What a family calls its parts in a Hugging Face checkpoint, and so in a PEFT adapter: the one
 * table from which the names of tensors are made, here and in models/adapter.
 */
#ifndef SOTTO_MODELS_ARCH_FAMILY_H
#define SOTTO_MODELS_ARCH_FAMILY_H

#include "models/arch/arch.h"
#include "models/block/spec.h"

/* Whose words: transformers 4's are written, those of 5 are read as well. */
enum sotto_naming { SOTTO_NAMING_4, SOTTO_NAMING_5, SOTTO_NAMING_COUNT };

struct sotto_family_names {
    const char *family; /* as model_type has it: "vit" */
    const char *prefix; /* before every name but the head's: "vit."; bare models lack it */
    const char *head;   /* the adapter's: "classifier"; NULL: the base model has its own */
    /* Before the number of a block, such as "vit.encoder.layer."; a '.' follows the number. */
    const char *blocks[SOTTO_NAMING_COUNT];
    /* A block's modules, such as "attention.output.dense"; NULL: the family has none such. */
    const char *linears[SOTTO_BLOCK_LINEAR_COUNT][SOTTO_NAMING_COUNT];
    const char *attention_norm[SOTTO_NAMING_COUNT];
    const char *mlp_norm[SOTTO_NAMING_COUNT];
};

/* family < SOTTO_FAMILY_COUNT */
const struct sotto_family_names *sotto_family_names(enum sotto_family family);

/*
 * Whether a checkpoint of the family may hold a tensor of this name that nothing here reads: a head
 * of its own, a buffer that is computed anew, a token that only pretraining sees.
 */
bool sotto_family_leaves_out(enum sotto_family family, const char *name);

#endif
