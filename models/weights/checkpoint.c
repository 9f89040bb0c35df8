#include "models/weights/checkpoint.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"

enum { INDEX_BYTES_MAX = 16 * 1024 * 1024 };

static enum sotto_status join(char path[PATH_MAX], const char *folder, const char *name,
                              struct sotto_fault *fault)
{
    enum sotto_status status = sotto_path_join(path, PATH_MAX, folder, name);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the path %.200s is too long", folder);
    return SOTTO_OK;
}

static enum sotto_status reserve(struct sotto_checkpoint *checkpoint, size_t count,
                                 const char *folder, struct sotto_fault *fault)
{
    checkpoint->shards = calloc(count, sizeof *checkpoint->shards);
    if (checkpoint->shards == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory to open %zu files", folder,
                               count);
    return SOTTO_OK;
}

static enum sotto_status open_one(struct sotto_checkpoint *checkpoint, const char *folder,
                                  const char *name, struct sotto_fault *fault)
{
    char path[PATH_MAX];
    enum sotto_status status = join(path, folder, name, fault);

    if (status == SOTTO_OK)
        status = sotto_safetensors_open(&checkpoint->shards[checkpoint->shard_count], path, fault);
    if (status == SOTTO_OK)
        checkpoint->shard_count++;
    return status;
}

/* Names are unique in the index and in each file: as many there as here, all found, is all. */
static enum sotto_status check_entries(const struct sotto_checkpoint *checkpoint,
                                       const struct sotto_index *index, const char *path,
                                       struct sotto_fault *fault)
{
    for (size_t i = 0; i < index->entry_count; i++) {
        const struct sotto_index_entry *entry = &index->entries[i];

        if (sotto_safetensors_find(&checkpoint->shards[entry->shard], entry->name) == NULL)
            return sotto_fault_set(fault, SOTTO_MISMATCH,
                                   "%s: tensor %.100s is not in %s: get the files anew", path,
                                   entry->name, index->shards[entry->shard]);
    }
    if (sotto_checkpoint_tensor_count(checkpoint) != index->entry_count)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "%s: names %zu tensors, its files hold %zu: get the files anew",
                               path, index->entry_count, sotto_checkpoint_tensor_count(checkpoint));
    return SOTTO_OK;
}

static enum sotto_status open_shards(struct sotto_checkpoint *checkpoint, const char *folder,
                                     const char *index_path, struct sotto_fault *fault)
{
    struct sotto_index index = {0};
    enum sotto_status status = sotto_file_read(&checkpoint->index_bytes, &checkpoint->index_length,
                                               index_path, INDEX_BYTES_MAX, fault);

    if (status == SOTTO_OK)
        status = sotto_index_decode(
            &index, sotto_view_of(checkpoint->index_bytes, checkpoint->index_length), index_path,
            fault);
    if (status == SOTTO_OK)
        status = reserve(checkpoint, index.shard_count, folder, fault);
    for (size_t i = 0; i < index.shard_count && status == SOTTO_OK; i++)
        status = open_one(checkpoint, folder, index.shards[i], fault);
    if (status == SOTTO_OK)
        status = check_entries(checkpoint, &index, index_path, fault);
    sotto_index_close(&index);
    return status;
}

/* Weights in forms that are not read, and which of them a folder holds; NULL: none. */
static const char *find_foreign(const char *folder)
{
    static const char *const foreign[] = {"pytorch_model.bin", "pytorch_model.bin.index.json",
                                          "tf_model.h5", "flax_model.msgpack"};
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        if (sotto_path_join(path, sizeof path, folder, foreign[i]) == SOTTO_OK &&
            access(path, F_OK) == 0)
            return foreign[i];
    }
    return NULL;
}

static enum sotto_status open_single(struct sotto_checkpoint *checkpoint, const char *folder,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = reserve(checkpoint, 1, folder, fault);
    const char *foreign;

    if (status == SOTTO_OK)
        status = open_one(checkpoint, folder, "model.safetensors", fault);
    foreign = status == SOTTO_NOT_FOUND ? find_foreign(folder) : NULL;
    if (foreign == NULL)
        return status;
    return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                           "%s: its weights are in %s, which is not read, and model.safetensors is "
                           "missing: load the model with transformers and write it anew with "
                           "save_pretrained(FOLDER, safe_serialization=True)",
                           folder, foreign);
}

enum sotto_status sotto_checkpoint_open(struct sotto_checkpoint *checkpoint, const char *folder,
                                        struct sotto_fault *fault)
{
    char single[PATH_MAX], index[PATH_MAX];
    enum sotto_status status = join(single, folder, "model.safetensors", fault);

    *checkpoint = (struct sotto_checkpoint){0};
    if (status == SOTTO_OK)
        status = join(index, folder, "model.safetensors.index.json", fault);
    if (status != SOTTO_OK)
        return status;
    if (access(single, F_OK) != 0 && access(index, F_OK) == 0) {
        status = open_shards(checkpoint, folder, index, fault);
    } else {
        status = open_single(checkpoint, folder, fault);
    }
    if (status != SOTTO_OK)
        sotto_checkpoint_close(checkpoint);
    return status;
}

void sotto_checkpoint_rest(const struct sotto_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        sotto_safetensors_rest(&checkpoint->shards[i]);
}

void sotto_checkpoint_close(struct sotto_checkpoint *checkpoint)
{
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        sotto_safetensors_close(&checkpoint->shards[i]);
    free(checkpoint->shards);
    free(checkpoint->index_bytes);
    *checkpoint = (struct sotto_checkpoint){0};
}

size_t sotto_checkpoint_tensor_count(const struct sotto_checkpoint *checkpoint)
{
    size_t count = 0;

    for (size_t i = 0; i < checkpoint->shard_count; i++)
        count += checkpoint->shards[i].tensor_count;
    return count;
}

const struct sotto_stored_tensor *sotto_checkpoint_tensor(const struct sotto_checkpoint *checkpoint,
                                                          size_t index)
{
    size_t shard = 0;

    assert(index < sotto_checkpoint_tensor_count(checkpoint));
    for (; index >= checkpoint->shards[shard].tensor_count; shard++)
        index -= checkpoint->shards[shard].tensor_count;
    return &checkpoint->shards[shard].tensors[index];
}

size_t sotto_checkpoint_find(const struct sotto_checkpoint *checkpoint, const char *name)
{
    size_t before = 0;

    for (size_t i = 0; i < checkpoint->shard_count; i++) {
        const struct sotto_safetensors *shard = &checkpoint->shards[i];
        const struct sotto_stored_tensor *found = sotto_safetensors_find(shard, name);

        if (found != NULL)
            return before + (size_t)(found - shard->tensors);
        before += shard->tensor_count;
    }
    return before;
}

size_t sotto_checkpoint_bytes(const struct sotto_checkpoint *checkpoint)
{
    size_t bytes = 0;

    for (size_t i = 0; i < checkpoint->shard_count; i++)
        bytes += checkpoint->shards[i].file.length;
    return bytes;
}

size_t sotto_checkpoint_parts(const struct sotto_checkpoint *checkpoint,
                              struct sotto_view parts[SOTTO_CHECKPOINT_PARTS_MAX])
{
    size_t count = 0;

    if (checkpoint->index_bytes != NULL)
        parts[count++] = sotto_view_of(checkpoint->index_bytes, checkpoint->index_length);
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        parts[count++] = checkpoint->shards[i].file;
    return count;
}
