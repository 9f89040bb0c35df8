#include "models/data/picture.h"

#include <stdlib.h>

#include "core/base/file.h"
#include "models/data/jpeg.h"
#include "models/data/png.h"
#include "models/data/raster.h"

static enum sotto_status decode_raster(struct sotto_raster *raster, struct sotto_view bytes,
                                       const char *name, struct sotto_fault *fault)
{
    if (sotto_png_is(bytes))
        return sotto_png_decode(raster, bytes, name, fault);
    if (sotto_jpeg_is(bytes))
        return sotto_jpeg_decode(raster, bytes, name, fault);
    if (bytes.length == 0)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: empty: replace or remove it", name);
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "%s: no PNG or JPEG picture: replace or remove it", name);
}

enum sotto_status sotto_picture_decode(uint8_t *out, struct sotto_picture_form form,
                                       struct sotto_view bytes, const char *name,
                                       struct sotto_fault *fault)
{
    struct sotto_raster raster = {0};
    enum sotto_status status = decode_raster(&raster, bytes, name, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_raster_convert(&raster, form.channels);
    if (status == SOTTO_OK)
        status = sotto_raster_resample(out, form.side, &raster);
    sotto_raster_close(&raster);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: no memory to scale it", name);
    return SOTTO_OK;
}

enum sotto_status sotto_picture_read(uint8_t *out, struct sotto_picture_form form, const char *path,
                                     struct sotto_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    enum sotto_status status =
        sotto_file_read(&bytes, &length, path, SOTTO_PICTURE_BYTES_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_picture_decode(out, form, sotto_view_of(bytes, length), path, fault);
    free(bytes);
    return status;
}

/* Planes [channels, side, side] to interleaved rows. */
static void interleave(struct sotto_raster *raster, const uint8_t *pixels)
{
    size_t plane = (size_t)raster->width * raster->height;

    for (size_t channel = 0; channel < raster->channels; channel++) {
        for (size_t i = 0; i < plane; i++)
            raster->pixels[i * raster->channels + channel] = pixels[channel * plane + i];
    }
}

enum sotto_status sotto_picture_write(const char *path, const uint8_t *pixels,
                                      struct sotto_picture_form form, struct sotto_fault *fault)
{
    struct sotto_raster raster;
    uint8_t *png = NULL;
    size_t length;
    enum sotto_status status =
        sotto_raster_open(&raster, form.side, form.side, form.channels, path, fault);

    if (status != SOTTO_OK)
        return status;
    interleave(&raster, pixels);
    status = sotto_png_encode(&png, &length, &raster);
    sotto_raster_close(&raster);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "no memory to write %s", path);
    status = sotto_file_replace(path, sotto_view_of(png, length), 0644, fault);
    free(png);
    return status;
}
