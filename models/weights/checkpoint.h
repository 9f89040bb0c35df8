/*
 * The weights of a model directory as they lie on disk: model.safetensors, or the shards that
 * model.safetensors.index.json names. Mapped read-only; a tensor is found whichever file it is in.
 */
#ifndef SOTTO_MODELS_WEIGHTS_CHECKPOINT_H
#define SOTTO_MODELS_WEIGHTS_CHECKPOINT_H

#include "models/weights/index.h"
#include "models/weights/safetensors.h"

struct sotto_checkpoint {
    struct sotto_safetensors *shards; /* [shard_count] in the order of their names */
    size_t shard_count;
    uint8_t *index_bytes; /* NULL: model.safetensors alone */
    size_t index_length;
};

/*
 * Where both are there, model.safetensors is taken, as transformers does. Every tensor of the index
 * lies in the file it names and every tensor of the files is in the index.
 *
 * The statuses of sotto_safetensors_open and sotto_index_decode; SOTTO_UNSUPPORTED: the weights are
 * there in another form alone, such as pytorch_model.bin; SOTTO_MISMATCH: index and files do
 * not agree, the fault names tensor and file. Nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_checkpoint_open(struct sotto_checkpoint *checkpoint,
                                                      const char *folder,
                                                      struct sotto_fault *fault);
/* sotto_safetensors_rest of each file. */
void sotto_checkpoint_rest(const struct sotto_checkpoint *checkpoint);
void sotto_checkpoint_close(struct sotto_checkpoint *checkpoint); /* twice is harmless */

/* All tensors of all files in one order. index < sotto_checkpoint_tensor_count */
size_t sotto_checkpoint_tensor_count(const struct sotto_checkpoint *checkpoint);
const struct sotto_stored_tensor *sotto_checkpoint_tensor(const struct sotto_checkpoint *checkpoint,
                                                          size_t index);

/* The number of the tensor of a name, or sotto_checkpoint_tensor_count where there is none. */
size_t sotto_checkpoint_find(const struct sotto_checkpoint *checkpoint, const char *name);

/* Bytes of all files. */
size_t sotto_checkpoint_bytes(const struct sotto_checkpoint *checkpoint);

/*
 * The very bytes, for a digest: the index if there is one, then the files; borrowed. Returns how
 * many, at most SOTTO_CHECKPOINT_PARTS_MAX.
 */
enum { SOTTO_CHECKPOINT_PARTS_MAX = SOTTO_SHARDS_MAX + 1 };
size_t sotto_checkpoint_parts(const struct sotto_checkpoint *checkpoint,
                              struct sotto_view parts[SOTTO_CHECKPOINT_PARTS_MAX]);

#endif
