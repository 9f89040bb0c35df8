/*
 * One picture: a PNG or JPEG file becomes 8-bit pixels [channels, side, side] of a wanted form. The
 * format is known by the first bytes, whatever the file is called. Transparency is ignored.
 */
#ifndef SOTTO_MODELS_DATA_PICTURE_H
#define SOTTO_MODELS_DATA_PICTURE_H

#include "core/base/bytes.h"

enum { SOTTO_PICTURE_BYTES_MAX = 256 * 1024 * 1024 };

/*
 * The pictures' form: others are converted (grey <-> RGB, ITU-R 601 luma) and resampled (two-pass
 * bilinear with support, as Pillow does; the shape of the picture is not kept).
 */
struct sotto_picture_form {
    uint32_t channels; /* 1 or 3 */
    uint32_t side;
};

/*
 * Decodes one file to out[channels * side * side]. The fault names file and remedy.
 *
 * SOTTO_NOT_FOUND; SOTTO_MALFORMED: no picture, or a damaged one; SOTTO_UNSUPPORTED: a JPEG that
 * is neither grey nor colour; SOTTO_OVER_LIMIT: above 64 megapixels; SOTTO_NO_MEMORY, SOTTO_IO.
 * `out` is then unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_picture_read(uint8_t *out, struct sotto_picture_form form,
                                                   const char *path, struct sotto_fault *fault);

/* The same from bytes; `name` is for the fault. */
SOTTO_CHECKED enum sotto_status sotto_picture_decode(uint8_t *out, struct sotto_picture_form form,
                                                     struct sotto_view bytes, const char *name,
                                                     struct sotto_fault *fault);

/* Writes an 8-bit PNG, atomically, for demos and partitions. SOTTO_IO, SOTTO_NO_MEMORY. */
SOTTO_CHECKED enum sotto_status sotto_picture_write(const char *path, const uint8_t *pixels,
                                                    struct sotto_picture_form form,
                                                    struct sotto_fault *fault);

#endif
