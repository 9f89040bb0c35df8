/*
 * The text of a config with its overrides worked in, and where each of its lines comes from. Lines
 * of the file keep their numbers: a key that is overridden becomes a comment, and the overrides
 * follow the last key, one a line.
 */
#ifndef SOTTO_CORE_BASE_CONFIG_TEXT_H
#define SOTTO_CORE_BASE_CONFIG_TEXT_H

#include <stdbool.h>
#include <yaml.h>

#include "core/base/config.h"

struct sotto_config_text {
    const char *name;                               /* borrowed, as the overrides are */
    const struct sotto_config_overrides *overrides; /* NULL: none */
    size_t override_line;                           /* of the first override, from 0 */
    char *at;
    size_t length;
};

/*
 * Copies `bytes` and works the overrides in. What comes out is one YAML document without aliases,
 * or none at all.
 *
 * SOTTO_MALFORMED (not YAML, several documents, an alias, an override that is not key=value),
 * SOTTO_OVER_LIMIT, SOTTO_NO_MEMORY: text is empty and safe to close.
 */
SOTTO_CHECKED enum sotto_status sotto_config_text_open(
    struct sotto_config_text *text, const char *name, struct sotto_view bytes,
    const struct sotto_config_overrides *overrides, struct sotto_fault *fault);
void sotto_config_text_close(struct sotto_config_text *text);

/* Sets up a libyaml parser over the text; the caller deletes it. */
SOTTO_CHECKED enum sotto_status sotto_config_text_parse(yaml_parser_t *parser,
                                                        const struct sotto_config_text *text);

/*
 * SOTTO_MALFORMED, told as `name:line: message`, or as `name, override key=value: message` where
 * the line is that of an override.
 *
 *   line  in  from 0, as libyaml counts
 */
enum sotto_status sotto_config_text_fault(const struct sotto_config_text *text, size_t line,
                                          struct sotto_fault *fault, const char *message);

#endif
