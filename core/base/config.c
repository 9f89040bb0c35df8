#include "core/base/config.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/config_check.h"
#include "core/base/file.h"

/* No log: what libcyaml would say has been said better before it sees the text. */
static const cyaml_config_t reader = {
    .log_level = CYAML_LOG_ERROR,
    .mem_fn = cyaml_mem,
    .flags = CYAML_CFG_NO_ALIAS,
};

static enum sotto_status load_text(void **out, const struct sotto_config_text *text,
                                   const cyaml_schema_value_t *schema, struct sotto_fault *fault)
{
    static const char empty_mapping[] = "{}";
    const char *at = text->at;
    size_t length = text->length;
    bool is_empty = false;
    cyaml_err_t error;
    enum sotto_status status = sotto_config_check(&is_empty, text, schema, fault);

    if (status != SOTTO_OK)
        return status;
    if (is_empty) {
        at = empty_mapping;
        length = strlen(empty_mapping);
    }
    error = cyaml_load_data((const uint8_t *)at, length, &reader, schema, out, NULL);
    if (error == CYAML_OK)
        return SOTTO_OK;
    *out = NULL;
    return sotto_fault_set(fault, error == CYAML_ERR_OOM ? SOTTO_NO_MEMORY : SOTTO_MALFORMED,
                           "%s: %s", text->name, cyaml_strerror(error));
}

enum sotto_status sotto_config_decode(void **out, const char *name, struct sotto_view bytes,
                                      const cyaml_schema_value_t *schema,
                                      const struct sotto_config_overrides *overrides,
                                      struct sotto_fault *fault)
{
    struct sotto_config_text text;
    enum sotto_status status = sotto_config_text_open(&text, name, bytes, overrides, fault);

    *out = NULL;
    if (status == SOTTO_OK)
        status = load_text(out, &text, schema, fault);
    sotto_config_text_close(&text);
    return status;
}

enum sotto_status sotto_config_load(void **out, const char *path,
                                    const cyaml_schema_value_t *schema,
                                    const struct sotto_config_overrides *overrides,
                                    struct sotto_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status =
        sotto_file_read(&bytes, &length, path, SOTTO_CONFIG_BYTES_MAX, fault);

    *out = NULL;
    if (status == SOTTO_OK)
        status =
            sotto_config_decode(out, path, sotto_view_of(bytes, length), schema, overrides, fault);
    free(bytes);
    return status;
}

void sotto_config_free(void *config, const cyaml_schema_value_t *schema)
{
    /* It fails only where the schema itself is wrong, which loading would have told. */
    if (cyaml_free(&reader, schema, config, 0) != CYAML_OK)
        abort();
}
