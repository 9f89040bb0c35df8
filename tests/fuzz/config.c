#include "core/base/config.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

struct inner {
    int32_t low;
};

struct config {
    char *url;
    uint32_t rounds;
    bool strict;
    double rate;
    int kind;
    struct inner inner;
    char **targets;
    uint32_t targets_count;
};

static const cyaml_strval_t kinds[] = {{"photo", 0}, {"text", 1}};

static const cyaml_schema_field_t inner_fields[] = {
    CYAML_FIELD_INT("low", CYAML_FLAG_DEFAULT, struct inner, low),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t target_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 8),
};

static const cyaml_schema_field_t fields[] = {
    CYAML_FIELD_STRING_PTR("url", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config, url, 0,
                           20),
    CYAML_FIELD_UINT("rounds", CYAML_FLAG_OPTIONAL, struct config, rounds),
    CYAML_FIELD_BOOL("strict", CYAML_FLAG_OPTIONAL, struct config, strict),
    CYAML_FIELD_FLOAT("rate", CYAML_FLAG_OPTIONAL, struct config, rate),
    CYAML_FIELD_ENUM("kind", CYAML_FLAG_OPTIONAL, struct config, kind, kinds, 2),
    CYAML_FIELD_MAPPING("inner", CYAML_FLAG_OPTIONAL, struct config, inner, inner_fields),
    CYAML_FIELD_SEQUENCE("targets", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct config,
                         targets, &target_schema, 1, 3),
    CYAML_FIELD_END,
};

static const cyaml_schema_value_t schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, fields),
};

static enum sotto_status decode(struct sotto_view bytes,
                                const struct sotto_config_overrides *overrides)
{
    struct sotto_fault fault = {0};
    void *out;
    enum sotto_status status =
        sotto_config_decode(&out, "fuzz.yaml", bytes, &schema, overrides, &fault);

    if ((status == SOTTO_OK) != (out != NULL))
        abort();
    /* A person is told something, in one line. */
    if (status != SOTTO_OK && (fault.text[0] == '\0' || strchr(fault.text, '\n') != NULL))
        abort();
    sotto_config_free(out, &schema);
    return status;
}

/* Once as it is; and with overrides, which a good file in block style must take. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *const items[] = {"rounds=7", "targets=[q, v]"};
    const struct sotto_config_overrides overrides = {.items = items, .count = 2};

    (void)decode(sotto_view_of(bytes, length), NULL);
    (void)decode(sotto_view_of(bytes, length), &overrides);
    return 0;
}
