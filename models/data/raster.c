#include "models/data/raster.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { WEIGHT_BITS = 22 };

/* The input pixels that one output pixel is the weighted sum of. */
struct tap_row {
    uint32_t first;
    uint32_t count;
};

/* How one axis is scaled. */
struct taps {
    uint32_t width; /* weights reserved per output pixel */
    struct tap_row *rows;
    int32_t *weights; /* [out, width], fixed point with WEIGHT_BITS */
};

enum sotto_status sotto_raster_open(struct sotto_raster *raster, uint32_t width, uint32_t height,
                                    uint32_t channels, const char *name, struct sotto_fault *fault)
{
    *raster = (struct sotto_raster){.width = width, .height = height, .channels = channels};
    if (width == 0 || height == 0 || width > SOTTO_RASTER_SIDE_MAX ||
        height > SOTTO_RASTER_SIDE_MAX)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: claims %u x %u pixels: replace or remove it", name, width,
                               height);
    if ((uint64_t)width * height > SOTTO_RASTER_PIXELS_MAX)
        return sotto_fault_set(
            fault, SOTTO_OVER_LIMIT,
            "%s: %u x %u pixels are above 64 megapixels: scale it down or remove it", name, width,
            height);
    raster->pixels = malloc(sotto_raster_length(raster));
    if (raster->pixels == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory for %u x %u pixels", name,
                               width, height);
    return SOTTO_OK;
}

void sotto_raster_close(struct sotto_raster *raster)
{
    free(raster->pixels);
    *raster = (struct sotto_raster){0};
}

size_t sotto_raster_length(const struct sotto_raster *raster)
{
    return (size_t)raster->width * raster->height * raster->channels;
}

static void taps_close(struct taps *taps)
{
    free(taps->rows);
    free(taps->weights);
}

/* The triangle filter around the centre of an output pixel, its weights summing to one. */
static void set_weights(int32_t *weights, struct tap_row row, double centre, double stretch)
{
    double squeeze = 1.0 / stretch;
    double sum = 0;

    for (uint32_t tap = 0; tap < row.count; tap++)
        sum += fmax(0.0, 1.0 - fabs((row.first + tap - centre + 0.5) * squeeze));
    for (uint32_t tap = 0; tap < row.count; tap++) {
        double weight = fmax(0.0, 1.0 - fabs((row.first + tap - centre + 0.5) * squeeze));

        weights[tap] = (int32_t)(0.5 + weight / sum * (1 << WEIGHT_BITS));
    }
}

static enum sotto_status taps_open(struct taps *taps, uint32_t out, uint32_t in)
{
    double scale = (double)in / out;
    double stretch = fmax(scale, 1.0);

    taps->width = 2 * (uint32_t)ceil(stretch) + 1;
    taps->rows = calloc(out, sizeof *taps->rows);
    taps->weights = calloc((size_t)out * taps->width, sizeof *taps->weights);
    if (taps->rows == NULL || taps->weights == NULL)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i < out; i++) {
        double centre = (i + 0.5) * scale;
        double low = floor(fmax(centre - stretch + 0.5, 0.0));
        double high = floor(fmin(centre + stretch + 0.5, in));

        taps->rows[i] = (struct tap_row){(uint32_t)low, (uint32_t)(high - low)};
        set_weights(taps->weights + (size_t)i * taps->width, taps->rows[i], centre, stretch);
    }
    return SOTTO_OK;
}

/* The sum over one output pixel's taps, `stride` bytes apart. */
static uint8_t weigh(const uint8_t *in, size_t stride, const struct taps *taps, uint32_t i)
{
    const int32_t *weights = taps->weights + (size_t)i * taps->width;
    const uint8_t *at = in + taps->rows[i].first * stride;
    int32_t sum = 1 << (WEIGHT_BITS - 1);

    for (uint32_t tap = 0; tap < taps->rows[i].count; tap++)
        sum += at[tap * stride] * weights[tap];
    sum >>= WEIGHT_BITS;
    return (uint8_t)(sum > 255 ? 255 : sum);
}

/* narrow[height, side, channels]: every row scaled to `side` pixels. */
static void scale_rows(uint8_t *narrow, uint32_t side, const struct sotto_raster *raster,
                       const struct taps *taps)
{
    size_t channels = raster->channels;

    for (size_t y = 0; y < raster->height; y++) {
        const uint8_t *in = raster->pixels + y * raster->width * channels;
        uint8_t *out = narrow + y * side * channels;

        for (uint32_t x = 0; x < side; x++) {
            for (size_t channel = 0; channel < channels; channel++)
                out[x * channels + channel] = weigh(in + channel, channels, taps, x);
        }
    }
}

/* out[channels, side, side] from narrow[height, side, channels]. */
static void scale_columns(uint8_t *out, uint32_t side, size_t channels, const uint8_t *narrow,
                          const struct taps *taps)
{
    for (size_t channel = 0; channel < channels; channel++) {
        for (uint32_t y = 0; y < side; y++) {
            for (size_t x = 0; x < side; x++)
                *out++ = weigh(narrow + x * channels + channel, side * channels, taps, y);
        }
    }
}

enum sotto_status sotto_raster_resample(uint8_t *out, uint32_t side,
                                        const struct sotto_raster *raster)
{
    struct taps across = {0};
    struct taps down = {0};
    uint8_t *narrow = malloc((size_t)raster->height * side * raster->channels);
    enum sotto_status status = narrow == NULL ? SOTTO_NO_MEMORY : SOTTO_OK;

    if (status == SOTTO_OK)
        status = taps_open(&across, side, raster->width);
    if (status == SOTTO_OK)
        status = taps_open(&down, side, raster->height);
    if (status == SOTTO_OK) {
        scale_rows(narrow, side, raster, &across);
        scale_columns(out, side, raster->channels, narrow, &down);
    }
    taps_close(&across);
    taps_close(&down);
    free(narrow);
    return status;
}

static uint8_t luma(const uint8_t rgb[3])
{
    return (uint8_t)((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

enum sotto_status sotto_raster_convert(struct sotto_raster *raster, uint32_t channels)
{
    size_t count = (size_t)raster->width * raster->height;
    uint8_t *converted;

    assert((channels == 1 || channels == 3) && (raster->channels == 1 || raster->channels == 3));
    if (channels == raster->channels)
        return SOTTO_OK;
    converted = malloc(count * channels);
    if (converted == NULL)
        return SOTTO_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (channels == 1)
            converted[i] = luma(raster->pixels + 3 * i);
        else
            converted[3 * i] = converted[3 * i + 1] = converted[3 * i + 2] = raster->pixels[i];
    }
    free(raster->pixels);
    raster->pixels = converted;
    raster->channels = channels;
    return SOTTO_OK;
}
