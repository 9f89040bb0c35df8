#include "core/base/config_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OVERRIDES_MAX = 64, OVERRIDE_BYTES_MAX = 1024 };

/*
 * What a walk over the events of a document finds out. Places are in characters, as libyaml counts.
 */
struct outline {
    const char *wanted; /* a top-level key to look for, not terminated; NULL for none */
    size_t wanted_length;
    bool found;
    size_t found_first; /* the wanted key and its value: [found_first, found_end) */
    size_t found_end;
    bool has_root;
    bool has_block_mapping; /* the root is one */
    size_t column;          /* of its keys */
    size_t end;             /* of it */
    size_t depth;           /* of open collections */
    size_t node_count;      /* nodes of the root so far: even where a key is due */
    size_t document_count;
    bool is_open; /* the wanted key's value is being passed */
};

enum sotto_status sotto_config_text_fault(const struct sotto_config_text *text, size_t line,
                                          struct sotto_fault *fault, const char *message)
{
    size_t count = text->overrides == NULL ? 0 : text->overrides->count;

    if (count > 0 && line >= text->override_line) {
        size_t index = line - text->override_line;

        return sotto_fault_set(fault, SOTTO_MALFORMED, "%s, override %.80s: %s", text->name,
                               text->overrides->items[index < count ? index : count - 1], message);
    }
    return sotto_fault_set(fault, SOTTO_MALFORMED, "%s:%zu: %s", text->name, line + 1, message);
}

enum sotto_status sotto_config_text_parse(yaml_parser_t *parser,
                                          const struct sotto_config_text *text)
{
    if (!yaml_parser_initialize(parser))
        return SOTTO_NO_MEMORY;
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)text->at, text->length);
    return SOTTO_OK;
}

static bool is_wanted(const struct outline *outline, const yaml_event_t *event)
{
    return outline->wanted != NULL && event->type == YAML_SCALAR_EVENT &&
           event->data.scalar.length == outline->wanted_length &&
           memcmp(event->data.scalar.value, outline->wanted, outline->wanted_length) == 0;
}

/* A key of the root begins: whatever belongs to the key before it ends here. */
static void note_key(struct outline *outline, const yaml_event_t *event)
{
    if (outline->node_count == 0)
        outline->column = event->start_mark.column;
    if (outline->is_open)
        outline->found_end = event->start_mark.index;
    outline->is_open = is_wanted(outline, event);
    if (outline->is_open) {
        outline->found = true;
        outline->found_first = event->start_mark.index;
    }
}

static void note_node_begin(struct outline *outline, const yaml_event_t *event)
{
    if (outline->depth == 0) {
        outline->has_root = true;
        outline->has_block_mapping = event->type == YAML_MAPPING_START_EVENT &&
                                     event->data.mapping_start.style == YAML_BLOCK_MAPPING_STYLE;
    }
    if (outline->depth == 1 && outline->node_count % 2 == 0)
        note_key(outline, event);
}

static void note_node_end(struct outline *outline, const yaml_event_t *event)
{
    if (outline->depth == 1)
        outline->node_count++;
    if (outline->depth > 0)
        return;
    outline->end = event->start_mark.index;
    if (outline->is_open)
        outline->found_end = outline->end;
}

/* What is wrong with the event itself; NULL if nothing is. */
static const char *note_event(struct outline *outline, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return ++outline->document_count > 1 ? "only one document is allowed; remove the '---'"
                                             : NULL;
    case YAML_ALIAS_EVENT: return "aliases are not allowed; write the value out";
    case YAML_SCALAR_EVENT:
        note_node_begin(outline, event);
        note_node_end(outline, event);
        return NULL;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        note_node_begin(outline, event);
        outline->depth++;
        return NULL;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        outline->depth--;
        note_node_end(outline, event);
        return NULL;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT: return NULL;
    }
    return NULL;
}

/* One event; `is_last` tells when the stream has ended. */
static enum sotto_status outline_step(struct outline *outline, bool *is_last, yaml_parser_t *parser,
                                      const struct sotto_config_text *text,
                                      struct sotto_fault *fault)
{
    yaml_event_t event;
    const char *problem;
    size_t line;

    if (!yaml_parser_parse(parser, &event)) {
        problem = parser->problem == NULL ? "this is not YAML" : parser->problem;
        if (parser->error == YAML_MEMORY_ERROR)
            return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to read %s", text->name);
        return sotto_config_text_fault(text, parser->problem_mark.line, fault, problem);
    }
    problem = note_event(outline, &event);
    line = event.start_mark.line;
    *is_last = event.type == YAML_STREAM_END_EVENT;
    yaml_event_delete(&event);
    return problem == NULL ? SOTTO_OK : sotto_config_text_fault(text, line, fault, problem);
}

/* Walks the whole text: whatever is no YAML, an alias or a second document shows here. */
static enum sotto_status outline_scan(struct outline *outline, const struct sotto_config_text *text,
                                      struct sotto_fault *fault)
{
    yaml_parser_t parser;
    bool is_last = false;
    enum sotto_status status = sotto_config_text_parse(&parser, text);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "no memory to read %s", text->name);
    while (status == SOTTO_OK && !is_last)
        status = outline_step(outline, &is_last, &parser, text, fault);
    yaml_parser_delete(&parser);
    return status;
}

/* The byte at which the `index`-th character of valid UTF-8 begins. */
static size_t byte_of(const struct sotto_config_text *text, size_t index)
{
    size_t at = 0;

    for (; at < text->length; at++) {
        bool begins = ((unsigned char)text->at[at] & 0xc0) != 0x80;

        if (begins && index-- == 0)
            break;
    }
    return at;
}

/* How much of an override is on its first line and free of control characters. */
static size_t line_length(const char *item)
{
    size_t length = 0;

    while ((unsigned char)item[length] >= ' ' && item[length] != 0x7f)
        length++;
    return length;
}

/* The length of the key in `key=value`; 0 if this is not one. */
static size_t key_length(const char *item)
{
    size_t length =
        strspn(item, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    size_t line = line_length(item);

    if (item[length] != '=' || item[0] == '-' || item[line] != '\0' || line > OVERRIDE_BYTES_MAX)
        return 0;
    return length;
}

static enum sotto_status check_overrides(const struct sotto_config_text *text,
                                         const struct sotto_config_overrides *overrides,
                                         struct sotto_fault *fault)
{
    if (overrides->count > OVERRIDES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: at most %d keys can be overridden",
                               text->name, OVERRIDES_MAX);
    for (size_t i = 0; i < overrides->count; i++) {
        if (key_length(overrides->items[i]) == 0)
            return sotto_fault_set(
                fault, SOTTO_MALFORMED, "%s, override %.*s: write it as key=value, on one line",
                text->name, (int)line_length(overrides->items[i]), overrides->items[i]);
    }
    return SOTTO_OK;
}

/* Makes a comment of the key that `item` overrides, if the text has it. */
static enum sotto_status blank_key(struct sotto_config_text *text, const char *item,
                                   struct sotto_fault *fault)
{
    struct outline outline = {.wanted = item, .wanted_length = key_length(item)};
    enum sotto_status status = outline_scan(&outline, text, fault);
    size_t end;

    if (status != SOTTO_OK || !outline.found)
        return status;
    end = byte_of(text, outline.found_end);
    for (size_t at = byte_of(text, outline.found_first); at < end; at++) {
        if ((unsigned char)text->at[at] > ' ')
            text->at[at] = '#';
    }
    return SOTTO_OK;
}

static size_t count_lines(const char *at, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += at[i] == '\n';
    return count;
}

/* Room for every override after the last key, in the column of the others. */
static enum sotto_status append_overrides(struct sotto_config_text *text,
                                          const struct sotto_config_overrides *overrides,
                                          const struct outline *outline)
{
    size_t end = outline->has_root ? byte_of(text, outline->end) : text->length;
    size_t capacity = text->length + 2 + overrides->count * (outline->column + 4);
    char *longer;
    size_t at;

    for (size_t i = 0; i < overrides->count; i++)
        capacity += strlen(overrides->items[i]);
    longer = malloc(capacity);
    if (longer == NULL)
        return SOTTO_NO_MEMORY;
    memcpy(longer, text->at, end);
    at = end;
    longer[at++] = '\n';
    for (size_t i = 0; i < overrides->count; i++) {
        const char *item = overrides->items[i];
        size_t length = key_length(item);

        at += (size_t)snprintf(longer + at, capacity - at, "%*s%.*s: %s\n", (int)outline->column,
                               "", (int)length, item, item + length + 1);
    }
    memcpy(longer + at, text->at + end, text->length - end);
    text->override_line = count_lines(text->at, end) + 1;
    text->length += at - end;
    free(text->at);
    text->at = longer;
    return SOTTO_OK;
}

static enum sotto_status apply_overrides(struct sotto_config_text *text,
                                         const struct sotto_config_overrides *overrides,
                                         const struct outline *outline, struct sotto_fault *fault)
{
    struct outline again = {0};
    enum sotto_status status = check_overrides(text, overrides, fault);

    if (status == SOTTO_OK && outline->has_root && !outline->has_block_mapping)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s: keys can be overridden only where each is on its own line",
                               text->name);
    for (size_t i = 0; status == SOTTO_OK && i < overrides->count; i++)
        status = blank_key(text, overrides->items[i], fault);
    if (status != SOTTO_OK)
        return status;
    if (append_overrides(text, overrides, outline) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to read %s", text->name);
    text->overrides = overrides;
    return outline_scan(&again, text, fault);
}

enum sotto_status sotto_config_text_open(struct sotto_config_text *text, const char *name,
                                         struct sotto_view bytes,
                                         const struct sotto_config_overrides *overrides,
                                         struct sotto_fault *fault)
{
    struct outline outline = {0};
    enum sotto_status status;

    *text = (struct sotto_config_text){.name = name, .length = bytes.length};
    if (bytes.length > SOTTO_CONFIG_BYTES_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s has more than %d bytes", name,
                               SOTTO_CONFIG_BYTES_MAX);
    text->at = malloc(bytes.length + 1);
    if (text->at == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory to read %s", name);
    if (bytes.length > 0)
        memcpy(text->at, bytes.at, bytes.length);
    status = outline_scan(&outline, text, fault);
    if (status == SOTTO_OK && overrides != NULL && overrides->count > 0)
        status = apply_overrides(text, overrides, &outline, fault);
    if (status != SOTTO_OK)
        sotto_config_text_close(text);
    return status;
}

void sotto_config_text_close(struct sotto_config_text *text)
{
    free(text->at);
    text->at = NULL;
    text->length = 0;
}
