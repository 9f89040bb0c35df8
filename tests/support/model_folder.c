#include "tests/support/model_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "models/arch/vit.h"
#include "models/weights/safetensors.h"

static const char *const names[] = {"config.json", "model.safetensors", "preprocessor_config.json"};

static void path_of(char path[MODEL_FOLDER_PATH_MAX + 64], const struct model_folder *folder,
                    const char *name)
{
    snprintf(path, MODEL_FOLDER_PATH_MAX + 64, "%s/%s", folder->path, name);
}

struct sotto_arch model_folder_tiny(void)
{
    return (struct sotto_arch){.width = 16,
                               .mlp_width = 24,
                               .block_count = 2,
                               .head_count = 2,
                               .kv_head_count = 2,
                               .head_width = 8,
                               .image_side = 8,
                               .patch_side = 4,
                               .channels = 1,
                               .norm_epsilon = 1e-6,
                               .has_qkv_bias = true,
                               .has_out_bias = true,
                               .has_mlp_bias = true};
}

float *model_folder_weights(const struct sotto_arch *arch, uint64_t seed)
{
    float *weights = calloc(sotto_vit_weight_count(arch), sizeof *weights);
    struct sotto_entropy entropy;

    if (weights == NULL)
        abort();
    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t index = 0; index < sotto_vit_tensor_count(arch); index++) {
        struct sotto_vit_tensor tensor = sotto_vit_tensor(arch, index);
        double scale =
            tensor.has_decay ? 1.0 / sqrt((double)(tensor.count / tensor.shape[0])) : 0.2;
        bool is_gain = tensor.rank == 1 && index % 2 == 0;

        for (size_t i = 0; i < tensor.count; i++)
            weights[tensor.first + i] =
                (float)(scale * sotto_entropy_normal(&entropy) + (is_gain ? 1.0 : 0.0));
    }
    return weights;
}

void model_folder_write(const struct model_folder *folder, const char *name, const char *text)
{
    char path[MODEL_FOLDER_PATH_MAX + 64];
    FILE *file;

    path_of(path, folder, name);
    file = fopen(path, "w");
    if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0)
        abort();
}

static void write_config(const struct model_folder *folder, const struct sotto_arch *arch)
{
    char text[1024];

    snprintf(text, sizeof text,
             "{\"model_type\": \"vit\", \"hidden_size\": %u, \"intermediate_size\": %u,"
             " \"num_hidden_layers\": %u, \"num_attention_heads\": %u, \"image_size\": %u,"
             " \"patch_size\": %u, \"num_channels\": %u, \"layer_norm_eps\": %g,"
             " \"qkv_bias\": %s, \"hidden_act\": \"gelu\"}",
             arch->width, arch->mlp_width, arch->block_count, arch->head_count, arch->image_side,
             arch->patch_side, arch->channels, arch->norm_epsilon,
             arch->has_qkv_bias ? "true" : "false");
    model_folder_write(folder, "config.json", text);
}

static void write_weights(const struct model_folder *folder, const struct sotto_arch *arch,
                          const float *weights)
{
    size_t count = sotto_vit_tensor_count(arch);
    struct sotto_vit_tensor *tensors = calloc(count, sizeof *tensors);
    struct sotto_tensor_to_store *stored = calloc(count, sizeof *stored);
    char path[MODEL_FOLDER_PATH_MAX + 64];
    size_t stored_count = 0;

    if (tensors == NULL || stored == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct sotto_tensor_to_store *next = &stored[stored_count];

        tensors[i] = sotto_vit_tensor(arch, i);
        *next = (struct sotto_tensor_to_store){.name = tensors[i].name,
                                               .values = weights + tensors[i].first,
                                               .rank = tensors[i].rank,
                                               .dtype = SOTTO_DTYPE_F32};
        for (size_t axis = 0; axis < tensors[i].rank; axis++)
            next->shape[axis] = tensors[i].shape[axis];
        stored_count += tensors[i].is_stored;
    }
    path_of(path, folder, "model.safetensors");
    if (sotto_safetensors_write(path, stored, stored_count, NULL, NULL) != SOTTO_OK)
        abort();
    free(tensors);
    free(stored);
}

void model_folder_open(struct model_folder *folder, const struct sotto_arch *arch,
                       const float *weights)
{
    snprintf(folder->path, sizeof folder->path, P_tmpdir "/sotto-model-XXXXXX");
    if (mkdtemp(folder->path) == NULL)
        abort();
    write_config(folder, arch);
    write_weights(folder, arch, weights);
    model_folder_write(folder, "preprocessor_config.json",
                       "{\"do_rescale\": true, \"rescale_factor\": 0.00392156862745098,"
                       " \"do_normalize\": true, \"image_mean\": [0.5], \"image_std\": [0.5]}");
}

void model_folder_close(struct model_folder *folder)
{
    char path[MODEL_FOLDER_PATH_MAX + 64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_of(path, folder, names[i]);
        unlink(path);
    }
    rmdir(folder->path);
}
