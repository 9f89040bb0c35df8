#include "models/pretrain/folder.h"

#include <jansson.h>
#include <limits.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "models/arch/tensors.h"
#include "models/weights/safetensors.h"
#include "models/weights/staging.h"

static enum sotto_status path_in(char out[PATH_MAX], const char *folder, const char *name,
                                 struct sotto_fault *fault)
{
    if (sotto_path_join(out, PATH_MAX, folder, name) == SOTTO_OK)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%.300s: the path is too long", folder);
}

static enum sotto_status write_text(const char *folder, const char *name, const char *text,
                                    struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = path_in(path, folder, name, fault);

    if (status != SOTTO_OK)
        return status;
    if (text == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to write %s", path);
    return sotto_file_replace(path, sotto_view_text(text), 0644, fault);
}

/* Takes the JSON value. */
static enum sotto_status write_json_take(const char *folder, const char *name, json_t *json,
                                         struct sotto_fault *fault)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    enum sotto_status status = write_text(folder, name, text, fault);

    free(text);
    json_decref(json);
    return status;
}

static json_t *config_of(const struct sotto_pretrained *pretrained)
{
    const struct sotto_arch *arch = &pretrained->arch;
    const char *dtype = pretrained->dtype == SOTTO_DTYPE_BF16  ? "bfloat16"
                        : pretrained->dtype == SOTTO_DTYPE_F16 ? "float16"
                                                               : "float32";

    return json_pack(
        "{s:[s], s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:f, s:b, s:f, s:f, s:f, "
        "s:s}",
        "architectures", "ViTForImageClassification", "model_type", "vit", "hidden_size",
        (int)arch->width, "intermediate_size", (int)arch->mlp_width, "num_hidden_layers",
        (int)arch->block_count, "num_attention_heads", (int)arch->head_count, "hidden_act", "gelu",
        "image_size", (int)arch->image_side, "patch_size", (int)arch->patch_side, "num_channels",
        (int)arch->channels, "layer_norm_eps", arch->norm_epsilon, "qkv_bias",
        (int)arch->has_qkv_bias, "hidden_dropout_prob", 0.0, "attention_probs_dropout_prob", 0.0,
        "initializer_range", 0.02, "torch_dtype", dtype);
}

static json_t *per_channel(double value, uint32_t channels)
{
    json_t *list = json_array();

    for (uint32_t channel = 0; channel < channels; channel++)
        json_array_append_new(list, json_real(value));
    return list;
}

/* resample 2 is bilinear. */
static json_t *preprocessor_of(const struct sotto_pretrained *pretrained)
{
    const struct sotto_arch *arch = &pretrained->arch;

    return json_pack("{s:s, s:b, s:{s:i, s:i}, s:i, s:b, s:f, s:b, s:o, s:o}",
                     "image_processor_type", "ViTImageProcessor", "do_resize", 1, "size", "height",
                     (int)arch->image_side, "width", (int)arch->image_side, "resample", 2,
                     "do_rescale", 1, "rescale_factor", 1.0 / 255.0, "do_normalize", 1,
                     "image_mean", per_channel(pretrained->pixel_mean, arch->channels), "image_std",
                     per_channel(pretrained->pixel_deviation, arch->channels));
}

static enum sotto_status write_tensors(const char *folder,
                                       const struct sotto_pretrained *pretrained,
                                       struct sotto_fault *fault)
{
    size_t tensor_count = sotto_base_tensor_count(&pretrained->arch);
    struct sotto_tensor_to_store *stored = calloc(tensor_count, sizeof *stored);
    struct sotto_base_tensor *tensors = calloc(tensor_count, sizeof *tensors);
    size_t stored_count = 0;
    char path[PATH_MAX];
    enum sotto_status status = path_in(path, folder, "model.safetensors", fault);

    if (stored == NULL || tensors == NULL)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to write %.400s", folder);
    for (size_t i = 0; i < tensor_count && status == SOTTO_OK; i++) {
        struct sotto_tensor_to_store *next = &stored[stored_count];

        tensors[i] = sotto_base_tensor(&pretrained->arch, i);
        if (tensors[i].count == 0)
            continue;
        *next = (struct sotto_tensor_to_store){.name = tensors[i].names[SOTTO_NAMING_4],
                                               .values = pretrained->weights + tensors[i].first,
                                               .rank = tensors[i].rank,
                                               .dtype = pretrained->dtype};
        for (size_t axis = 0; axis < tensors[i].rank; axis++)
            next->shape[axis] = tensors[i].shape[axis];
        stored_count++;
    }
    if (status == SOTTO_OK)
        status = sotto_safetensors_write(path, stored, stored_count, "{\"format\": \"pt\"}", fault);
    free(stored);
    free(tensors);
    return status;
}

static enum sotto_status write_files(const char *folder, const struct sotto_pretrained *pretrained,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = write_json_take(folder, "config.json", config_of(pretrained), fault);

    if (status == SOTTO_OK)
        status =
            write_json_take(folder, "preprocessor_config.json", preprocessor_of(pretrained), fault);
    if (status == SOTTO_OK)
        status = write_text(folder, "RECIPE.json", pretrained->recipe_json, fault);
    if (status == SOTTO_OK)
        status = write_tensors(folder, pretrained, fault);
    return status;
}

enum sotto_status sotto_pretrained_write(const char *folder,
                                         const struct sotto_pretrained *pretrained,
                                         struct sotto_fault *fault)
{
    struct sotto_staging staging;
    enum sotto_status status = sotto_staging_open(&staging, folder, fault);

    if (status != SOTTO_OK)
        return status;
    status = write_files(staging.partial, pretrained, fault);
    if (status != SOTTO_OK) {
        sotto_staging_discard(&staging);
        return status;
    }
    return sotto_staging_publish(&staging, NULL, fault);
}
