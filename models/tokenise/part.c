#include "models/tokenise/part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct sotto_part sotto_part_at(const struct sotto_part *reading, const json_t *object,
                                const char *part)
{
    return (struct sotto_part){object, part, reading->path, reading->fault};
}

enum sotto_status sotto_part_fault(const struct sotto_part *reading, enum sotto_status status,
                                   const char *format, ...)
{
    char text[SOTTO_FAULT_TEXT_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return sotto_fault_set(reading->fault, status, "%s: %s: %s", reading->path, reading->part,
                           text);
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known != NULL; known++) {
        if (strcmp(key, *known) == 0)
            return true;
    }
    return false;
}

enum sotto_status sotto_part_keys(const struct sotto_part *reading, const char *const *known)
{
    json_t *object = (json_t *)(uintptr_t)reading->object;

    if (!json_is_object(reading->object))
        return sotto_part_fault(reading, SOTTO_MALFORMED, "not a JSON object");
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        if (!is_known(json_object_iter_key(at), known))
            return sotto_part_fault(reading, SOTTO_UNSUPPORTED, "the key '%.40s' is not supported",
                                    json_object_iter_key(at));
    }
    return SOTTO_OK;
}

/* NULL where the key is absent or null. */
static const json_t *value_of(const struct sotto_part *reading, const char *key)
{
    const json_t *value = json_object_get(reading->object, key);

    return json_is_null(value) ? NULL : value;
}

enum sotto_status sotto_part_flag(const struct sotto_part *reading, const char *key, bool *out)
{
    const json_t *value = value_of(reading, key);

    if (value == NULL)
        return SOTTO_OK;
    if (!json_is_boolean(value))
        return sotto_part_fault(reading, SOTTO_MALFORMED, "%s must be true or false", key);
    *out = json_is_true(value);
    return SOTTO_OK;
}

enum sotto_status sotto_part_number(const struct sotto_part *reading, const char *key, uint32_t max,
                                    uint32_t *out)
{
    const json_t *value = value_of(reading, key);

    if (value == NULL)
        return SOTTO_OK;
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > max)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "%s must be a whole number from 0 to %u",
                                key, max);
    *out = (uint32_t)json_integer_value(value);
    return SOTTO_OK;
}

enum sotto_status sotto_part_text(const struct sotto_part *reading, const char *key,
                                  struct sotto_view *out)
{
    const json_t *value = value_of(reading, key);

    if (value == NULL)
        return SOTTO_OK;
    if (!json_is_string(value))
        return sotto_part_fault(reading, SOTTO_MALFORMED, "%s must be text", key);
    *out = sotto_view_of(json_string_value(value), json_string_length(value));
    return SOTTO_OK;
}

void sotto_part_type(const struct sotto_part *reading, char type[48])
{
    const char *text = json_string_value(json_object_get(reading->object, "type"));

    snprintf(type, 48, "%s", text == NULL ? "" : text);
}

enum sotto_status sotto_part_sequence(const struct sotto_part *reading, const char *list,
                                      enum sotto_status (*decode)(void *context,
                                                                  const struct sotto_part *step),
                                      void *context)
{
    const char *const keys[] = {"type", list, NULL};
    const json_t *steps = json_object_get(reading->object, list);
    char type[48];
    enum sotto_status status;

    if (reading->object == NULL || json_is_null(reading->object))
        return SOTTO_OK;
    sotto_part_type(reading, type);
    if (strcmp(type, "Sequence") != 0)
        return decode(context, reading);
    status = sotto_part_keys(reading, keys);
    if (status == SOTTO_OK && !json_is_array(steps))
        status = sotto_part_fault(reading, SOTTO_MALFORMED, "%s must be a list", list);
    for (size_t i = 0; i < json_array_size(steps) && status == SOTTO_OK; i++) {
        struct sotto_part step = sotto_part_at(reading, json_array_get(steps, i), reading->part);

        status = decode(context, &step);
    }
    return status;
}

static enum sotto_status add_all(struct sotto_vocabulary *vocabulary, json_t *object,
                                 const struct sotto_part *reading)
{
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at)) {
        const json_t *value = json_object_iter_value(at);
        struct sotto_view token =
            sotto_view_of(json_object_iter_key(at), json_object_iter_key_len(at));

        if (!json_is_integer(value) || json_integer_value(value) < 0 ||
            json_integer_value(value) >= SOTTO_VOCABULARY_MAX)
            return sotto_part_fault(reading, SOTTO_MALFORMED,
                                    "vocab: the index of '%.40s' must be a whole number below %d",
                                    json_object_iter_key(at), SOTTO_VOCABULARY_MAX);
        if (sotto_vocabulary_add(vocabulary, token, (uint32_t)json_integer_value(value)) !=
            SOTTO_OK)
            return sotto_part_fault(reading, SOTTO_OVER_LIMIT,
                                    "vocab: the token '%.40s...' is longer than %d bytes",
                                    json_object_iter_key(at), SOTTO_TOKEN_BYTES_MAX);
    }
    return SOTTO_OK;
}

enum sotto_status sotto_part_vocabulary(struct sotto_vocabulary *vocabulary,
                                        const struct sotto_part *reading)
{
    json_t *object = json_object_get(reading->object, "vocab");
    size_t byte_count = 0;
    enum sotto_status status;

    *vocabulary = (struct sotto_vocabulary){0};
    if (!json_is_object(object) || json_object_size(object) == 0)
        return sotto_part_fault(reading, SOTTO_MALFORMED,
                                "vocab must be an object of tokens and their indices");
    if (json_object_size(object) > SOTTO_VOCABULARY_MAX)
        return sotto_part_fault(reading, SOTTO_OVER_LIMIT, "vocab has more than %d tokens",
                                SOTTO_VOCABULARY_MAX);
    for (void *at = json_object_iter(object); at != NULL; at = json_object_iter_next(object, at))
        byte_count += json_object_iter_key_len(at);
    if (sotto_vocabulary_open(vocabulary, json_object_size(object), byte_count) != SOTTO_OK)
        return sotto_part_fault(reading, SOTTO_NO_MEMORY, "no memory for the vocabulary");
    status = add_all(vocabulary, object, reading);
    if (status != SOTTO_OK)
        sotto_vocabulary_close(vocabulary);
    return status;
}
