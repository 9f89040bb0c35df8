#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/file.h"
#include "models/data/idx.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void open_range(const char *path, uint32_t dimensions, struct sotto_idx_range range)
{
    struct sotto_idx idx;

    if (sotto_idx_open(&idx, path, dimensions, range, NULL) != SOTTO_OK)
        return;
    if (idx.count > idx.file_count)
        abort();
    sotto_idx_close(&idx);
}

/* The reader takes a path, for zlib's sake: the bytes become a file in memory. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    int descriptor = memfd_create("fuzz", MFD_CLOEXEC);
    char path[64];

    if (descriptor < 0 ||
        sotto_descriptor_write(descriptor, sotto_view_of(bytes, length)) != SOTTO_OK)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    open_range(path, SOTTO_IDX_PICTURES, (struct sotto_idx_range){0, 0});
    open_range(path, SOTTO_IDX_PICTURES, (struct sotto_idx_range){1, 1});
    open_range(path, SOTTO_IDX_LABELS, (struct sotto_idx_range){0, 0});
    close(descriptor);
    return 0;
}
