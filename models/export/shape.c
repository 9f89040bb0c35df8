#include "models/export/shape.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/file.h"

enum { CONFIG_BYTES_MAX = 1024 * 1024 };

static enum sotto_status decode(struct sotto_base_shape *shape, struct sotto_view config,
                                const char *path, struct sotto_fault *fault)
{
    struct sotto_base_shape read = {.model_type = ""};
    enum sotto_status status = sotto_arch_decode(&read.arch, config, path, fault);
    json_t *object;
    const char *type;

    if (status != SOTTO_OK)
        return status;
    object = json_loadb((const char *)config.at, config.length, 0, NULL);
    type = json_string_value(json_object_get(object, "model_type"));
    if (type != NULL)
        snprintf(read.model_type, sizeof read.model_type, "%s", type);
    json_decref(object);
    *shape = read;
    return SOTTO_OK;
}

enum sotto_status sotto_base_shape_read(struct sotto_base_shape *shape, const char *folder,
                                        struct sotto_fault *fault)
{
    char path[PATH_MAX];
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status = sotto_path_join(path, sizeof path, folder, "config.json");

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%.300s: the path is too long", folder);
    status = sotto_file_read(&bytes, &length, path, CONFIG_BYTES_MAX, fault);
    if (status == SOTTO_OK)
        status = decode(shape, sotto_view_of(bytes, length), path, fault);
    free(bytes);
    return status;
}
