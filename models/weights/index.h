/*
 * model.safetensors.index.json: which file of a sharded checkpoint holds which tensor. Only
 * "weight_map" is read: an object from a tensor's name to the name of a file in the same folder.
 */
#ifndef SOTTO_MODELS_WEIGHTS_INDEX_H
#define SOTTO_MODELS_WEIGHTS_INDEX_H

#include "core/base/bytes.h"
#include "models/weights/safetensors.h"

enum { SOTTO_SHARDS_MAX = 256, SOTTO_SHARD_NAME_MAX = 127 };

struct sotto_index_entry {
    char name[SOTTO_TENSOR_NAME_MAX + 1];
    size_t shard; /* in `shards` */
};

struct sotto_index {
    char (*shards)[SOTTO_SHARD_NAME_MAX + 1]; /* [shard_count] each once, in the order of strcmp */
    size_t shard_count;
    struct sotto_index_entry *entries; /* [entry_count], at least one */
    size_t entry_count;
};

/*
 * A file's name is 1 to SOTTO_SHARD_NAME_MAX bytes, ends in ".safetensors" and holds no '/', so
 * that it lies in the folder of the index.
 *
 * SOTTO_MALFORMED, SOTTO_OVER_LIMIT (more than SOTTO_SHARDS_MAX files or SOTTO_TENSORS_MAX
 * tensors), SOTTO_NO_MEMORY: the index is empty, the fault names the entry.
 */
SOTTO_CHECKED enum sotto_status sotto_index_decode(struct sotto_index *index,
                                                   struct sotto_view json, const char *path,
                                                   struct sotto_fault *fault);

/* Closing twice is harmless. */
void sotto_index_close(struct sotto_index *index);

#endif
