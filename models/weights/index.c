#include "models/weights/index.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_shard_name(const char *name)
{
    static const char ending[] = ".safetensors";
    size_t length = name == NULL ? 0 : strlen(name);

    if (length < sizeof ending || length > SOTTO_SHARD_NAME_MAX || strchr(name, '/') != NULL)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    }
    return strcmp(name + length - (sizeof ending - 1), ending) == 0;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(left, right);
}

static size_t shard_of(const struct sotto_index *index, const char *name)
{
    size_t shard = 0;

    while (shard < index->shard_count && strcmp(index->shards[shard], name) != 0)
        shard++;
    return shard;
}

static enum sotto_status add_shard(struct sotto_index *index, const char *tensor, const char *name,
                                   const char *path, struct sotto_fault *fault)
{
    if (!is_shard_name(name))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: the file of tensor %.100s is not the name of a .safetensors "
                               "file in the same folder",
                               path, tensor);
    if (shard_of(index, name) < index->shard_count)
        return SOTTO_OK;
    if (index->shard_count == SOTTO_SHARDS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: more than %d files", path,
                               SOTTO_SHARDS_MAX);
    snprintf(index->shards[index->shard_count++], sizeof index->shards[0], "%s", name);
    return SOTTO_OK;
}

static enum sotto_status add_entry(struct sotto_index *index, const char *tensor, const char *path,
                                   struct sotto_fault *fault)
{
    size_t length = strlen(tensor);

    if (length == 0 || length > SOTTO_TENSOR_NAME_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: a tensor's name is empty or longer than %d bytes", path,
                               SOTTO_TENSOR_NAME_MAX);
    snprintf(index->entries[index->entry_count++].name, sizeof index->entries[0].name, "%s",
             tensor);
    return SOTTO_OK;
}

/* The files first, so that an entry's number is that of the sorted names. */
static enum sotto_status read_map(struct sotto_index *index, json_t *map, const char *path,
                                  struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;
    const char *tensor;
    json_t *value;

    json_object_foreach(map, tensor, value)
    {
        if (status == SOTTO_OK)
            status = add_shard(index, tensor, json_string_value(value), path, fault);
        if (status == SOTTO_OK)
            status = add_entry(index, tensor, path, fault);
    }
    if (status != SOTTO_OK)
        return status;
    qsort(index->shards, index->shard_count, sizeof index->shards[0], compare_names);
    for (size_t i = 0; i < index->entry_count; i++) {
        value = json_object_get(map, index->entries[i].name);
        index->entries[i].shard = shard_of(index, json_string_value(value));
    }
    return SOTTO_OK;
}

static enum sotto_status decode_object(struct sotto_index *index, json_t *object, const char *path,
                                       struct sotto_fault *fault)
{
    json_t *map = json_object_get(object, "weight_map");

    if (!json_is_object(map) || json_object_size(map) == 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: weight_map must be an object with a file for each tensor",
                               path);
    if (json_object_size(map) > SOTTO_TENSORS_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: more than %d tensors", path,
                               SOTTO_TENSORS_MAX);
    index->shards = calloc(SOTTO_SHARDS_MAX, sizeof index->shards[0]);
    index->entries = calloc(json_object_size(map), sizeof index->entries[0]);
    if (index->shards == NULL || index->entries == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory for its entries", path);
    return read_map(index, map, path, fault);
}

enum sotto_status sotto_index_decode(struct sotto_index *index, struct sotto_view json,
                                     const char *path, struct sotto_fault *fault)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, &error);
    enum sotto_status status;

    *index = (struct sotto_index){0};
    if (object == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: line %d: %s", path, error.line,
                               error.text);
    status = decode_object(index, object, path, fault);
    json_decref(object);
    if (status != SOTTO_OK)
        sotto_index_close(index);
    return status;
}

void sotto_index_close(struct sotto_index *index)
{
    free(index->shards);
    free(index->entries);
    *index = (struct sotto_index){0};
}
