#include "models/tokenise/frame.h"

#include <string.h>

static const char *const template_keys[] = {"type", "single", "pair", "special_tokens", NULL};
static const char *const piece_keys[] = {"SpecialToken", "Sequence", NULL};
static const char *const pair_keys[] = {"type", "sep", "cls", "trim_offsets", "add_prefix_space",
                                        NULL};
static const char *const byte_level_keys[] = {"type", "add_prefix_space", "trim_offsets",
                                              "use_regex", NULL};

static enum sotto_status add(uint32_t *list, size_t *count, const json_t *value,
                             const struct sotto_part *reading)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) >= SOTTO_VOCABULARY_MAX)
        return sotto_part_fault(reading, SOTTO_MALFORMED, "a special token has no index");
    if (*count == SOTTO_FRAME_MAX)
        return sotto_part_fault(reading, SOTTO_OVER_LIMIT, "more than %d special tokens",
                                SOTTO_FRAME_MAX);
    list[(*count)++] = (uint32_t)json_integer_value(value);
    return SOTTO_OK;
}

/* The indices of a special token that a template names. */
static enum sotto_status add_named(uint32_t *list, size_t *count, const char *name,
                                   const struct sotto_part *reading)
{
    const json_t *known = json_object_get(reading->object, "special_tokens");
    const json_t *ids = name == NULL ? NULL : json_object_get(json_object_get(known, name), "ids");
    enum sotto_status status = SOTTO_OK;

    if (!json_is_array(ids))
        return sotto_part_fault(reading, SOTTO_MALFORMED,
                                "special_tokens has no indices for '%.40s'",
                                name == NULL ? "" : name);
    for (size_t i = 0; i < json_array_size(ids) && status == SOTTO_OK; i++)
        status = add(list, count, json_array_get(ids, i), reading);
    return status;
}

static enum sotto_status decode_template(struct sotto_frame *frame,
                                         const struct sotto_part *reading)
{
    const json_t *single = json_object_get(reading->object, "single");
    size_t sequence_count = 0;
    enum sotto_status status = sotto_part_keys(reading, template_keys);

    if (status == SOTTO_OK && !json_is_array(single))
        status = sotto_part_fault(reading, SOTTO_MALFORMED, "single must be a list");
    for (size_t i = 0; i < json_array_size(single) && status == SOTTO_OK; i++) {
        struct sotto_part piece = sotto_part_at(reading, json_array_get(single, i), reading->part);
        const json_t *special = json_object_get(piece.object, "SpecialToken");
        const json_t *sequence = json_object_get(piece.object, "Sequence");
        const json_t *type = json_object_get(special == NULL ? sequence : special, "type_id");

        status = sotto_part_keys(&piece, piece_keys);
        if (status == SOTTO_OK && json_integer_value(type) != 0)
            status = sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                      "a type_id other than 0 is not supported");
        if (status == SOTTO_OK && special == NULL)
            sequence_count++;
        else if (status == SOTTO_OK && sequence_count == 0)
            status = add_named(frame->before, &frame->before_count,
                               json_string_value(json_object_get(special, "id")), reading);
        else if (status == SOTTO_OK)
            status = add_named(frame->after, &frame->after_count,
                               json_string_value(json_object_get(special, "id")), reading);
    }
    if (status == SOTTO_OK && sequence_count != 1)
        status = sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                  "single is supported with the sequence once in it");
    return status;
}

/* BERT's and RoBERTa's: cls before, sep after, each a pair of text and index. */
static enum sotto_status decode_pair(struct sotto_frame *frame, const struct sotto_part *reading)
{
    enum sotto_status status = sotto_part_keys(reading, pair_keys);

    if (status == SOTTO_OK)
        status = add(frame->before, &frame->before_count,
                     json_array_get(json_object_get(reading->object, "cls"), 1), reading);
    if (status == SOTTO_OK)
        status = add(frame->after, &frame->after_count,
                     json_array_get(json_object_get(reading->object, "sep"), 1), reading);
    return status;
}

static enum sotto_status decode_one(void *context, const struct sotto_part *reading)
{
    struct sotto_frame *frame = context;
    char type[48];

    sotto_part_type(reading, type);
    if (strcmp(type, "ByteLevel") == 0)
        return sotto_part_keys(reading, byte_level_keys);
    if (frame->before_count + frame->after_count > 0)
        return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                                "'%s' after another one is not supported", type);
    if (strcmp(type, "TemplateProcessing") == 0)
        return decode_template(frame, reading);
    if (strcmp(type, "BertProcessing") == 0 || strcmp(type, "RobertaProcessing") == 0)
        return decode_pair(frame, reading);
    return sotto_part_fault(reading, SOTTO_UNSUPPORTED,
                            "'%s' is not supported; known are: BertProcessing, ByteLevel, "
                            "RobertaProcessing, Sequence, TemplateProcessing",
                            type);
}

enum sotto_status sotto_frame_decode(struct sotto_frame *frame, const struct sotto_part *reading)
{
    *frame = (struct sotto_frame){0};
    return sotto_part_sequence(reading, "processors", decode_one, frame);
}
