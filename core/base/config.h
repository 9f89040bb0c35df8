/*
 * YAML by schema. An error names the file, the line and the key, and says what was expected.
 */
#ifndef SOTTO_CORE_BASE_CONFIG_H
#define SOTTO_CORE_BASE_CONFIG_H

#include <cyaml/cyaml.h>

#include "core/base/status.h"

enum { SOTTO_CONFIG_BYTES_MAX = 256 * 1024 };

/*
 * Loads `path` by `schema` (libcyaml; aliases refused, unknown keys refused, keys case sensitive).
 *
 *   out        out  allocated by libcyaml; sotto_config_free releases it
 *   overrides  in   `key=value` strings, each replacing or adding one top-level key, NULL for none; a key that the
 *                   schema does not know is an error that names it
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_OVER_LIMIT: *out is NULL.
 */
struct sotto_config_overrides {
    const char *const *items;
    size_t count;
};
SOTTO_CHECKED enum sotto_status sotto_config_load(void **out, const char *path,
                                                  const cyaml_schema_value_t *schema,
                                                  const struct sotto_config_overrides *overrides,
                                                  struct sotto_fault *fault);
void sotto_config_free(void *config, const cyaml_schema_value_t *schema);

#endif
