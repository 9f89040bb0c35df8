#include "core/base/config_check.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_MAX = 400, SHOWN_MAX = 48 };

struct check {
    const struct sotto_config_text *text;
    yaml_document_t *document;
    struct sotto_fault *fault;
};

/* A value being checked: its node, what the schema says, and the key that it stands under. */
struct value {
    yaml_node_t *node;
    const cyaml_schema_value_t *schema;
    const char *key; /* NULL: the root */
};

/* Text of the file, shortened and without control characters, for a message of one line. */
struct shown {
    char text[SHOWN_MAX];
};

static enum sotto_status check_value(const struct check *check, const struct value *value);

static struct shown show(const yaml_node_t *node)
{
    struct shown shown = {""};

    if (node->type != YAML_SCALAR_NODE) {
        snprintf(shown.text, sizeof shown.text, "%s",
                 node->type == YAML_MAPPING_NODE ? "{...}" : "[...]");
        return shown;
    }
    snprintf(shown.text, sizeof shown.text, "%s", (const char *)node->data.scalar.value);
    for (char *at = shown.text; *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at))
            *at = '?';
    }
    return shown;
}

static enum sotto_status fail_at(const struct check *check, const yaml_node_t *node,
                                 const char *format, ...) __attribute__((format(printf, 3, 4)));

static enum sotto_status fail_at(const struct check *check, const yaml_node_t *node,
                                 const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    if (vsnprintf(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    return sotto_config_text_fault(check->text, node->start_mark.line, check->fault, message);
}

/* `"rounds" must be WANTED, not "ten"`. */
static enum sotto_status fail_value(const struct check *check, const struct value *value,
                                    const char *wanted)
{
    if (value->key == NULL)
        return fail_at(check, value->node, "the top level must be %s, not \"%s\"", wanted,
                       show(value->node).text);
    return fail_at(check, value->node, "\"%s\" must be %s, not \"%s\"", value->key, wanted,
                   show(value->node).text);
}

/* Adds `, name` to a list in list[MESSAGE_MAX]; what does not fit is cut. */
static void list_name(char list[MESSAGE_MAX], const char *name)
{
    size_t length = strlen(list);

    snprintf(list + length, MESSAGE_MAX - length, "%s%s", length == 0 ? "" : ", ", name);
}

static bool is_digits(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text) &&
           (text[0] != '0' || text[1] == '\0');
}

static enum sotto_status check_uint(const struct check *check, const struct value *value)
{
    uint64_t most = UINT64_MAX >> (64 - 8 * value->schema->data_size);
    const char *text = (const char *)value->node->data.scalar.value;
    char wanted[MESSAGE_MAX];

    errno = 0;
    if (is_digits(text) && strtoull(text, NULL, 10) <= most && errno == 0)
        return SOTTO_OK;
    snprintf(wanted, sizeof wanted, "a whole number from 0 to %" PRIu64, most);
    return fail_value(check, value, wanted);
}

static enum sotto_status check_int(const struct check *check, const struct value *value)
{
    int64_t most = INT64_MAX >> (64 - 8 * value->schema->data_size);
    const char *text = (const char *)value->node->data.scalar.value;
    char wanted[MESSAGE_MAX];
    int64_t number;

    errno = 0;
    number = strtoll(text, NULL, 10);
    if (is_digits(text[0] == '-' ? text + 1 : text) && number >= -most - 1 && number <= most &&
        errno == 0)
        return SOTTO_OK;
    snprintf(wanted, sizeof wanted, "a whole number from %" PRId64 " to %" PRId64, -most - 1, most);
    return fail_value(check, value, wanted);
}

static enum sotto_status check_float(const struct check *check, const struct value *value)
{
    double most = value->schema->data_size == sizeof(float) ? (double)FLT_MAX : DBL_MAX;
    const char *text = (const char *)value->node->data.scalar.value;
    char *end;
    double number = strtod(text, &end);

    if (strspn(text, "0123456789+-.eE") == strlen(text) && end != text && *end == '\0' &&
        fabs(number) <= most)
        return SOTTO_OK;
    return fail_value(check, value, "a finite number");
}

static enum sotto_status check_bool(const struct check *check, const struct value *value)
{
    const char *text = (const char *)value->node->data.scalar.value;

    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        return SOTTO_OK;
    return fail_value(check, value, "true or false");
}

static enum sotto_status check_enum(const struct check *check, const struct value *value)
{
    const char *text = (const char *)value->node->data.scalar.value;
    char names[MESSAGE_MAX] = "";
    char wanted[MESSAGE_MAX];

    for (uint32_t i = 0; i < value->schema->enumeration.count; i++) {
        if (strcmp(text, value->schema->enumeration.strings[i].str) == 0)
            return SOTTO_OK;
        list_name(names, value->schema->enumeration.strings[i].str);
    }
    snprintf(wanted, sizeof wanted, "one of %.300s", names);
    return fail_value(check, value, wanted);
}

static enum sotto_status check_string(const struct check *check, const struct value *value)
{
    size_t length = value->node->data.scalar.length;
    char wanted[MESSAGE_MAX];

    if (strlen((const char *)value->node->data.scalar.value) != length)
        return fail_value(check, value, "text without a zero byte");
    if (length < value->schema->string.min) {
        snprintf(wanted, sizeof wanted, "at least %" PRIu32 " bytes long",
                 value->schema->string.min);
        return fail_value(check, value, wanted);
    }
    if (length > value->schema->string.max) {
        snprintf(wanted, sizeof wanted, "at most %" PRIu32 " bytes long",
                 value->schema->string.max);
        return fail_value(check, value, wanted);
    }
    return SOTTO_OK;
}

static enum sotto_status check_sequence(const struct check *check, const struct value *value)
{
    yaml_node_t *node = value->node;
    size_t count = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    char wanted[MESSAGE_MAX];

    if (count < value->schema->sequence.min || count > value->schema->sequence.max) {
        snprintf(wanted, sizeof wanted, "a list of %" PRIu32 " to %" PRIu32 " entries",
                 value->schema->sequence.min, value->schema->sequence.max);
        return fail_value(check, value, wanted);
    }
    for (size_t i = 0; i < count; i++) {
        struct value entry = {
            .node = yaml_document_get_node(check->document, node->data.sequence.items.start[i]),
            .schema = value->schema->sequence.entry,
            .key = value->key,
        };
        enum sotto_status status = check_value(check, &entry);

        if (status != SOTTO_OK)
            return status;
    }
    return SOTTO_OK;
}

static const cyaml_schema_field_t *field_of(const cyaml_schema_field_t *fields,
                                            const yaml_node_t *key)
{
    if (key->type != YAML_SCALAR_NODE)
        return NULL;
    for (; fields->key != NULL; fields++) {
        if (strlen(fields->key) == key->data.scalar.length &&
            memcmp(fields->key, key->data.scalar.value, key->data.scalar.length) == 0)
            return fields;
    }
    return NULL;
}

static enum sotto_status fail_unknown_key(const struct check *check, const struct value *mapping,
                                          const yaml_node_t *key)
{
    char names[MESSAGE_MAX] = "";

    for (const cyaml_schema_field_t *field = mapping->schema->mapping.fields; field->key != NULL;
         field++)
        list_name(names, field->key);
    if (mapping->key == NULL)
        return fail_at(check, key, "unknown key \"%s\": expected one of %s", show(key).text, names);
    return fail_at(check, key, "unknown key \"%s\" in \"%s\": expected one of %s", show(key).text,
                   mapping->key, names);
}

/* The key of pair `index`, which must not have stood before. */
static enum sotto_status check_repeat(const struct check *check, const struct value *mapping,
                                      size_t index)
{
    const yaml_node_pair_t *pairs = mapping->node->data.mapping.pairs.start;
    const yaml_node_t *key = yaml_document_get_node(check->document, pairs[index].key);

    for (size_t i = 0; i < index; i++) {
        const yaml_node_t *before = yaml_document_get_node(check->document, pairs[i].key);

        if (field_of(mapping->schema->mapping.fields, before) ==
            field_of(mapping->schema->mapping.fields, key))
            return fail_at(check, key, "\"%s\" stands here and in line %zu; remove one",
                           show(key).text, before->start_mark.line + 1);
    }
    return SOTTO_OK;
}

static enum sotto_status check_pair(const struct check *check, const struct value *mapping,
                                    size_t index)
{
    const yaml_node_pair_t *pair = &mapping->node->data.mapping.pairs.start[index];
    const yaml_node_t *key = yaml_document_get_node(check->document, pair->key);
    const cyaml_schema_field_t *field = field_of(mapping->schema->mapping.fields, key);
    struct value value = {.node = yaml_document_get_node(check->document, pair->value)};
    enum sotto_status status;

    if (field == NULL)
        return fail_unknown_key(check, mapping, key);
    status = check_repeat(check, mapping, index);
    if (status != SOTTO_OK)
        return status;
    value.schema = &field->value;
    value.key = field->key;
    return check_value(check, &value);
}

static bool has_field(const struct check *check, const struct value *mapping,
                      const cyaml_schema_field_t *field)
{
    const yaml_node_pair_t *pairs = mapping->node->data.mapping.pairs.start;
    size_t count = (size_t)(mapping->node->data.mapping.pairs.top - pairs);

    for (size_t i = 0; i < count; i++) {
        if (field_of(mapping->schema->mapping.fields,
                     yaml_document_get_node(check->document, pairs[i].key)) == field)
            return true;
    }
    return false;
}

static enum sotto_status fail_missing(const struct check *check, const struct value *mapping,
                                      const char *key)
{
    if (mapping->key == NULL)
        return fail_at(check, mapping->node, "the key \"%s\" is missing", key);
    return fail_at(check, mapping->node, "the key \"%s\" is missing in \"%s\"", key, mapping->key);
}

static enum sotto_status check_mapping(const struct check *check, const struct value *value)
{
    const yaml_node_pair_t *pairs = value->node->data.mapping.pairs.start;
    size_t count = (size_t)(value->node->data.mapping.pairs.top - pairs);

    for (size_t i = 0; i < count; i++) {
        enum sotto_status status = check_pair(check, value, i);

        if (status != SOTTO_OK)
            return status;
    }
    for (const cyaml_schema_field_t *field = value->schema->mapping.fields; field->key != NULL;
         field++) {
        bool is_optional = (field->value.flags & CYAML_FLAG_OPTIONAL) != 0;

        if (!is_optional && !has_field(check, value, field))
            return fail_missing(check, value, field->key);
    }
    return SOTTO_OK;
}

/* The kind of node that a type is written as; YAML_NO_NODE: any, libcyaml judges. */
static yaml_node_type_t node_type_of(cyaml_type_e type)
{
    switch (type) {
    case CYAML_INT:
    case CYAML_UINT:
    case CYAML_BOOL:
    case CYAML_ENUM:
    case CYAML_FLOAT:
    case CYAML_STRING: return YAML_SCALAR_NODE;
    case CYAML_MAPPING: return YAML_MAPPING_NODE;
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED: return YAML_SEQUENCE_NODE;
    case CYAML_FLAGS:
    case CYAML_BITFIELD:
    case CYAML_IGNORE:
    case CYAML__TYPE_COUNT: return YAML_NO_NODE;
    }
    return YAML_NO_NODE;
}

static const char *node_type_name(yaml_node_type_t type)
{
    switch (type) {
    case YAML_SCALAR_NODE: return "a single value";
    case YAML_SEQUENCE_NODE: return "a list";
    case YAML_MAPPING_NODE: return "a mapping of keys to values";
    case YAML_NO_NODE: break;
    }
    return "something else";
}

static enum sotto_status check_value(const struct check *check, const struct value *value)
{
    yaml_node_type_t wanted = node_type_of(value->schema->type);
    bool may_be_null = (value->schema->flags & CYAML_FLAG_POINTER_NULL) == CYAML_FLAG_POINTER_NULL;

    if (wanted == YAML_NO_NODE)
        return SOTTO_OK;
    if (may_be_null && value->node->type == YAML_SCALAR_NODE &&
        value->node->data.scalar.length == 0)
        return SOTTO_OK;
    if (value->node->type != wanted)
        return fail_value(check, value, node_type_name(wanted));
    switch (value->schema->type) {
    case CYAML_INT: return check_int(check, value);
    case CYAML_UINT: return check_uint(check, value);
    case CYAML_BOOL: return check_bool(check, value);
    case CYAML_ENUM: return check_enum(check, value);
    case CYAML_FLOAT: return check_float(check, value);
    case CYAML_STRING: return check_string(check, value);
    case CYAML_MAPPING: return check_mapping(check, value);
    case CYAML_SEQUENCE:
    case CYAML_SEQUENCE_FIXED: return check_sequence(check, value);
    case CYAML_FLAGS:
    case CYAML_BITFIELD:
    case CYAML_IGNORE:
    case CYAML__TYPE_COUNT: return SOTTO_OK;
    }
    return SOTTO_OK;
}

/* An empty text is an empty mapping. */
static enum sotto_status check_empty(const struct check *check, const cyaml_schema_value_t *schema)
{
    yaml_node_t nothing = {.type = YAML_MAPPING_NODE};
    struct value root = {.node = &nothing, .schema = schema};

    if (schema->type != CYAML_MAPPING)
        return fail_at(check, &nothing, "the file is empty");
    return check_mapping(check, &root);
}

enum sotto_status sotto_config_check(bool *is_empty, const struct sotto_config_text *text,
                                     const cyaml_schema_value_t *schema, struct sotto_fault *fault)
{
    yaml_parser_t parser;
    yaml_document_t document;
    struct check check = {.text = text, .document = &document, .fault = fault};
    struct value root = {.schema = schema};
    enum sotto_status status = sotto_config_text_parse(&parser, text);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "no memory to read %s", text->name);
    /* The text has been walked once without a problem, so that only memory can be short here. */
    if (!yaml_parser_load(&parser, &document)) {
        yaml_parser_delete(&parser);
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to read %s", text->name);
    }
    root.node = yaml_document_get_root_node(&document);
    *is_empty = root.node == NULL;
    status = *is_empty ? check_empty(&check, schema) : check_value(&check, &root);
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return status;
}
