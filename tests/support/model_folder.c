#include "tests/support/model_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "models/arch/tensors.h"
#include "models/weights/safetensors.h"

static const char *const names[] = {"config.json", "model.safetensors", "preprocessor_config.json",
                                    "tokenizer.json"};

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

struct sotto_arch model_folder_tiny_of(enum sotto_family family)
{
    struct sotto_arch arch = model_folder_tiny();

    arch.family = family;
    if (family == SOTTO_FAMILY_VIT || family == SOTTO_FAMILY_DEIT)
        return arch;
    arch.task = SOTTO_TASK_TEXT_CLASS;
    arch.image_side = arch.patch_side = arch.channels = 0;
    arch.vocabulary = 13;
    arch.position_count = 24;
    if (family == SOTTO_FAMILY_BERT) {
        arch.type_count = 2;
        return arch;
    }
    arch.task = SOTTO_TASK_CAUSAL_LM;
    arch.norm_epsilon = 1e-2;
    arch.kv_head_count = 1;
    arch.head_width = 6;
    arch.activation = SOTTO_ARCH_SILU_GATE;
    arch.rope = (struct sotto_rope){.theta = 100.0};
    arch.has_qkv_bias = arch.has_out_bias = arch.has_mlp_bias = false;
    return arch;
}

float *model_folder_weights(const struct sotto_arch *arch, uint64_t seed)
{
    float *weights = calloc(sotto_base_weight_count(arch), sizeof *weights);
    struct sotto_entropy entropy;

    if (weights == NULL)
        abort();
    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t index = 0; index < sotto_base_tensor_count(arch); index++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(arch, index);
        double scale =
            tensor.has_decay ? 1.0 / sqrt((double)(tensor.count / tensor.shape[0])) : 0.2;
        const char *name = tensor.names[SOTTO_NAMING_4];
        bool is_gain = strcasestr(name, "norm") != NULL && strstr(name, ".weight") != NULL;

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

static void write_picture_config(const struct model_folder *folder, const struct sotto_arch *arch)
{
    char text[1024];

    snprintf(text, sizeof text,
             "{\"model_type\": \"%s\", \"hidden_size\": %u, \"intermediate_size\": %u,"
             " \"num_hidden_layers\": %u, \"num_attention_heads\": %u, \"image_size\": %u,"
             " \"patch_size\": %u, \"num_channels\": %u, \"layer_norm_eps\": %g,"
             " \"qkv_bias\": %s, \"hidden_act\": \"gelu\"}",
             sotto_family_names(arch->family)->family, arch->width, arch->mlp_width,
             arch->block_count, arch->head_count, arch->image_side, arch->patch_side,
             arch->channels, arch->norm_epsilon, arch->has_qkv_bias ? "true" : "false");
    model_folder_write(folder, "config.json", text);
}

static void write_text_config(const struct model_folder *folder, const struct sotto_arch *arch)
{
    char text[1024];
    bool is_bert = arch->family == SOTTO_FAMILY_BERT;
    int length =
        snprintf(text, sizeof text,
                 "{\"model_type\": \"%s\", \"hidden_size\": %u,"
                 " \"intermediate_size\": %u, \"num_hidden_layers\": %u,"
                 " \"num_attention_heads\": %u, \"vocab_size\": %u,"
                 " \"max_position_embeddings\": %u, \"%s\": %g",
                 sotto_family_names(arch->family)->family, arch->width, arch->mlp_width,
                 arch->block_count, arch->head_count, arch->vocabulary, arch->position_count,
                 is_bert ? "layer_norm_eps" : "rms_norm_eps", arch->norm_epsilon);

    if (is_bert)
        snprintf(text + length, sizeof text - (size_t)length, ", \"type_vocab_size\": %u}",
                 arch->type_count);
    else
        snprintf(text + length, sizeof text - (size_t)length,
                 ", \"num_key_value_heads\": %u, \"head_dim\": %u, \"rope_theta\": %g,"
                 " \"attention_bias\": %s, \"mlp_bias\": %s, \"tie_word_embeddings\": %s}",
                 arch->kv_head_count, arch->head_width, arch->rope.theta,
                 arch->has_qkv_bias ? "true" : "false", arch->has_mlp_bias ? "true" : "false",
                 arch->has_tied_embeddings ? "true" : "false");
    model_folder_write(folder, "config.json", text);
}

void model_folder_write_config(const struct model_folder *folder, const struct sotto_arch *arch)
{
    if (arch->task == SOTTO_TASK_PICTURE_CLASS)
        write_picture_config(folder, arch);
    else
        write_text_config(folder, arch);
}

void model_folder_remove(const struct model_folder *folder, const char *name)
{
    char path[MODEL_FOLDER_PATH_MAX + 64];

    path_of(path, folder, name);
    if (unlink(path) != 0)
        abort();
}

static void write_input(const struct model_folder *folder, const struct sotto_arch *arch)
{
    if (arch->task != SOTTO_TASK_PICTURE_CLASS)
        model_folder_write(folder, "tokenizer.json",
                           "{\"model\": {\"type\": \"WordPiece\", \"vocab\": {\"[UNK]\": 0}}}");
    else
        model_folder_write(folder, "preprocessor_config.json",
                           "{\"do_rescale\": true, \"rescale_factor\": 0.00392156862745098,"
                           " \"do_normalize\": true, \"image_mean\": [0.5], \"image_std\": [0.5]}");
}

static void write_weights(const struct model_folder *folder, const struct sotto_arch *arch,
                          const float *weights)
{
    size_t count = sotto_base_tensor_count(arch);
    struct sotto_base_tensor *tensors = calloc(count, sizeof *tensors);
    struct sotto_tensor_to_store *stored = calloc(count, sizeof *stored);
    char path[MODEL_FOLDER_PATH_MAX + 64];
    size_t stored_count = 0;

    if (tensors == NULL || stored == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        struct sotto_tensor_to_store *next = &stored[stored_count];

        tensors[i] = sotto_base_tensor(arch, i);
        *next = (struct sotto_tensor_to_store){.name = tensors[i].names[SOTTO_NAMING_4],
                                               .values = weights + tensors[i].first,
                                               .rank = tensors[i].rank,
                                               .dtype = SOTTO_DTYPE_F32};
        for (size_t axis = 0; axis < tensors[i].rank; axis++)
            next->shape[axis] = tensors[i].shape[axis];
        stored_count += tensors[i].count > 0;
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
    model_folder_write_config(folder, arch);
    write_weights(folder, arch, weights);
    write_input(folder, arch);
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
