#include "models/arch/embedding.h"

#include <assert.h>

#include "models/arch/tensors.h"

static const struct sotto_device_float *outer_at(const struct sotto_network *network,
                                                 enum sotto_outer outer)
{
    return network->weights + sotto_base_outer_place(network->arch, outer);
}

void sotto_embed_picture(const struct sotto_network *network, struct sotto_device_float *rows,
                         struct sotto_device_float *patches, const uint8_t *pixels)
{
    struct sotto_patch_shape shape = sotto_arch_patch_shape(network->arch);
    size_t width = network->arch->width;
    size_t count = sotto_patch_count(&shape);
    size_t values = sotto_patch_values(&shape);
    size_t before = sotto_arch_token_count(network->arch) - count;
    const struct sotto_device_float *positions = outer_at(network, SOTTO_OUTER_POSITIONS);
    struct sotto_linear projection = {.in = (uint32_t)values,
                                      .out = (uint32_t)width,
                                      .weight = outer_at(network, SOTTO_OUTER_PATCH_WEIGHT),
                                      .bias = outer_at(network, SOTTO_OUTER_PATCH_BIAS)};

    network->kernels->copy(rows, outer_at(network, SOTTO_OUTER_CLASS_TOKEN), width);
    if (sotto_base_has_outer(network->arch, SOTTO_OUTER_SECOND_TOKEN))
        network->kernels->copy(rows + width, outer_at(network, SOTTO_OUTER_SECOND_TOKEN), width);
    network->kernels->add(rows, positions, before * width);
    network->kernels->cut_patches(patches, pixels, &shape, &network->pixel_map);
    sotto_linear_forward(network->kernels, &projection,
                         sotto_matrix_of(rows + before * width, count, width),
                         sotto_matrix_view_of(patches, count, values),
                         sotto_matrix_view_of(positions + before * width, count, width));
}

static void add_positions_and_norm(const struct sotto_network *network,
                                   struct sotto_device_float *rows,
                                   struct sotto_device_float *plain, struct sotto_norm_rows scratch,
                                   uint32_t length)
{
    size_t width = network->arch->width;
    const struct sotto_device_float *type = outer_at(network, SOTTO_OUTER_TYPES);
    struct sotto_norm norm = {.kind = SOTTO_NORM_LAYER,
                              .epsilon = (float)network->arch->norm_epsilon,
                              .gain = outer_at(network, SOTTO_OUTER_EMBEDDING_NORM_GAIN),
                              .bias = outer_at(network, SOTTO_OUTER_EMBEDDING_NORM_BIAS)};

    network->kernels->add(plain, outer_at(network, SOTTO_OUTER_POSITIONS), length * width);
    network->kernels->add_rows(sotto_matrix_of(plain, length, width),
                               (struct sotto_matrix_view){type, length, width, 0});
    sotto_norm_forward(network->kernels, &norm, sotto_matrix_of(rows, length, width), scratch,
                       sotto_matrix_view_of(plain, length, width));
}

void sotto_embed_text(const struct sotto_network *network, struct sotto_device_float *rows,
                      struct sotto_device_float *plain, struct sotto_norm_rows scratch,
                      const uint32_t *tokens, uint32_t length)
{
    size_t width = network->arch->width;
    bool has_positions = sotto_base_has_outer(network->arch, SOTTO_OUTER_POSITIONS);
    struct sotto_matrix_view words = sotto_matrix_view_of(outer_at(network, SOTTO_OUTER_WORDS),
                                                          network->arch->vocabulary, width);

    assert(length >= 1 && length <= network->arch->position_count);
    network->kernels->gather_rows(sotto_matrix_of(has_positions ? plain : rows, length, width),
                                  words, tokens);
    if (has_positions)
        add_positions_and_norm(network, rows, plain, scratch, length);
}
