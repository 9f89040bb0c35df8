#include "models/arch/base.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/arch/family.h"
#include "models/arch/preprocessor.h"
#include "models/arch/tensors.h"

/* A directory being read: its tensors, and which of them were read so far. */
struct loading {
    const struct sotto_checkpoint *checkpoint;
    const char *folder;
    const char *prefix; /* of the family's names */
    size_t tensor_count;
    bool *is_read;                        /* [tensor_count] */
    const struct sotto_base_taker *taker; /* or NULL */
    struct sotto_fault *fault;
};

static enum sotto_status read_preprocessor(struct sotto_base *base, const char *folder,
                                           struct sotto_fault *fault)
{
    char path[PATH_MAX];

    if (sotto_path_join(path, sizeof path, folder, sotto_model_input_name(&base->arch)) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "the path %.200s is too long", folder);
    return sotto_preprocessor_decode(&base->pixel_map, &base->arch,
                                     sotto_view_of(base->files.input, base->files.input_length),
                                     path, fault);
}

/* As a file may call it: the LayerNorms of BERT's first files say gamma and beta. */
static size_t find_name(const struct loading *loading, const char *name)
{
    static const struct {
        const char *ending;
        const char *older;
    } endings[] = {{".LayerNorm.weight", ".LayerNorm.gamma"},
                   {".LayerNorm.bias", ".LayerNorm.beta"}};
    size_t found = sotto_checkpoint_find(loading->checkpoint, name);
    char older[SOTTO_BASE_NAME_MAX + 1];

    for (size_t i = 0; i < 2 && found == loading->tensor_count; i++) {
        size_t kept = strlen(name) - strlen(endings[i].ending);

        if (strlen(name) <= strlen(endings[i].ending) ||
            strcmp(name + kept, endings[i].ending) != 0)
            continue;
        snprintf(older, sizeof older, "%.*s%s", (int)kept, name, endings[i].older);
        found = sotto_checkpoint_find(loading->checkpoint, older);
    }
    return found;
}

/* Under the names of transformers 4 or 5; models without a head have none of the prefix. */
static size_t find(const struct loading *loading, const struct sotto_base_tensor *tensor)
{
    size_t prefix = strlen(loading->prefix);
    size_t found = loading->tensor_count;

    for (size_t naming = 0; naming < SOTTO_NAMING_COUNT && found == loading->tensor_count;
         naming++) {
        const char *name = tensor->names[naming];

        found = find_name(loading, name);
        if (found == loading->tensor_count && strncmp(name, loading->prefix, prefix) == 0)
            found = find_name(loading, name + prefix);
    }
    return found;
}

static enum sotto_status read_tensor(float *weights, struct loading *loading,
                                     const struct sotto_base_tensor *tensor)
{
    size_t found;

    if (tensor->count == 0)
        return SOTTO_OK;
    found = find(loading, tensor);
    if (found == loading->tensor_count)
        return sotto_fault_set(loading->fault, SOTTO_MISMATCH,
                               "%s: the tensor %s is missing, which config.json asks for",
                               loading->folder, tensor->names[SOTTO_NAMING_4]);
    loading->is_read[found] = true;
    return sotto_stored_tensor_read(weights + tensor->first,
                                    sotto_checkpoint_tensor(loading->checkpoint, found),
                                    tensor->shape, tensor->rank, loading->fault);
}

/* A tensor that nobody knows may be one without which the model is another. */
static enum sotto_status check_rest(const struct loading *loading, enum sotto_family family)
{
    for (size_t i = 0; i < loading->tensor_count; i++) {
        const char *name = sotto_checkpoint_tensor(loading->checkpoint, i)->name;

        if (!loading->is_read[i] && !sotto_family_leaves_out(family, name))
            return sotto_fault_set(loading->fault, SOTTO_MISMATCH,
                                   "%s: the tensor %s is none that config.json asks for",
                                   loading->folder, name);
    }
    return SOTTO_OK;
}

static enum sotto_status take_block(struct sotto_base *base, const struct loading *loading,
                                    size_t index)
{
    uint32_t block;

    if (loading->taker == NULL || !sotto_base_ends_block(&base->arch, index, &block))
        return SOTTO_OK;
    return loading->taker->take(loading->taker->context, base, block, loading->fault);
}

static enum sotto_status read_weights(struct sotto_base *base, struct loading *loading)
{
    size_t count = sotto_base_weight_count(&base->arch);
    enum sotto_status status = SOTTO_OK;

    /* A weight takes at least two bytes: a small file cannot make us reserve a large memory. */
    if (sotto_checkpoint_bytes(loading->checkpoint) / 2 < count)
        return sotto_fault_set(loading->fault, SOTTO_MISMATCH,
                               "%s: the files are too small for the %zu weights that config.json "
                               "asks for",
                               loading->folder, count);
    if (sotto_arena_open(&base->memory, count * sizeof *base->weights) != SOTTO_OK)
        return sotto_fault_set(loading->fault, SOTTO_NO_MEMORY, "%s: no memory for %zu weights",
                               loading->folder, count);
    base->weights = sotto_arena_take(&base->memory, count, sizeof *base->weights);
    for (size_t i = 0; i < sotto_base_tensor_count(&base->arch) && status == SOTTO_OK; i++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(&base->arch, i);

        status = read_tensor(base->weights, loading, &tensor);
        sotto_checkpoint_rest(loading->checkpoint);
        if (status == SOTTO_OK)
            status = take_block(base, loading, i);
    }
    if (status == SOTTO_OK)
        status = check_rest(loading, base->arch.family);
    return status;
}

static enum sotto_status load(struct sotto_base *base, const char *folder,
                              const struct sotto_base_taker *taker, struct sotto_fault *fault)
{
    const struct sotto_checkpoint *checkpoint = &base->files.checkpoint;
    struct loading loading = {.checkpoint = checkpoint,
                              .folder = folder,
                              .prefix = sotto_family_names(base->arch.family)->prefix,
                              .tensor_count = sotto_checkpoint_tensor_count(checkpoint),
                              .taker = taker,
                              .fault = fault};
    enum sotto_status status;

    loading.is_read = calloc(loading.tensor_count + 1, sizeof *loading.is_read);
    if (loading.is_read == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory to read it", folder);
    status = read_weights(base, &loading);
    free(loading.is_read);
    return status;
}

enum sotto_status sotto_base_open_by_blocks(struct sotto_base *base, const char *folder,
                                            const struct sotto_base_taker *taker,
                                            struct sotto_fault *fault)
{
    enum sotto_status status;

    *base = (struct sotto_base){0};
    status = sotto_model_files_open(&base->files, folder, fault);
    if (status != SOTTO_OK)
        return status;
    base->arch = base->files.arch;
    if (base->arch.task == SOTTO_TASK_PICTURE_CLASS)
        status = read_preprocessor(base, folder, fault);
    if (status == SOTTO_OK)
        status = load(base, folder, taker, fault);
    if (status != SOTTO_OK)
        sotto_base_close(base);
    return status;
}

enum sotto_status sotto_base_open(struct sotto_base *base, const char *folder,
                                  struct sotto_fault *fault)
{
    return sotto_base_open_by_blocks(base, folder, NULL, fault);
}

void sotto_base_close(struct sotto_base *base)
{
    sotto_arena_close(&base->memory);
    sotto_model_files_close(&base->files);
    *base = (struct sotto_base){0};
}
