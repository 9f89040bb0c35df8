#include "models/data/png.h"

#include <spng.h>
#include <string.h>

enum { SIGNATURE_BYTES = 8, CHUNK_BYTES_MAX = 16 * 1024 * 1024 };

bool sotto_png_is(struct sotto_view bytes)
{
    static const uint8_t signature[SIGNATURE_BYTES] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};

    return bytes.length >= SIGNATURE_BYTES && memcmp(bytes.at, signature, SIGNATURE_BYTES) == 0;
}

static enum sotto_status damaged(struct sotto_fault *fault, const char *name, int error)
{
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "%s: damaged or cut short PNG (%s): replace or remove it", name,
                           spng_strerror(error));
}

/* Grey of up to 8 bits stays grey; all else is read as RGB. */
static bool is_grey(const struct spng_ihdr *header)
{
    return header->color_type == SPNG_COLOR_TYPE_GRAYSCALE && header->bit_depth <= 8;
}

static enum sotto_status decode(struct sotto_raster *raster, spng_ctx *context, const char *name,
                                struct sotto_fault *fault)
{
    struct spng_ihdr header;
    enum sotto_status status;
    int error = spng_get_ihdr(context, &header);

    if (error != 0)
        return damaged(fault, name, error);
    status = sotto_raster_open(raster, header.width, header.height, is_grey(&header) ? 1 : 3, name,
                               fault);
    if (status != SOTTO_OK)
        return status;
    error = spng_decode_image(context, raster->pixels, sotto_raster_length(raster),
                              is_grey(&header) ? SPNG_FMT_G8 : SPNG_FMT_RGB8, 0);
    if (error == 0)
        error = spng_decode_chunks(context);
    return error == 0 ? SOTTO_OK : damaged(fault, name, error);
}

enum sotto_status sotto_png_decode(struct sotto_raster *raster, struct sotto_view bytes,
                                   const char *name, struct sotto_fault *fault)
{
    spng_ctx *context = spng_ctx_new(0);
    enum sotto_status status;

    *raster = (struct sotto_raster){0};
    if (context == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory to decode it", name);
    if (spng_set_chunk_limits(context, CHUNK_BYTES_MAX, CHUNK_BYTES_MAX) != 0 ||
        spng_set_png_buffer(context, bytes.at, bytes.length) != 0)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory to decode it", name);
    else
        status = decode(raster, context, name, fault);
    spng_ctx_free(context);
    if (status != SOTTO_OK)
        sotto_raster_close(raster);
    return status;
}

enum sotto_status sotto_png_encode(uint8_t **out, size_t *length, const struct sotto_raster *raster)
{
    struct spng_ihdr header = {
        .width = raster->width,
        .height = raster->height,
        .bit_depth = 8,
        .color_type = raster->channels == 1 ? SPNG_COLOR_TYPE_GRAYSCALE : SPNG_COLOR_TYPE_TRUECOLOR,
    };
    spng_ctx *context = spng_ctx_new(SPNG_CTX_ENCODER);
    int error = SPNG_EMEM;

    *out = NULL;
    if (context != NULL && spng_set_option(context, SPNG_ENCODE_TO_BUFFER, 1) == 0 &&
        spng_set_ihdr(context, &header) == 0 &&
        spng_encode_image(context, raster->pixels, sotto_raster_length(raster), SPNG_FMT_PNG,
                          SPNG_ENCODE_FINALIZE) == 0)
        *out = spng_get_png_buffer(context, length, &error);
    spng_ctx_free(context);
    return *out != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}
