#include "models/data/idx.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "core/base/file.h"

enum {
    ITEMS_MAX = 1000000,
    STEP_BYTES = 64 * 1024,
    UNSIGNED_BYTE = 0x08, /* the type in the third byte of the file */
    DEFLATE_RATIO = 1032, /* no gzip file unpacks to more than this many times its size */
};

#define RANGE_BYTES_MAX ((uint64_t)4 << 30)

struct reading {
    gzFile stream;
    uint64_t file_bytes; /* as it lies on the disk */
    const char *path;
    struct sotto_fault *fault;
};

static enum sotto_status open_stream(struct reading *reading)
{
    struct stat facts;
    int descriptor = open(reading->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (descriptor < 0)
        return sotto_file_fault(reading->fault, "open", reading->path);
    if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) {
        close(descriptor);
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: no plain file: give an IDX file", reading->path);
    }
    reading->file_bytes = (uint64_t)facts.st_size;
    reading->stream = gzdopen(descriptor, "rb");
    if (reading->stream == NULL) {
        close(descriptor);
        return sotto_fault_set(reading->fault, SOTTO_NO_MEMORY, "%s: no memory to read it",
                               reading->path);
    }
    return SOTTO_OK;
}

/* Exactly `length` bytes. */
static enum sotto_status read_bytes(struct reading *reading, uint8_t *out, size_t length)
{
    while (length > 0) {
        unsigned step = length < STEP_BYTES ? (unsigned)length : STEP_BYTES;

        if (gzread(reading->stream, out, step) != (int)step)
            return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                                   "%s: cut short or damaged: get the file anew", reading->path);
        out += step;
        length -= step;
    }
    return SOTTO_OK;
}

static enum sotto_status skip_bytes(struct reading *reading, uint64_t length)
{
    uint8_t dropped[4096];
    enum sotto_status status = SOTTO_OK;

    while (length > 0 && status == SOTTO_OK) {
        size_t step = length < sizeof dropped ? (size_t)length : sizeof dropped;

        status = read_bytes(reading, dropped, step);
        length -= step;
    }
    return status;
}

static uint32_t load_big_endian(const uint8_t in[4])
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static enum sotto_status read_header(struct sotto_idx *idx, uint32_t dimensions,
                                     struct reading *reading)
{
    uint8_t bytes[4 + 4 * SOTTO_IDX_PICTURES];
    enum sotto_status status = read_bytes(reading, bytes, 4);

    if (status != SOTTO_OK)
        return status;
    if (bytes[0] != 0 || bytes[1] != 0 || bytes[2] != UNSIGNED_BYTE || bytes[3] != dimensions)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: no IDX file of %s: give one",
                               reading->path,
                               dimensions == SOTTO_IDX_PICTURES ? "pictures" : "labels");
    status = read_bytes(reading, bytes + 4, 4 * (size_t)dimensions);
    if (status != SOTTO_OK)
        return status;
    idx->file_count = load_big_endian(bytes + 4);
    idx->rows = dimensions == SOTTO_IDX_PICTURES ? load_big_endian(bytes + 8) : 1;
    idx->columns = dimensions == SOTTO_IDX_PICTURES ? load_big_endian(bytes + 12) : 1;
    if (idx->rows == 0 || idx->columns == 0)
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: claims pictures of %u x %u pixels: get the file anew",
                               reading->path, idx->columns, idx->rows);
    if (idx->file_count > ITEMS_MAX || idx->rows > SOTTO_IDX_SIDE_MAX ||
        idx->columns > SOTTO_IDX_SIDE_MAX)
        return sotto_fault_set(
            reading->fault, SOTTO_OVER_LIMIT,
            "%s: claims %zu pictures of %u x %u pixels; at most %d of %d x %d are "
            "read: split the file",
            reading->path, idx->file_count, idx->columns, idx->rows, ITEMS_MAX, SOTTO_IDX_SIDE_MAX,
            SOTTO_IDX_SIDE_MAX);
    return SOTTO_OK;
}

/* idx->count, and memory for as many. */
static enum sotto_status take_range(struct sotto_idx *idx, struct sotto_idx_range range,
                                    struct reading *reading)
{
    uint64_t length;

    if (range.first >= idx->file_count || range.count > idx->file_count - range.first)
        return sotto_fault_set(
            reading->fault, SOTTO_MISMATCH,
            "%s: has %zu items, %zu from number %zu on are asked for: choose fewer", reading->path,
            idx->file_count, range.count, range.first);
    idx->count = range.count == 0 ? idx->file_count - range.first : range.count;
    length = (uint64_t)idx->count * idx->rows * idx->columns;
    if (length > RANGE_BYTES_MAX)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT,
                               "%s: %zu items are above 4 GiB: choose fewer", reading->path,
                               idx->count);
    if (length / DEFLATE_RATIO > reading->file_bytes)
        return sotto_fault_set(
            reading->fault, SOTTO_MALFORMED,
            "%s: too small for what its header claims, perhaps cut short: get the "
            "file anew",
            reading->path);
    idx->items = malloc(length);
    if (idx->items == NULL)
        return sotto_fault_set(reading->fault, SOTTO_NO_MEMORY, "%s: no memory for %zu items",
                               reading->path, idx->count);
    return SOTTO_OK;
}

/* Nothing may follow; reading on to the end also makes zlib check the sum of a gzip file. */
static enum sotto_status check_end(struct reading *reading)
{
    uint8_t byte;
    int got = gzread(reading->stream, &byte, 1);

    if (got == 0)
        return SOTTO_OK;
    return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                           "%s: longer than its header says, or damaged: get the file anew",
                           reading->path);
}

static enum sotto_status read_file(struct sotto_idx *idx, uint32_t dimensions,
                                   struct sotto_idx_range range, struct reading *reading)
{
    uint64_t item_bytes;
    enum sotto_status status = read_header(idx, dimensions, reading);

    if (status == SOTTO_OK)
        status = take_range(idx, range, reading);
    if (status != SOTTO_OK)
        return status;
    item_bytes = (uint64_t)idx->rows * idx->columns;
    status = skip_bytes(reading, range.first * item_bytes);
    if (status == SOTTO_OK)
        status = read_bytes(reading, idx->items, idx->count * item_bytes);
    if (status == SOTTO_OK)
        status = skip_bytes(reading, (idx->file_count - range.first - idx->count) * item_bytes);
    return status == SOTTO_OK ? check_end(reading) : status;
}

enum sotto_status sotto_idx_open(struct sotto_idx *idx, const char *path, uint32_t dimensions,
                                 struct sotto_idx_range range, struct sotto_fault *fault)
{
    struct reading reading = {.path = path, .fault = fault};
    enum sotto_status status;

    assert(dimensions == SOTTO_IDX_PICTURES || dimensions == SOTTO_IDX_LABELS);
    *idx = (struct sotto_idx){0};
    status = open_stream(&reading);
    if (status != SOTTO_OK)
        return status;
    status = read_file(idx, dimensions, range, &reading);
    gzclose(reading.stream);
    if (status != SOTTO_OK)
        sotto_idx_close(idx);
    return status;
}

void sotto_idx_close(struct sotto_idx *idx)
{
    free(idx->items);
    *idx = (struct sotto_idx){0};
}
