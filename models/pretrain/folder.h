/*
 * The Hugging Face model directory that pretraining leaves: config.json, model.safetensors,
 * preprocessor_config.json, and RECIPE.json, which says how it was made.
 */
#ifndef SOTTO_MODELS_PRETRAIN_FOLDER_H
#define SOTTO_MODELS_PRETRAIN_FOLDER_H

#include "models/arch/arch.h"
#include "models/weights/dtype.h"

struct sotto_pretrained {
    struct sotto_arch arch;
    const float *weights; /* in the order of models/arch/tensors.h */
    enum sotto_dtype dtype;
    double pixel_mean; /* of pixels scaled to 0 .. 1 */
    double pixel_deviation;
    const char *recipe_json;
};

/*
 * Writes `folder`, which must not exist; it appears whole or not at all.
 * SOTTO_IO, SOTTO_NO_MEMORY, SOTTO_OVER_LIMIT (path): nothing is left behind.
 */
SOTTO_CHECKED enum sotto_status sotto_pretrained_write(const char *folder,
                                                       const struct sotto_pretrained *pretrained,
                                                       struct sotto_fault *fault);

#endif
