#include "models/ops/patches.h"

uint32_t sotto_patch_count(const struct sotto_patch_shape *shape)
{
    uint32_t grid = shape->image_side / shape->patch_side;

    return grid * grid;
}

uint32_t sotto_patch_values(const struct sotto_patch_shape *shape)
{
    return shape->channels * shape->patch_side * shape->patch_side;
}

static void map_pixels(float *out, const uint8_t *pixels, float scale, float shift, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out[i] = (float)pixels[i] * scale + shift;
}

/* One channel's square of a patch; `pixels` is its top left. */
static void cut_square(float *out, const uint8_t *pixels, const struct sotto_patch_shape *shape,
                       float scale, float shift)
{
    for (size_t line = 0; line < shape->patch_side; line++)
        map_pixels(out + line * shape->patch_side, pixels + line * shape->image_side, scale, shift,
                   shape->patch_side);
}

void sotto_patches_cut(float *rows, const uint8_t *pixels, const struct sotto_patch_shape *shape,
                       const struct sotto_pixel_map *map)
{
    size_t side = shape->image_side;
    size_t patch = shape->patch_side;
    size_t grid = side / patch;
    size_t count = sotto_patch_count(shape);

    for (size_t index = 0; index < count; index++) {
        size_t top_left = index / grid * patch * side + index % grid * patch;

        for (size_t channel = 0; channel < shape->channels; channel++) {
            cut_square(rows, pixels + channel * side * side + top_left, shape, map->scale[channel],
                       map->shift[channel]);
            rows += patch * patch;
        }
    }
}
