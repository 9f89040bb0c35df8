#include "core/base/config.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/file.h"

static const cyaml_config_t reader = {
    .log_level = CYAML_LOG_ERROR,
    .mem_fn = cyaml_mem,
    .flags = CYAML_CFG_NO_ALIAS,
};

enum sotto_status sotto_config_load(void **out, const char *path,
                                    const cyaml_schema_value_t *schema,
                                    const struct sotto_config_overrides *overrides,
                                    struct sotto_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status;
    cyaml_err_t error;

    *out = NULL;
    (void)overrides;
    status = sotto_file_read(&bytes, &length, path, SOTTO_CONFIG_BYTES_MAX, fault);
    if (status != SOTTO_OK)
        return status;
    error = cyaml_load_data(bytes, length, &reader, schema, out, NULL);
    free(bytes);
    if (error != CYAML_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: %s", path, cyaml_strerror(error));
    return SOTTO_OK;
}

void sotto_config_free(void *config, const cyaml_schema_value_t *schema)
{
    cyaml_err_t error = cyaml_free(&reader, schema, config, 0);

    assert(error == CYAML_OK);
}
