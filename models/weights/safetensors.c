#include "models/weights/safetensors.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"

enum {
    LENGTH_BYTES = 8, /* the header's length, before the header */
    HEADER_BYTES_MAX = 16 * 1024 * 1024,
    HEADER_ALIGNMENT = 8,
    SHAPE_TEXT_MAX = 96,
};

/* A decoding under way: where faults go and what they name. */
struct reading {
    const char *path;
    struct sotto_view payload; /* the tensors' bytes, after the header */
    struct sotto_fault *fault;
};

static bool name_is_clean(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > SOTTO_TENSOR_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    }
    return true;
}

static bool json_u64(uint64_t *out, const json_t *json)
{
    if (!json_is_integer(json) || json_integer_value(json) < 0)
        return false;
    *out = (uint64_t)json_integer_value(json);
    return true;
}

static enum sotto_status read_dtype(struct sotto_stored_tensor *tensor, const json_t *json,
                                    const struct reading *reading)
{
    const char *dtype = json_string_value(json);

    if (dtype == NULL)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: tensor %s has no dtype: get the file anew", reading->path,
                               tensor->name);
    tensor->is_readable = sotto_dtype_parse(&tensor->dtype, dtype) == SOTTO_OK;
    tensor->element_bytes =
        tensor->is_readable ? sotto_dtype_bytes(tensor->dtype) : sotto_dtype_unread_bytes(dtype);
    if (tensor->element_bytes == 0)
        return sotto_fault_set(
            reading->fault, SOTTO_UNSUPPORTED,
            "%s: tensor %s is of dtype %.16s: convert the file to F32, F16 or BF16", reading->path,
            tensor->name, name_is_clean(dtype) ? dtype : "?");
    return SOTTO_OK;
}

/* *count becomes the product of the shape. */
static enum sotto_status read_shape(struct sotto_stored_tensor *tensor, uint64_t *count,
                                    const json_t *json, const struct reading *reading)
{
    *count = 1;
    if (!json_is_array(json))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: tensor %s has no shape: get the file anew", reading->path,
                               tensor->name);
    tensor->rank = json_array_size(json);
    if (tensor->rank > SOTTO_TENSOR_RANK_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT,
                               "%s: tensor %s has %zu dimensions, at most %d are known",
                               reading->path, tensor->name, tensor->rank, SOTTO_TENSOR_RANK_MAX);
    for (size_t axis = 0; axis < tensor->rank; axis++) {
        uint64_t *extent = &tensor->shape[axis];

        if (!json_u64(extent, json_array_get(json, axis)) ||
            __builtin_mul_overflow(*count, *extent, count))
            return sotto_fault_set(
                reading->fault, SOTTO_MALFORMED,
                "%s: the shape of tensor %s is no list of sizes: get the file anew", reading->path,
                tensor->name);
    }
    return SOTTO_OK;
}

/* The bytes, from data_offsets; checks that they are as many as dtype and shape say. */
static enum sotto_status read_range(struct sotto_stored_tensor *tensor, uint64_t count,
                                    const json_t *json, const struct reading *reading)
{
    uint64_t begin;
    uint64_t end;
    uint64_t expected;

    if (json_array_size(json) != 2 || !json_u64(&begin, json_array_get(json, 0)) ||
        !json_u64(&end, json_array_get(json, 1)) || begin > end || end > reading->payload.length)
        return sotto_fault_set(
            reading->fault, SOTTO_MALFORMED,
            "%s: tensor %s lies outside the file, which may be cut short: get the "
            "file anew",
            reading->path, tensor->name);
    if (__builtin_mul_overflow(count, tensor->element_bytes, &expected) || end - begin != expected)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: tensor %s has %" PRIu64
                               " bytes, other than its shape and dtype say: get the file anew",
                               reading->path, tensor->name, end - begin);
    tensor->bytes = sotto_view_of(reading->payload.at + begin, end - begin);
    return SOTTO_OK;
}

static enum sotto_status read_tensor(struct sotto_stored_tensor *tensor, const char *name,
                                     const json_t *json, const struct reading *reading)
{
    uint64_t count;
    enum sotto_status status;

    if (!name_is_clean(name))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: a tensor's name is empty, longer than %d bytes or has control "
                               "characters: get the file anew",
                               reading->path, SOTTO_TENSOR_NAME_MAX);
    snprintf(tensor->name, sizeof tensor->name, "%s", name);
    if (!json_is_object(json))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: the entry of tensor %s is no object: get the file anew",
                               reading->path, name);
    status = read_dtype(tensor, json_object_get(json, "dtype"), reading);
    if (status == SOTTO_OK)
        status = read_shape(tensor, &count, json_object_get(json, "shape"), reading);
    if (status == SOTTO_OK)
        status = read_range(tensor, count, json_object_get(json, "data_offsets"), reading);
    return status;
}

static int compare_ranges(const void *left_item, const void *right_item)
{
    const struct sotto_stored_tensor *left = left_item;
    const struct sotto_stored_tensor *right = right_item;

    if (left->bytes.at != right->bytes.at)
        return left->bytes.at < right->bytes.at ? -1 : 1;
    return (left->bytes.length > right->bytes.length) - (left->bytes.length < right->bytes.length);
}

/* Sorts the tensors by where they lie and checks that they cover the payload exactly. */
static enum sotto_status check_cover(struct sotto_safetensors *file, const struct reading *reading)
{
    const uint8_t *covered = reading->payload.at;

    if (file->tensor_count > 0)
        qsort(file->tensors, file->tensor_count, sizeof *file->tensors, compare_ranges);
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (file->tensors[i].bytes.at != covered)
            return sotto_fault_set(
                reading->fault, SOTTO_MALFORMED,
                "%s: tensor %s overlaps another one or leaves a gap before it: get "
                "the file anew",
                reading->path, file->tensors[i].name);
        covered += file->tensors[i].bytes.length;
    }
    if (covered != reading->payload.at + reading->payload.length)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: bytes after the last tensor: get the file anew", reading->path);
    return SOTTO_OK;
}

static enum sotto_status read_table(struct sotto_safetensors *file, json_t *header,
                                    const struct reading *reading)
{
    enum sotto_status status = SOTTO_OK;
    const char *name;
    json_t *entry;

    if (json_object_size(header) > SOTTO_TENSORS_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT, "%s: more than %d tensors",
                               reading->path, SOTTO_TENSORS_MAX);
    file->tensors = calloc(json_object_size(header) + 1, sizeof *file->tensors);
    if (file->tensors == NULL)
        return sotto_fault_set(reading->fault, SOTTO_NO_MEMORY, "%s: no memory for its table",
                               reading->path);
    json_object_foreach(header, name, entry)
    {
        if (status != SOTTO_OK || strcmp(name, "__metadata__") == 0)
            continue;
        status = read_tensor(&file->tensors[file->tensor_count++], name, entry, reading);
    }
    return status == SOTTO_OK ? check_cover(file, reading) : status;
}

/* The JSON header as a view, and the payload after it. */
static enum sotto_status split_file(struct sotto_view *header, struct reading *reading,
                                    struct sotto_view bytes)
{
    uint64_t length;

    if (bytes.length < LENGTH_BYTES)
        return sotto_fault_set(
            reading->fault, SOTTO_MALFORMED,
            "%s: %zu bytes are too few for a safetensors file: get the file anew", reading->path,
            bytes.length);
    length = sotto_load_u64(bytes.at);
    if (length > HEADER_BYTES_MAX)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: not a safetensors file, or its header is above %d MiB: give a "
                               "model.safetensors",
                               reading->path, HEADER_BYTES_MAX >> 20);
    if (length > bytes.length - LENGTH_BYTES)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: cut short within the header: get the file anew", reading->path);
    *header = sotto_view_of(bytes.at + LENGTH_BYTES, length);
    reading->payload =
        sotto_view_of(bytes.at + LENGTH_BYTES + length, bytes.length - LENGTH_BYTES - length);
    return SOTTO_OK;
}

enum sotto_status sotto_safetensors_decode(struct sotto_safetensors *file, struct sotto_view bytes,
                                           const char *path, struct sotto_fault *fault)
{
    struct sotto_safetensors decoded = {.file = bytes};
    struct reading reading = {.path = path, .fault = fault};
    struct sotto_view text;
    json_error_t error;
    json_t *header;
    enum sotto_status status = split_file(&text, &reading, bytes);

    if (status != SOTTO_OK)
        return status;
    header = json_loadb((const char *)text.at, text.length, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(header)) {
        json_decref(header);
        return sotto_fault_set(
            fault, SOTTO_MALFORMED,
            "%s: the header is no JSON object with unique names: get the file anew", path);
    }
    status = read_table(&decoded, header, &reading);
    json_decref(header);
    if (status == SOTTO_OK)
        *file = decoded;
    else
        free(decoded.tensors);
    return status;
}

/* The header was parsed before; what it says beside the tensors is seldom asked for. */
enum sotto_status sotto_safetensors_note(char *out, size_t capacity,
                                         const struct sotto_safetensors *file, const char *key)
{
    struct sotto_view text =
        sotto_view_of(file->file.at + LENGTH_BYTES, sotto_load_u64(file->file.at));
    json_t *header = json_loadb((const char *)text.at, text.length, JSON_REJECT_DUPLICATES, NULL);
    const json_t *value = json_object_get(json_object_get(header, "__metadata__"), key);
    size_t length = json_string_length(value);
    enum sotto_status status = SOTTO_OK;

    if (value == NULL)
        status = SOTTO_NOT_FOUND;
    else if (!json_is_string(value) || length >= capacity)
        status = SOTTO_MALFORMED;
    else
        memcpy(out, json_string_value(value), length + 1);
    json_decref(header);
    return status;
}

static enum sotto_status map_file(struct sotto_view *mapped, const char *path,
                                  struct sotto_fault *fault)
{
    struct stat facts;
    void *at = MAP_FAILED;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return sotto_file_fault(fault, "open", path);
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0) {
        close(descriptor);
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: empty or no plain file: give a safetensors file", path);
    }
    at = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    close(descriptor);
    if (at == MAP_FAILED)
        return sotto_file_fault(fault, "map", path);
    *mapped = sotto_view_of(at, (size_t)facts.st_size);
    return SOTTO_OK;
}

static void unmap(struct sotto_view mapped)
{
    munmap((void *)(uintptr_t)mapped.at, mapped.length);
}

enum sotto_status sotto_safetensors_open(struct sotto_safetensors *file, const char *path,
                                         struct sotto_fault *fault)
{
    struct sotto_view mapped;
    enum sotto_status status = map_file(&mapped, path, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_safetensors_decode(file, mapped, path, fault);
    if (status == SOTTO_OK)
        file->is_mapped = true;
    else
        unmap(mapped);
    return status;
}

void sotto_safetensors_rest(const struct sotto_safetensors *file)
{
    if (file->is_mapped)
        madvise((void *)(uintptr_t)file->file.at, file->file.length, MADV_DONTNEED);
}

void sotto_safetensors_close(struct sotto_safetensors *file)
{
    if (file->is_mapped)
        unmap(file->file);
    free(file->tensors);
    *file = (struct sotto_safetensors){0};
}

const struct sotto_stored_tensor *sotto_safetensors_find(const struct sotto_safetensors *file,
                                                         const char *name)
{
    for (size_t i = 0; i < file->tensor_count; i++) {
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    }
    return NULL;
}

static const char *shape_text(char out[SHAPE_TEXT_MAX], const uint64_t *shape, size_t rank)
{
    size_t length = (size_t)snprintf(out, SHAPE_TEXT_MAX, "[");

    for (size_t axis = 0; axis < rank; axis++)
        length += (size_t)snprintf(out + length, SHAPE_TEXT_MAX - length, "%s%" PRIu64,
                                   axis > 0 ? ", " : "", shape[axis]);
    snprintf(out + length, SHAPE_TEXT_MAX - length, "]");
    return out;
}

enum sotto_status sotto_stored_tensor_read(float *out, const struct sotto_stored_tensor *tensor,
                                           const uint64_t *shape, size_t rank,
                                           struct sotto_fault *fault)
{
    size_t count = tensor->bytes.length / tensor->element_bytes;
    char stored[SHAPE_TEXT_MAX];
    char expected[SHAPE_TEXT_MAX];

    assert(rank <= SOTTO_TENSOR_RANK_MAX);
    if (tensor->rank != rank || memcmp(tensor->shape, shape, rank * sizeof *shape) != 0)
        return sotto_fault_set(
            fault, SOTTO_MISMATCH,
            "tensor %s has shape %s instead of %s: take files that belong together", tensor->name,
            shape_text(stored, tensor->shape, tensor->rank), shape_text(expected, shape, rank));
    if (!tensor->is_readable)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "tensor %s is of a dtype that is not read: convert the file to F32, "
                               "F16 or BF16",
                               tensor->name);
    sotto_dtype_load(out, tensor->bytes.at, count, tensor->dtype);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(out[i]))
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "tensor %s holds NaN or an infinity: take an intact file",
                                   tensor->name);
    }
    return SOTTO_OK;
}

static size_t stored_count(const struct sotto_tensor_to_store *tensor)
{
    size_t count = 1;

    assert(tensor->rank <= SOTTO_TENSOR_RANK_MAX);
    for (size_t axis = 0; axis < tensor->rank; axis++)
        count *= tensor->shape[axis];
    return count;
}

static json_t *entry_to_store(const struct sotto_tensor_to_store *tensor, size_t begin, size_t end)
{
    json_t *shape = json_array();

    for (size_t axis = 0; axis < tensor->rank; axis++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[axis]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", sotto_dtype_name(tensor->dtype), "shape",
                     shape, "data_offsets", (json_int_t)begin, (json_int_t)end);
}

/* The header as text from malloc, or NULL; *payload_bytes becomes what the tensors take. */
static char *header_to_store(size_t *payload_bytes, const struct sotto_tensor_to_store *tensors,
                             size_t tensor_count, const char *metadata_json)
{
    json_t *header = json_object();
    char *text = NULL;
    int failures = header == NULL;

    *payload_bytes = 0;
    if (metadata_json != NULL)
        failures |= json_object_set_new(header, "__metadata__", json_loads(metadata_json, 0, NULL));
    for (size_t i = 0; i < tensor_count; i++) {
        size_t begin = *payload_bytes;

        *payload_bytes += stored_count(&tensors[i]) * sotto_dtype_bytes(tensors[i].dtype);
        failures |= json_object_set_new(header, tensors[i].name,
                                        entry_to_store(&tensors[i], begin, *payload_bytes));
    }
    if (failures == 0)
        text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    return text;
}

enum sotto_status sotto_safetensors_write(const char *path,
                                          const struct sotto_tensor_to_store *tensors,
                                          size_t tensor_count, const char *metadata_json,
                                          struct sotto_fault *fault)
{
    size_t payload_bytes;
    char *header = header_to_store(&payload_bytes, tensors, tensor_count, metadata_json);
    size_t text_bytes = header == NULL ? 0 : strlen(header);
    size_t header_bytes = (text_bytes + HEADER_ALIGNMENT - 1) / HEADER_ALIGNMENT * HEADER_ALIGNMENT;
    size_t file_bytes = LENGTH_BYTES + header_bytes + payload_bytes;
    uint8_t *bytes = header == NULL ? NULL : malloc(file_bytes);
    uint8_t *at = bytes;
    enum sotto_status status;

    if (bytes == NULL) {
        free(header);
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to write %s", path);
    }
    sotto_store_u64(at, header_bytes);
    at += LENGTH_BYTES;
    memset(at, ' ', header_bytes);
    memcpy(at, header, text_bytes);
    at += header_bytes;
    for (size_t i = 0; i < tensor_count; i++) {
        size_t count = stored_count(&tensors[i]);
        size_t length = count * sotto_dtype_bytes(tensors[i].dtype);

        if (tensors[i].values != NULL)
            sotto_dtype_store(at, tensors[i].values, count, tensors[i].dtype);
        else if (length > 0)
            memcpy(at, tensors[i].bytes, length);
        at += length;
    }
    status = sotto_file_replace(path, sotto_view_of(bytes, file_bytes), 0644, fault);
    free(bytes);
    free(header);
    return status;
}
