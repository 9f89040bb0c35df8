/*
 * How pixels become the numbers a model takes, read from the preprocessor_config.json of a Hugging
 * Face model directory: rescale_factor, image_mean and image_std, as far as do_rescale and
 * do_normalize ask for them.
 *     value = (pixel * rescale_factor - mean[channel]) / std[channel]
 */
#ifndef SOTTO_MODELS_ARCH_PREPROCESSOR_H
#define SOTTO_MODELS_ARCH_PREPROCESSOR_H

#include "core/base/bytes.h"
#include "models/arch/arch.h"
#include "models/kernels/step/patches.h"

/*
 * SOTTO_MALFORMED: a key of a wrong kind; SOTTO_MISMATCH: "size" is not the model's image_size, or
 * the means are not as many as its channels. The map is then as before, the fault names the key.
 */
SOTTO_CHECKED enum sotto_status sotto_preprocessor_decode(struct sotto_pixel_map *map,
                                                          const struct sotto_arch *arch,
                                                          struct sotto_view json, const char *path,
                                                          struct sotto_fault *fault);

#endif
