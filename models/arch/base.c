#include "models/arch/base.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/arch/family.h"
#include "models/arch/preprocessor.h"
#include "models/arch/vit.h"

enum { JSON_BYTES_MAX = 1024 * 1024 };

static enum sotto_status join(char path[PATH_MAX], const char *folder, const char *name,
                              struct sotto_fault *fault)
{
    enum sotto_status status = sotto_path_join(path, PATH_MAX, folder, name);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the path %.200s is too long", folder);
    return SOTTO_OK;
}

static enum sotto_status read_config(struct sotto_base *base, const char *folder,
                                     struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = join(path, folder, "config.json", fault);

    if (status == SOTTO_OK)
        status = sotto_file_read(&base->config, &base->config_length, path, JSON_BYTES_MAX, fault);
    if (status == SOTTO_OK)
        status = sotto_arch_decode(&base->arch, sotto_view_of(base->config, base->config_length),
                                   path, fault);
    if (status == SOTTO_OK && base->arch.family != SOTTO_FAMILY_VIT)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED, "%s: no weights of %s are read yet", path,
                               sotto_family_names(base->arch.family)->family);
    return status;
}

static enum sotto_status read_preprocessor(struct sotto_base *base, const char *folder,
                                           struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = join(path, folder, "preprocessor_config.json", fault);

    if (status == SOTTO_OK)
        status = sotto_file_read(&base->preprocessor, &base->preprocessor_length, path,
                                 JSON_BYTES_MAX, fault);
    if (status == SOTTO_OK)
        status = sotto_preprocessor_decode(
            &base->pixel_map, &base->arch,
            sotto_view_of(base->preprocessor, base->preprocessor_length), path, fault);
    return status;
}

/* Under the names of transformers 4 or 5; ViTModel writes them without the prefix "vit.". */
static const struct sotto_stored_tensor *find(const struct sotto_safetensors *file,
                                              const struct sotto_vit_tensor *tensor)
{
    const size_t prefix = strlen("vit.");
    const char *const names[] = {tensor->name, tensor->name + prefix, tensor->name_of_5,
                                 tensor->name_of_5 + prefix};
    const struct sotto_stored_tensor *found = NULL;

    for (size_t i = 0; i < sizeof names / sizeof names[0] && found == NULL; i++)
        found = sotto_safetensors_find(file, names[i]);
    return found;
}

static enum sotto_status read_tensor(struct sotto_base *base, const struct sotto_vit_tensor *tensor,
                                     const char *path, struct sotto_fault *fault)
{
    const struct sotto_stored_tensor *stored = find(&base->file, tensor);

    if (!tensor->is_stored)
        return SOTTO_OK;
    if (stored == NULL)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "%s: the tensor %s is missing, which config.json asks for", path,
                               tensor->name);
    return sotto_stored_tensor_read(base->weights + tensor->first, stored, tensor->shape,
                                    tensor->rank, fault);
}

static enum sotto_status read_weights(struct sotto_base *base, const char *folder,
                                      struct sotto_fault *fault)
{
    char path[PATH_MAX];
    size_t count = sotto_vit_weight_count(&base->arch);
    enum sotto_status status = join(path, folder, "model.safetensors", fault);

    if (status == SOTTO_OK)
        status = sotto_safetensors_open(&base->file, path, fault);
    if (status != SOTTO_OK)
        return status;
    /* A weight takes at least two bytes: a small file cannot make us reserve a large memory. */
    if (base->file.file.length / 2 < count)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "%s: too small for the %zu weights that config.json asks for", path,
                               count);
    if (sotto_arena_open(&base->memory, count * sizeof *base->weights) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory for %zu weights", path,
                               count);
    base->weights = sotto_arena_take(&base->memory, count, sizeof *base->weights);
    for (size_t i = 0; i < sotto_vit_tensor_count(&base->arch) && status == SOTTO_OK; i++) {
        struct sotto_vit_tensor tensor = sotto_vit_tensor(&base->arch, i);

        status = read_tensor(base, &tensor, path, fault);
    }
    return status;
}

enum sotto_status sotto_base_open(struct sotto_base *base, const char *folder,
                                  struct sotto_fault *fault)
{
    enum sotto_status status;

    *base = (struct sotto_base){0};
    status = read_config(base, folder, fault);
    if (status == SOTTO_OK)
        status = read_preprocessor(base, folder, fault);
    if (status == SOTTO_OK)
        status = read_weights(base, folder, fault);
    if (status != SOTTO_OK)
        sotto_base_close(base);
    return status;
}

void sotto_base_close(struct sotto_base *base)
{
    sotto_arena_close(&base->memory);
    sotto_safetensors_close(&base->file);
    free(base->config);
    free(base->preprocessor);
    *base = (struct sotto_base){0};
}
