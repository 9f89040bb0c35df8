#include "models/data/label.h"

#include <stdio.h>
#include <string.h>

/* A label is at most so long. */
enum { SHOWN_MAX = 48, DIGITS_MAX = 9 };

static enum sotto_status take_index(uint32_t *label, const struct sotto_label_names *labels,
                                    json_int_t index, char *why)
{
    if (index < 0 || index >= (json_int_t)labels->count) {
        snprintf(why, SOTTO_FAULT_TEXT_MAX,
                 "the label %lld is not below %zu, the number of labels: correct it",
                 (long long)index, labels->count);
        return SOTTO_MISMATCH;
    }
    *label = (uint32_t)index;
    return SOTTO_OK;
}

/* The number that decimal digits alone make; -1: it is something else. */
static json_int_t number_of(struct sotto_view text)
{
    json_int_t number = 0;

    if (text.length == 0 || text.length > DIGITS_MAX)
        return -1;
    for (size_t i = 0; i < text.length; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return -1;
        number = 10 * number + (text.at[i] - '0');
    }
    return number;
}

enum sotto_status sotto_label_of_text(uint32_t *label, const struct sotto_label_names *labels,
                                      struct sotto_view text, char *why)
{
    json_int_t number = number_of(text);

    for (size_t i = 0; i < labels->count; i++) {
        if (sotto_view_equal(text, sotto_view_text(labels->names[i]))) {
            *label = (uint32_t)i;
            return SOTTO_OK;
        }
    }
    if (number >= 0)
        return take_index(label, labels, number, why);
    snprintf(why, SOTTO_FAULT_TEXT_MAX,
             "the label '%.*s' is none of the %zu labels, such as '%s': correct it",
             text.length < SHOWN_MAX ? (int)text.length : SHOWN_MAX, (const char *)text.at,
             labels->count, labels->count > 0 ? labels->names[0] : "");
    return SOTTO_MISMATCH;
}

enum sotto_status sotto_label_of_json(uint32_t *label, const struct sotto_label_names *labels,
                                      const json_t *value, char *why)
{
    if (json_is_string(value))
        return sotto_label_of_text(
            label, labels, sotto_view_of(json_string_value(value), json_string_length(value)), why);
    if (json_is_integer(value))
        return take_index(label, labels, json_integer_value(value), why);
    snprintf(why, SOTTO_FAULT_TEXT_MAX,
             "label must be a name or an index: give one, as in {\"text\": \"...\", \"label\": "
             "0}");
    return SOTTO_MALFORMED;
}
