/*
 * The tensors of a PEFT directory being read: which layout they make, and their values as its
 * lanes.
 */
#ifndef SOTTO_MODELS_ADAPTER_PEFT_TENSORS_H
#define SOTTO_MODELS_ADAPTER_PEFT_TENSORS_H

#include "models/adapter/peft_config.h"
#include "models/weights/safetensors.h"

/* A directory being read; its owner closes config and file. */
struct sotto_peft_source {
    const char *folder;
    const char *file_name;
    const struct sotto_arch *arch;
    struct sotto_fault *fault;
    struct sotto_peft_config config;
    struct sotto_safetensors file;
};

/*
 * The choice that the tensors were made by, but for the labels: kind, scale, ranks, top blocks.
 *
 * The fault names the tensor. SOTTO_MISMATCH: no adapter of this base model has it, or its rank is
 * not the configuration's; SOTTO_UNSUPPORTED: LoRA beside norms and biases, or blocks of several
 * ranks. choice untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_survey(struct sotto_adapter_choice *choice,
                                                  const struct sotto_peft_source *source);

/*
 * Reads every tensor to its place. One that is there under the names of both transformers holds the
 * same values under both. An alpha of a module's own goes into its B.
 *
 *   lanes  out  [layout->lane_count]; unspecified after a failure
 *
 * SOTTO_MISMATCH, SOTTO_MALFORMED (NaN), SOTTO_NO_MEMORY: the fault names the tensor.
 */
SOTTO_CHECKED enum sotto_status sotto_peft_load(float *lanes, const struct sotto_layout *layout,
                                                const struct sotto_peft_source *source);

#endif
