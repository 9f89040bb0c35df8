/*
 * YAML by schema. An error names the file, the line and the key, and says what was expected:
 *
 *     site.yaml:7: unknown key "urll": expected one of url, model, examples
 *     site.yaml, override rounds=x: "rounds" must be a whole number from 0 to 4294967295, not "x"
 */
#ifndef SOTTO_CORE_BASE_CONFIG_H
#define SOTTO_CORE_BASE_CONFIG_H

#include <cyaml/cyaml.h>

#include "core/base/bytes.h"

enum { SOTTO_CONFIG_BYTES_MAX = 256 * 1024 };

/*
 * `key=value` strings, each replacing or adding one top-level key; a value is YAML: 3, [a, b],
 * 'text'. They need a file whose top level is in block style, one key a line.
 */
struct sotto_config_overrides {
    const char *const *items;
    size_t count;
};

/*
 * Loads `path` by `schema` (libcyaml). Stricter than libcyaml: one document, no aliases, no unknown
 * or repeated keys, decimal whole numbers, finite reals, `true` or `false`, names of an enum only.
 * An empty file is an empty mapping.
 *
 *   out        out  allocated by libcyaml, never NULL on SOTTO_OK; sotto_config_free releases it
 *   overrides  in   NULL for none; a key that the schema does not know is an error that names it
 *
 * SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_OVER_LIMIT, SOTTO_IO, SOTTO_NO_MEMORY: *out is NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_config_load(void **out, const char *path,
                                                  const cyaml_schema_value_t *schema,
                                                  const struct sotto_config_overrides *overrides,
                                                  struct sotto_fault *fault);

/* The same over bytes; `name` stands for the file in the fault. */
SOTTO_CHECKED enum sotto_status sotto_config_decode(void **out, const char *name,
                                                    struct sotto_view bytes,
                                                    const cyaml_schema_value_t *schema,
                                                    const struct sotto_config_overrides *overrides,
                                                    struct sotto_fault *fault);

void sotto_config_free(void *config, const cyaml_schema_value_t *schema);

#endif
