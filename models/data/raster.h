/*
 * A decoded picture of any size, as it comes from a file: 8-bit, rows of interleaved channels.
 */
#ifndef SOTTO_MODELS_DATA_RASTER_H
#define SOTTO_MODELS_DATA_RASTER_H

#include "core/base/bytes.h"

enum { SOTTO_RASTER_PIXELS_MAX = 64 * 1000 * 1000, SOTTO_RASTER_SIDE_MAX = 65535 };

struct sotto_raster {
    uint32_t width;
    uint32_t height;
    uint32_t channels; /* 1 grey, 3 RGB */
    uint8_t *pixels;   /* [height, width, channels] */
};

/*
 * Takes memory for a picture of the size that a file claims, after checking the claim.
 *
 * SOTTO_OVER_LIMIT: above 64 megapixels; SOTTO_MALFORMED: a side is 0 or above 65535;
 * SOTTO_NO_MEMORY. The raster is then empty. `name` is for the fault.
 */
SOTTO_CHECKED enum sotto_status sotto_raster_open(struct sotto_raster *raster, uint32_t width,
                                                  uint32_t height, uint32_t channels,
                                                  const char *name, struct sotto_fault *fault);
void sotto_raster_close(struct sotto_raster *raster);

/* Bytes of its pixels. */
size_t sotto_raster_length(const struct sotto_raster *raster);

/*
 * Scales to a square, two passes of fixed-point bilinear weights whose support grows with the
 * reduction, rows first: bit for bit what Pillow 10's Image.resize(..., BILINEAR) gives.
 *
 *   out  out  [channels, side, side]
 *
 * SOTTO_NO_MEMORY: out is unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_raster_resample(uint8_t *out, uint32_t side,
                                                      const struct sotto_raster *raster);

/*
 * Turns the raster into one of `channels` channels, in place of the old one: grey is repeated, RGB
 * becomes luma (ITU-R BT.601, 16-bit fixed point). SOTTO_NO_MEMORY: the raster is as before.
 */
SOTTO_CHECKED enum sotto_status sotto_raster_convert(struct sotto_raster *raster,
                                                     uint32_t channels);

#endif
