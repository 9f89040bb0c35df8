/*
 * Pictures to patch rows: what a vision transformer's patch embedding, a linear layer over the
 * flattened patch, takes. Dosovitskiy et al., ICLR 2021, section 3.1.
 */
#ifndef SOTTO_MODELS_OPS_PATCHES_H
#define SOTTO_MODELS_OPS_PATCHES_H

#include <stddef.h>
#include <stdint.h>

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

/*
 * One picture. Patches row by row from the top left; in a patch the order is channel, row, column,
 * as a convolution weight [width, channels, patch_side, patch_side] flattens.
 *
 *   rows    out  [patch count, patch values]
 *   pixels  in   [channels, image_side, image_side]
 */
void sotto_patches_cut(float *rows, const uint8_t *pixels, const struct sotto_patch_shape *shape,
                       const struct sotto_pixel_map *map);

#endif
