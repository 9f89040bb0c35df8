/*
 * JPEG by libjpeg-turbo: grey stays grey, colour is read as RGB. Anything it warns about is damage.
 */
#ifndef SOTTO_MODELS_DATA_JPEG_H
#define SOTTO_MODELS_DATA_JPEG_H

#include "models/data/raster.h"

/* Whether the bytes begin as a JPEG file does. */
bool sotto_jpeg_is(struct sotto_view bytes);

/*
 * SOTTO_MALFORMED, SOTTO_UNSUPPORTED (CMYK), SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: the raster is
 * empty. `name` is for the fault.
 */
SOTTO_CHECKED enum sotto_status sotto_jpeg_decode(struct sotto_raster *raster,
                                                  struct sotto_view bytes, const char *name,
                                                  struct sotto_fault *fault);

#endif
