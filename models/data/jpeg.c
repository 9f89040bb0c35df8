#include "models/data/jpeg.h"

#include <turbojpeg.h>

enum { FLAGS = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS | TJFLAG_ACCURATEDCT };

bool sotto_jpeg_is(struct sotto_view bytes)
{
    return bytes.length >= 3 && bytes.at[0] == 0xff && bytes.at[1] == 0xd8 && bytes.at[2] == 0xff;
}

static enum sotto_status damaged(struct sotto_fault *fault, const char *name, tjhandle decoder)
{
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "%s: damaged or cut short JPEG (%s): replace or remove it", name,
                           tjGetErrorStr2(decoder));
}

static enum sotto_status decode(struct sotto_raster *raster, tjhandle decoder,
                                struct sotto_view bytes, const char *name,
                                struct sotto_fault *fault)
{
    int width;
    int height;
    int subsampling;
    int colours;
    bool is_grey;
    enum sotto_status status;

    if (tjDecompressHeader3(decoder, bytes.at, bytes.length, &width, &height, &subsampling,
                            &colours) != 0)
        return damaged(fault, name, decoder);
    if (colours == TJCS_CMYK || colours == TJCS_YCCK)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "%s: a CMYK JPEG: save it as RGB or remove it", name);
    is_grey = colours == TJCS_GRAY;
    status =
        sotto_raster_open(raster, (uint32_t)width, (uint32_t)height, is_grey ? 1 : 3, name, fault);
    if (status != SOTTO_OK)
        return status;
    if (tjDecompress2(decoder, bytes.at, bytes.length, raster->pixels, width, 0, height,
                      is_grey ? TJPF_GRAY : TJPF_RGB, FLAGS) != 0)
        return damaged(fault, name, decoder);
    return SOTTO_OK;
}

enum sotto_status sotto_jpeg_decode(struct sotto_raster *raster, struct sotto_view bytes,
                                    const char *name, struct sotto_fault *fault)
{
    tjhandle decoder = tjInitDecompress();
    enum sotto_status status;

    *raster = (struct sotto_raster){0};
    if (decoder == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory to decode it", name);
    status = decode(raster, decoder, bytes, name, fault);
    tjDestroy(decoder);
    if (status != SOTTO_OK)
        sotto_raster_close(raster);
    return status;
}
