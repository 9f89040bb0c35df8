/*
 * Labelled pictures in memory: 8-bit, [count, channels, side, side], and a label index each (or none).
 * Sources: an ImageFolder (folder/label name/picture.png|.jpg) or a pair of IDX files (plain or gzip).
 */
#ifndef SOTTO_MODELS_DATA_DATASET_H
#define SOTTO_MODELS_DATA_DATASET_H

#include "core/base/bytes.h"

enum { SOTTO_LABEL_NONE = UINT32_MAX, SOTTO_DATASET_MAX = 1000000 };

struct sotto_dataset {
    uint32_t channels;
    uint32_t side;
    size_t count;
    uint8_t *pixels;  /* [count, channels, side, side] */
    uint32_t *labels; /* [count] */
};

/* The pictures' form: others are converted (grey <-> RGB) and resampled (two-pass bilinear with support, as Pillow). */
struct sotto_picture_form {
    uint32_t channels;
    uint32_t side;
};

/* The label names in index order, borrowed. */
struct sotto_label_names {
    const char (*names)[48];
    size_t count;
};

/*
 * Reads every picture below folder/<label>/. Order: label index, then file name; so it does not depend on the disk.
 *
 * The fault names file and remedy. SOTTO_NOT_FOUND: no such folder, or no picture at all; SOTTO_MALFORMED: a file that is
 * no picture, or a label's folder that is empty; SOTTO_MISMATCH: a folder that is none of the labels; SOTTO_OVER_LIMIT.
 */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_folder(struct sotto_dataset *dataset,
                                                          const char *folder,
                                                          struct sotto_picture_form form,
                                                          const struct sotto_label_names *labels,
                                                          struct sotto_fault *fault);

/* Which part of an IDX pair. labels_path NULL: unlabelled. count 0: all from first on. */
struct sotto_idx_slice {
    const char *images_path;
    const char *labels_path;
    size_t first;
    size_t count;
};
SOTTO_CHECKED enum sotto_status sotto_dataset_open_idx(struct sotto_dataset *dataset,
                                                       const struct sotto_idx_slice *slice,
                                                       struct sotto_fault *fault);

/* Copies the named examples. SOTTO_NO_MEMORY. Indices below source->count. */
SOTTO_CHECKED enum sotto_status sotto_dataset_open_subset(struct sotto_dataset *dataset,
                                                          const struct sotto_dataset *source,
                                                          const uint32_t *indices, size_t count);

void sotto_dataset_close(struct sotto_dataset *dataset);

/* Decodes one PNG or JPEG file to out[channels * side * side]. Pictures above 64 megapixels are SOTTO_OVER_LIMIT. */
SOTTO_CHECKED enum sotto_status sotto_picture_read(uint8_t *out, struct sotto_picture_form form,
                                                   const char *path, struct sotto_fault *fault);
/* The same from bytes; `name` is for the fault. */
SOTTO_CHECKED enum sotto_status sotto_picture_decode(uint8_t *out, struct sotto_picture_form form,
                                                     struct sotto_view bytes, const char *name,
                                                     struct sotto_fault *fault);
/* Writes an 8-bit PNG, for demos and partitions. */
SOTTO_CHECKED enum sotto_status sotto_picture_write(const char *path, const uint8_t *pixels,
                                                    struct sotto_picture_form form,
                                                    struct sotto_fault *fault);

#endif
