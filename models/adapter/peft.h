/*
 * PEFT adapter directories: adapter_config.json, adapter_model.safetensors (float32), README.md.
 */
#ifndef SOTTO_MODELS_ADAPTER_PEFT_H
#define SOTTO_MODELS_ADAPTER_PEFT_H

#include "models/adapter/layout.h"

/* The base model that an adapter is made for. */
struct sotto_peft_base {
    const char *name;                  /* base_model_name_or_path of adapter_config.json */
    const struct sotto_digest *digest; /* the one that plans carry; NULL: the folder tells none */
};

/*
 * Whether sotto_peft_write may write `folder`: to be asked before work that would be lost.
 * SOTTO_IO: something else is there; the fault says what to do.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_check(const char *folder, struct sotto_fault *fault);

/*
 * Writes `folder` through a temporary sibling and a rename: it appears whole or not at all. An
 * existing folder of that name is replaced. The base's digest stands, as hex, in the metadata of
 * adapter_model.safetensors under "sotto.base_model".
 *
 *   lanes  in  [layout->lane_count]
 *
 * SOTTO_MALFORMED: a lane is NaN or an infinity. SOTTO_IO, SOTTO_NO_MEMORY. The fault names the
 * folder; an older one of that name stays.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_write(const char *folder, const float *lanes,
                                                 const struct sotto_layout *layout,
                                                 const struct sotto_peft_base *base,
                                                 struct sotto_fault *fault);

/*
 * The digest of the base model that the adapter in `folder` was made for: two models of one shape
 * cannot be told apart by the adapter's tensors.
 *
 * SOTTO_NOT_FOUND: it tells none, as directories that PEFT wrote, or there is no such file;
 * SOTTO_MALFORMED: no digest stands there; the statuses of sotto_safetensors_open. The fault names
 * the file.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_base_read(struct sotto_digest *base, const char *folder,
                                                     struct sotto_fault *fault);

/*
 * Reads a directory that sotto or PEFT wrote for a base model of the given shape. Names of
 * transformers 4 and 5 are both known. Labels come from labels.json, an array of names; without it
 * they are "0", "1", ... Without a classifier in it (PEFT without modules_to_save) there are no
 * labels, and the directory is SOTTO_UNSUPPORTED, as are DoRA, rank-stabilised scales and biases.
 *
 *   lanes  out  from malloc, [layout->lane_count]; the caller frees
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_UNSUPPORTED, SOTTO_OVER_LIMIT, SOTTO_MISMATCH (the fault
 * names the tensor and both shapes): *lanes is NULL, layout untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_read(float **lanes, struct sotto_layout *layout,
                                                const char *folder, const struct sotto_arch *arch,
                                                struct sotto_fault *fault);

#endif
