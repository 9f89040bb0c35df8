#include "models/kernels/step/patches.h"

#include <math.h>

#include "models/kernels/device/host.h"

/* A patch of one colour has no deviation to divide by. */
#define TARGET_EPSILON 1e-6

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

void sotto_cpu_cut_patches(struct sotto_device_float *rows, const uint8_t *pixels,
                           const struct sotto_patch_shape *shape, const struct sotto_pixel_map *map)
{
    float *out = sotto_host_write(rows);
    size_t side = shape->image_side;
    size_t patch = shape->patch_side;
    size_t grid = side / patch;
    size_t count = sotto_patch_count(shape);

    for (size_t index = 0; index < count; index++) {
        size_t top_left = index / grid * patch * side + index % grid * patch;

        for (size_t channel = 0; channel < shape->channels; channel++) {
            cut_square(out, pixels + channel * side * side + top_left, shape, map->scale[channel],
                       map->shift[channel]);
            out += patch * patch;
        }
    }
}

/* Replaces what was drawn by the gradient, given the patch; returns the sum of squares. */
static double compare_patch(float *drawn, const float *patch, size_t values, double scale)
{
    double mean = 0;
    double square = 0;
    double loss = 0;
    double inverse_deviation;

    for (size_t i = 0; i < values; i++)
        mean += patch[i];
    mean /= (double)values;
    for (size_t i = 0; i < values; i++)
        square += (patch[i] - mean) * (patch[i] - mean);
    inverse_deviation = 1.0 / sqrt(square / (double)values + TARGET_EPSILON);
    for (size_t i = 0; i < values; i++) {
        double error = drawn[i] - (patch[i] - mean) * inverse_deviation;

        loss += error * error;
        drawn[i] = (float)(2.0 * error * scale);
    }
    return loss;
}

void sotto_cpu_compare_patches(struct sotto_matrix drawn, struct sotto_matrix_view patches,
                               const uint32_t *rows, double scale, struct sotto_device_loss *loss)
{
    for (size_t i = 0; i < drawn.rows; i++)
        loss->on_device.sum += compare_patch(sotto_host_write(drawn.at + i * drawn.stride),
                                             sotto_host_read(patches.at + rows[i] * patches.stride),
                                             drawn.columns, scale);
}
