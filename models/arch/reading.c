#include "models/arch/reading.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { KNOWN_TEXT_MAX = 256 };

enum sotto_status sotto_reading_open(struct sotto_reading *reading, struct sotto_view json,
                                     const char *path, struct sotto_fault *fault)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)json.at, json.length, JSON_REJECT_DUPLICATES, &error);

    *reading = (struct sotto_reading){NULL, path, fault};
    if (object == NULL)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: line %d: %s", path, error.line,
                               error.text);
    if (!json_is_object(object)) {
        json_decref(object);
        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: not a JSON object", path);
    }
    reading->object = object;
    return SOTTO_OK;
}

void sotto_reading_close(struct sotto_reading *reading)
{
    json_decref(reading->object);
    reading->object = NULL;
}

json_t *sotto_reading_find(const struct sotto_reading *reading, const char *key)
{
    json_t *value = json_object_get(reading->object, key);

    return json_is_null(value) ? NULL : value;
}

enum sotto_status sotto_reading_enter(struct sotto_reading *inner,
                                      const struct sotto_reading *reading, const char *key)
{
    json_t *value = sotto_reading_find(reading, key);

    if (value != NULL && !json_is_object(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s must be an object",
                               reading->path, key);
    *inner = (struct sotto_reading){value, reading->path, reading->fault};
    return SOTTO_OK;
}

static enum sotto_status missing(const struct sotto_reading *reading, const char *key)
{
    return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: the key %s is missing",
                           reading->path, key);
}

enum sotto_status sotto_reading_count(uint32_t *out, const struct sotto_reading *reading,
                                      const char *key, uint32_t max, uint32_t absent)
{
    json_t *value = sotto_reading_find(reading, key);

    if (value == NULL && absent == 0)
        return missing(reading, key);
    if (value != NULL && (!json_is_integer(value) || json_integer_value(value) < 1))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: %s must be a whole number of at least 1", reading->path, key);
    if (value != NULL && json_integer_value(value) > max)
        return sotto_fault_set(reading->fault, SOTTO_OVER_LIMIT, "%s: %s is above the limit of %u",
                               reading->path, key, max);
    *out = value == NULL ? absent : (uint32_t)json_integer_value(value);
    return SOTTO_OK;
}

enum sotto_status sotto_reading_number(double *out, const struct sotto_reading *reading,
                                       const char *key, double max, double absent)
{
    json_t *value = sotto_reading_find(reading, key);

    if (value == NULL && !(absent > 0.0))
        return missing(reading, key);
    if (value != NULL && (!json_is_number(value) || !(json_number_value(value) > 0.0) ||
                          !(json_number_value(value) <= max)))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED,
                               "%s: %s must be a number above 0 and at most %g", reading->path, key,
                               max);
    *out = value == NULL ? absent : json_number_value(value);
    return SOTTO_OK;
}

enum sotto_status sotto_reading_flag(bool *out, const struct sotto_reading *reading,
                                     const char *key, bool absent)
{
    json_t *value = sotto_reading_find(reading, key);

    if (value != NULL && !json_is_boolean(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s must be true or false",
                               reading->path, key);
    *out = value == NULL ? absent : json_is_true(value);
    return SOTTO_OK;
}

/* "known is: a" or "known are: a, b". */
static void list_known(char text[KNOWN_TEXT_MAX], const struct sotto_known_word *known)
{
    size_t length =
        (size_t)snprintf(text, KNOWN_TEXT_MAX, "known %s: ", known[1].word == NULL ? "is" : "are");

    for (size_t i = 0; known[i].word != NULL && length < KNOWN_TEXT_MAX; i++)
        length += (size_t)snprintf(text + length, KNOWN_TEXT_MAX - length, "%s%s",
                                   i == 0 ? "" : ", ", known[i].word);
}

enum sotto_status sotto_reading_word(int *out, const struct sotto_reading *reading, const char *key,
                                     const struct sotto_known_word *known)
{
    json_t *value = sotto_reading_find(reading, key);
    char text[KNOWN_TEXT_MAX];
    size_t found = 0;

    if (value != NULL && !json_is_string(value))
        return sotto_fault_set(reading->fault, SOTTO_MALFORMED, "%s: %s must be text",
                               reading->path, key);
    while (value != NULL && known[found].word != NULL &&
           strcmp(known[found].word, json_string_value(value)) != 0)
        found++;
    if (known[found].word == NULL) {
        list_known(text, known);
        return sotto_fault_set(reading->fault, SOTTO_UNSUPPORTED, "%s: %s is '%.60s'; %s",
                               reading->path, key, json_string_value(value), text);
    }
    *out = known[found].value;
    return SOTTO_OK;
}
