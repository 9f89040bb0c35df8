/*
 * IDX files of unsigned bytes, plain or gzip: pictures [count, rows, columns] and labels [count].
 * Source: the MNIST database's description of the IDX format.
 */
#ifndef SOTTO_MODELS_DATA_IDX_H
#define SOTTO_MODELS_DATA_IDX_H

#include "core/base/bytes.h"

enum {
    SOTTO_IDX_PICTURES = 3, /* dimensions, in the fourth byte of the file */
    SOTTO_IDX_LABELS = 1,
    SOTTO_IDX_SIDE_MAX = 4096,
};

struct sotto_idx {
    size_t file_count; /* items that the whole file has */
    size_t count;      /* items in `items` */
    uint32_t rows;     /* 1 in a file of labels */
    uint32_t columns;
    uint8_t *items; /* [count, rows, columns] */
};

/* Which items: `count` from `first` on, or all from there on if count is 0. */
struct sotto_idx_range {
    size_t first;
    size_t count;
};

/*
 * Reads a range of items. The whole file is read and must have exactly the size its header claims.
 *
 *   dimensions  in  SOTTO_IDX_PICTURES or SOTTO_IDX_LABELS
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_OVER_LIMIT, SOTTO_MISMATCH: the range is beyond the file;
 * SOTTO_NO_MEMORY, SOTTO_IO: idx is empty; the fault names the file.
 */
SOTTO_CHECKED enum sotto_status sotto_idx_open(struct sotto_idx *idx, const char *path,
                                               uint32_t dimensions, struct sotto_idx_range range,
                                               struct sotto_fault *fault);
void sotto_idx_close(struct sotto_idx *idx);

#endif
