/*
 * safetensors files, mapped read-only and believed only after validation: header at most 16 MiB and
 * within the file, JSON object, every tensor's dtype one of the format's, dtype x shape = bytes,
 * ranges contiguous from 0 to the end without gap or overlap, no name twice.
 * Source: the format description in the README of the safetensors project.
 *
 * A file must not be cut short while it is mapped: reading beyond its new end stops the process.
 * Model directories are replaced by rename, which leaves the mapped file as it is.
 */
#ifndef SOTTO_MODELS_WEIGHTS_SAFETENSORS_H
#define SOTTO_MODELS_WEIGHTS_SAFETENSORS_H

#include "core/base/bytes.h"
#include "models/weights/dtype.h"

enum {
    SOTTO_TENSOR_RANK_MAX = 4,
    SOTTO_TENSOR_NAME_MAX = 255,
    SOTTO_TENSORS_MAX = 65536, /* in one file */
};

struct sotto_stored_tensor {
    char name[SOTTO_TENSOR_NAME_MAX + 1];
    bool is_readable; /* of a dtype below; else integers or the like, which are passed over */
    enum sotto_dtype dtype;
    size_t element_bytes;
    size_t rank;
    uint64_t shape[SOTTO_TENSOR_RANK_MAX];
    struct sotto_view bytes; /* in the map */
};

struct sotto_safetensors {
    struct sotto_view file; /* the whole mapped file: what a digest is taken of */
    struct sotto_stored_tensor *tensors;
    size_t tensor_count;
    bool is_mapped;
};

/*
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_UNSUPPORTED (dtype), SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY,
 * SOTTO_IO: nothing stays mapped, the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_safetensors_open(struct sotto_safetensors *file,
                                                       const char *path, struct sotto_fault *fault);

/* Gives the pages of a mapped file back; whoever reads it again gets them from the disk's cache. */
void sotto_safetensors_rest(const struct sotto_safetensors *file);

/* Closing twice is harmless. */
void sotto_safetensors_close(struct sotto_safetensors *file);

/*
 * The same checks over bytes already in memory (borrowed); close then releases the table only.
 * `path` is for the fault.
 */
SOTTO_CHECKED enum sotto_status sotto_safetensors_decode(struct sotto_safetensors *file,
                                                         struct sotto_view bytes, const char *path,
                                                         struct sotto_fault *fault);

/*
 * A text of "__metadata__", as whoever wrote the file chose it.
 *
 *   out  out  [capacity], with a terminating zero
 *
 * SOTTO_NOT_FOUND: there is no such key. SOTTO_MALFORMED: its value is no text of less than
 * `capacity` bytes. `out` is then untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_safetensors_note(char *out, size_t capacity,
                                                       const struct sotto_safetensors *file,
                                                       const char *key);

/* NULL: no tensor of that name. Linear in their number. */
const struct sotto_stored_tensor *sotto_safetensors_find(const struct sotto_safetensors *file,
                                                         const char *name);

/*
 * Converts a tensor to float32. SOTTO_MISMATCH: its shape is not `shape[rank]`, with both in the
 * fault; SOTTO_UNSUPPORTED: it is not readable; SOTTO_MALFORMED: it holds NaN or an infinity.
 * out[count] is unspecified after a failure.
 */
SOTTO_CHECKED enum sotto_status sotto_stored_tensor_read(float *out,
                                                         const struct sotto_stored_tensor *tensor,
                                                         const uint64_t *shape, size_t rank,
                                                         struct sotto_fault *fault);

/* One tensor to be written; float32 in memory, stored as `dtype` (round to nearest even). */
struct sotto_tensor_to_store {
    const char *name;
    const float *values;
    const uint8_t *bytes; /* where values is NULL: elements that are of `dtype` already */
    size_t rank;
    uint64_t shape[SOTTO_TENSOR_RANK_MAX];
    enum sotto_dtype dtype;
};

/*
 * Writes atomically, mode 0644; the tensors lie in the order given. The same arguments give the
 * same bytes.
 *
 *   metadata_json  in  the value of "__metadata__", such as {"format":"pt"}, or NULL
 *
 * SOTTO_IO, SOTTO_NO_MEMORY: an older file of that name is untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_safetensors_write(const char *path,
                                                        const struct sotto_tensor_to_store *tensors,
                                                        size_t tensor_count,
                                                        const char *metadata_json,
                                                        struct sotto_fault *fault);

#endif
