/* PNG by libspng: any colour type and depth is read as 8-bit grey or RGB; 8-bit is written. */
#ifndef SOTTO_MODELS_DATA_PNG_H
#define SOTTO_MODELS_DATA_PNG_H

#include "models/data/raster.h"

/* Whether the bytes begin with the PNG signature. */
bool sotto_png_is(struct sotto_view bytes);

/*
 * SOTTO_MALFORMED, SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: the raster is empty. `name` is for the fault.
 */
SOTTO_CHECKED enum sotto_status sotto_png_decode(struct sotto_raster *raster,
                                                 struct sotto_view bytes, const char *name,
                                                 struct sotto_fault *fault);

/* *out from malloc, the caller frees. SOTTO_NO_MEMORY: *out is NULL. */
SOTTO_CHECKED enum sotto_status sotto_png_encode(uint8_t **out, size_t *length,
                                                 const struct sotto_raster *raster);

#endif
