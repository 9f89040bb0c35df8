/* What a base model's config.json says, for whoever needs no weights. */
#ifndef SOTTO_MODELS_EXPORT_SHAPE_H
#define SOTTO_MODELS_EXPORT_SHAPE_H

#include "models/arch/arch.h"

enum { SOTTO_MODEL_TYPE_MAX = 31 };

struct sotto_base_shape {
    struct sotto_arch arch;
    char model_type[SOTTO_MODEL_TYPE_MAX + 1]; /* such as "qwen2" */
};

/*
 *   folder  in  model directory
 *
 * The statuses of sotto_arch_decode, and SOTTO_NOT_FOUND, SOTTO_IO, SOTTO_NO_MEMORY: shape is as
 * before, the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_base_shape_read(struct sotto_base_shape *shape,
                                                      const char *folder,
                                                      struct sotto_fault *fault);

#endif
