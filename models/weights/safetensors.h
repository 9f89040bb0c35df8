/*
 * safetensors files, mapped read-only and believed only after validation: header at most 16 MiB and within the file, JSON
 * object, every tensor's dtype known, dtype x shape = bytes, ranges contiguous from 0 to the end without gap or overlap,
 * no name twice.
 */
#ifndef SOTTO_MODELS_WEIGHTS_SAFETENSORS_H
#define SOTTO_MODELS_WEIGHTS_SAFETENSORS_H

#include "core/base/bytes.h"

enum sotto_dtype { SOTTO_DTYPE_F32, SOTTO_DTYPE_F16, SOTTO_DTYPE_BF16 };

enum { SOTTO_TENSOR_RANK_MAX = 4, SOTTO_TENSOR_NAME_MAX = 255 };

struct sotto_stored_tensor {
    char name[SOTTO_TENSOR_NAME_MAX + 1];
    enum sotto_dtype dtype;
    size_t rank;
    uint64_t shape[SOTTO_TENSOR_RANK_MAX];
    struct sotto_view bytes; /* in the map */
};

struct sotto_safetensors {
    struct sotto_view file; /* the whole mapped file: what a digest is taken of */
    struct sotto_stored_tensor *tensors;
    size_t tensor_count;
};

/* SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_UNSUPPORTED (dtype), SOTTO_OVER_LIMIT, SOTTO_IO: nothing stays mapped. */
SOTTO_CHECKED enum sotto_status sotto_safetensors_open(struct sotto_safetensors *file,
                                                       const char *path, struct sotto_fault *fault);
void sotto_safetensors_close(struct sotto_safetensors *file);

/* The same checks over bytes already in memory (borrowed); close releases the table only. For fuzzing and tests. */
SOTTO_CHECKED enum sotto_status sotto_safetensors_decode(struct sotto_safetensors *file,
                                                         struct sotto_view bytes, const char *path,
                                                         struct sotto_fault *fault);

const struct sotto_stored_tensor *sotto_safetensors_find(const struct sotto_safetensors *file,
                                                         const char *name);

/*
 * Converts a tensor to float32. SOTTO_MISMATCH: its shape is not `shape[rank]`, with both in the fault;
 * SOTTO_MALFORMED: it holds NaN or an infinity. out[count] is unspecified after a failure.
 */
SOTTO_CHECKED enum sotto_status sotto_stored_tensor_read(float *out,
                                                         const struct sotto_stored_tensor *tensor,
                                                         const uint64_t *shape, size_t rank,
                                                         struct sotto_fault *fault);

/* One tensor to be written; float32 in memory, stored as `dtype` (round to nearest even). */
struct sotto_tensor_to_store {
    const char *name;
    const float *values;
    size_t rank;
    uint64_t shape[SOTTO_TENSOR_RANK_MAX];
    enum sotto_dtype dtype;
};

/* Writes atomically. `metadata_json` is the value of "__metadata__", such as {"format":"pt"}, or NULL. */
SOTTO_CHECKED enum sotto_status
sotto_safetensors_write(const char *path, const struct sotto_tensor_to_store *tensors,
                        size_t tensor_count, const char *metadata_json, struct sotto_fault *fault);

#endif
