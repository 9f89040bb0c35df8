#include "models/arch/preprocessor.h"

#include <jansson.h>
#include <math.h>

struct reading {
    json_t *object;
    const char *path;
    struct sotto_fault *fault;
};

static enum sotto_status read_flag(bool *out, const struct reading *reading, const char *key)
{
    json_t *value = json_object_get(reading->object, key);

    if (value != NULL && !json_is_boolean(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s must be true or false",
                               reading->path, key);
    *out = value == NULL || json_is_true(value);
    return SOTTO_OK;
}

static enum sotto_status read_factor(double *factor, const struct reading *reading)
{
    json_t *value = json_object_get(reading->object, "rescale_factor");

    *factor = 1.0 / 255.0;
    if (value == NULL)
        return SOTTO_OK;
    if (!json_is_number(value) || !(json_number_value(value) > 0.0) ||
        !(json_number_value(value) <= 1.0))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: rescale_factor must be a number above 0 and at most 1",
                               reading->path);
    *factor = json_number_value(value);
    return SOTTO_OK;
}

/* One number a channel; absent: 0.5, as Hugging Face's ViT has it. */
static enum sotto_status read_channels(double *out, const struct sotto_arch *arch,
                                       const struct reading *reading, const char *key)
{
    json_t *list = json_object_get(reading->object, key);

    for (size_t channel = 0; channel < arch->channels; channel++)
        out[channel] = 0.5;
    if (list == NULL)
        return SOTTO_OK;
    if (!json_is_array(list) || json_array_size(list) != arch->channels)
        return sotto_fault_set(reading->fault, SOTTO_MISMATCH,
                               "%s: %s must be a list of %u numbers, one for each channel",
                               reading->path, key, arch->channels);
    for (size_t channel = 0; channel < arch->channels; channel++) {
        json_t *value = json_array_get(list, channel);

        if (!json_is_number(value) || !(fabs(json_number_value(value)) <= 1e6))
            return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                                   "%s: %s holds something that is no number up to 1e6",
                                   reading->path, key);
        out[channel] = json_number_value(value);
    }
    return SOTTO_OK;
}

static bool is_side(json_t *value, const struct sotto_arch *arch)
{
    return json_is_integer(value) && json_integer_value(value) == arch->image_side;
}

/* "size" is a number, or an object with height and width. */
static enum sotto_status check_size(const struct sotto_arch *arch, const struct reading *reading)
{
    json_t *size = json_object_get(reading->object, "size");

    if (size == NULL || is_side(size, arch) ||
        (json_is_object(size) && is_side(json_object_get(size, "height"), arch) &&
         is_side(json_object_get(size, "width"), arch)))
        return SOTTO_OK;
    return sotto_fault_set(reading->fault, SOTTO_MISMATCH,
                           "%s: size is not the model's image_size, %u", reading->path,
                           arch->image_side);
}

static enum sotto_status decode_object(struct sotto_pixel_map *map, const struct sotto_arch *arch,
                                       const struct reading *reading)
{
    bool rescales = true;
    bool normalises = true;
    double factor = 1.0;
    double mean[SOTTO_CHANNELS_MAX];
    double deviation[SOTTO_CHANNELS_MAX];
    enum sotto_status status = check_size(arch, reading);

    if (status == SOTTO_OK)
        status = read_flag(&rescales, reading, "do_rescale");
    if (status == SOTTO_OK)
        status = read_flag(&normalises, reading, "do_normalize");
    if (status == SOTTO_OK)
        status = read_factor(&factor, reading);
    if (status == SOTTO_OK)
        status = read_channels(mean, arch, reading, "image_mean");
    if (status == SOTTO_OK)
        status = read_channels(deviation, arch, reading, "image_std");
    for (size_t channel = 0; channel < arch->channels && status == SOTTO_OK; channel++) {
        double divisor = normalises ? deviation[channel] : 1.0;

        if (!(divisor > 1e-6))
            return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                                   "%s: image_std must be above 1e-6", reading->path);
        map->scale[channel] = (float)((rescales ? factor : 1.0) / divisor);
        map->shift[channel] = (float)(normalises ? -mean[channel] / divisor : 0.0);
    }
    return status;
}

enum sotto_status sotto_preprocessor_decode(struct sotto_pixel_map *map,
                                            const struct sotto_arch *arch, struct sotto_view json,
                                            const char *path, struct sotto_fault *fault)
{
    json_error_t error;
    struct sotto_pixel_map decoded = {0};
    struct reading reading = {
        json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, &error), path,
        fault};
    enum sotto_status status;

    if (reading.object == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: line %d: %s", path, error.line,
                               error.text);
    if (json_is_object(reading.object))
        status = decode_object(&decoded, arch, &reading);
    else
        status = sotto_fault_set(fault, SOTTO_MALFORMED, "%s: not a JSON object", path);
    json_decref(reading.object);
    if (status == SOTTO_OK)
        *map = decoded;
    return status;
}
