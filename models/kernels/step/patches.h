/*
 * Pictures to patch rows: what a vision transformer's patch embedding, a linear layer over the
 * flattened patch, takes. Dosovitskiy et al., ICLR 2021, section 3.1.
 */
#ifndef SOTTO_MODELS_KERNELS_STEP_PATCHES_H
#define SOTTO_MODELS_KERNELS_STEP_PATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "models/kernels/matrix.h"

enum { SOTTO_CHANNELS_MAX = 3 };

/* A pixel of channel c becomes pixel * scale[c] + shift[c]. */
struct sotto_pixel_map {
    float scale[SOTTO_CHANNELS_MAX];
    float shift[SOTTO_CHANNELS_MAX];
};

struct sotto_patch_shape {
    uint32_t channels;
    uint32_t image_side;
    uint32_t patch_side; /* divides image_side */
};

uint32_t sotto_patch_count(const struct sotto_patch_shape *shape); /* (image_side / patch_side)^2 */
uint32_t sotto_patch_values(const struct sotto_patch_shape *shape); /* channels * patch_side^2 */

/* One picture's patches, [patch count, patch values]; the kernel of models/kernels/kernels.h. */
void sotto_cpu_cut_patches(struct sotto_device_float *rows, const uint8_t *pixels,
                           const struct sotto_patch_shape *shape,
                           const struct sotto_pixel_map *map);

/* Drawn patches against those they stand for; likewise. */
void sotto_cpu_compare_patches(struct sotto_matrix drawn, struct sotto_matrix_view patches,
                               const uint32_t *rows, double scale, struct sotto_device_loss *loss);

#endif
