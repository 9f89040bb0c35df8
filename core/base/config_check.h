/*
 * Whether a config fits its schema; libcyaml itself tells neither the line of an unknown key nor
 * what it wants.
 */
#ifndef SOTTO_CORE_BASE_CONFIG_CHECK_H
#define SOTTO_CORE_BASE_CONFIG_CHECK_H

#include "core/base/config_text.h"

/*
 * Walks the text's document along the schema: keys, kinds of values, whole numbers within their
 * size, finite reals, lengths of strings and lists. SOTTO_MALFORMED at the first mistake,
 * SOTTO_NO_MEMORY.
 *
 *   is_empty  out  the text has no document
 */
SOTTO_CHECKED enum sotto_status sotto_config_check(bool *is_empty,
                                                   const struct sotto_config_text *text,
                                                   const cyaml_schema_value_t *schema,
                                                   struct sotto_fault *fault);

#endif
