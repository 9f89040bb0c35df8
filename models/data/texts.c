#include "models/data/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/data/csv.h"
#include "models/data/label.h"

/* A file on its way to a dataset. */
struct gathering {
    const char *path;
    size_t line;
    const struct sotto_text_form *form;
    struct sotto_encoder *encoder;
    struct sotto_chat_text chat;
    struct sotto_tokens tokens;
    struct sotto_text answers; /* a byte for each token */
    struct sotto_tokens lengths;
    struct sotto_tokens labels;
    struct sotto_text_report report;
    struct sotto_fault *fault;
};

static enum sotto_status refuse(const struct gathering *gathering, enum sotto_status status,
                                const char *why)
{
    return sotto_fault_set(gathering->fault, status, "%s: line %zu: %s", gathering->path,
                           gathering->line, why);
}

static struct sotto_encoding_form encoding_form(const struct gathering *gathering, bool is_framed)
{
    return (struct sotto_encoding_form){gathering->form->length_max, is_framed};
}

/* Encodes, with a fault for what is no text. */
static enum sotto_status encode(struct gathering *gathering, struct sotto_encoding *encoding,
                                struct sotto_view text, bool is_framed)
{
    enum sotto_status status =
        sotto_encoder_run(gathering->encoder, encoding, text, encoding_form(gathering, is_framed));

    if (status == SOTTO_MALFORMED)
        return refuse(gathering, status, "the text is not UTF-8: save it as UTF-8");
    if (status == SOTTO_OVER_LIMIT && text.length > SOTTO_TEXT_BYTES_MAX)
        return refuse(gathering, status, "the text is longer than 16 MiB: split it");
    if (status == SOTTO_OVER_LIMIT)
        return refuse(gathering, status,
                      "the tokens that stand around every text leave none for its own: raise "
                      "--text-length (text_length in site.yaml)");
    if (status != SOTTO_OK)
        return refuse(gathering, status, "no memory");
    if (encoding->text_count == 0)
        return refuse(gathering, SOTTO_MALFORMED, "the text is empty: remove the line");
    return SOTTO_OK;
}

/* Adds an example; those of a language model have each token's mark in `answers` already. */
static enum sotto_status keep(struct gathering *gathering, const struct sotto_encoding *encoding,
                              uint32_t label)
{
    uint32_t length = (uint32_t)encoding->count;

    sotto_tokens_add(&gathering->tokens, encoding->tokens, encoding->count);
    sotto_tokens_add(&gathering->lengths, &length, 1);
    sotto_tokens_add(&gathering->labels, &label, 1);
    gathering->report.cut_count += encoding->is_cut;
    if (gathering->labels.count > SOTTO_DATASET_MAX)
        return refuse(gathering, SOTTO_OVER_LIMIT, "more than 1,000,000 examples: split the file");
    return SOTTO_OK;
}

/* Marks `count` tokens of the example that is being added. */
static void mark(struct gathering *gathering, uint8_t is_answer, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sotto_text_add(&gathering->answers, sotto_view_of(&is_answer, 1));
}

static enum sotto_status add_labelled(struct gathering *gathering, struct sotto_view text,
                                      uint32_t label)
{
    struct sotto_encoding encoding;
    enum sotto_status status = encode(gathering, &encoding, text, true);

    return status == SOTTO_OK ? keep(gathering, &encoding, label) : status;
}

static enum sotto_status add_plain(struct gathering *gathering, struct sotto_view text)
{
    struct sotto_encoding encoding;
    enum sotto_status status = encode(gathering, &encoding, text, true);

    if (status == SOTTO_OK && encoding.count < 2)
        status = refuse(gathering, SOTTO_MALFORMED,
                        encoding.is_cut
                            ? "cut to one token it has nothing to be learnt: raise --text-length "
                              "(text_length in site.yaml), or truncation in tokenizer.json"
                            : "one token alone has nothing to be learnt: remove the line");
    if (status != SOTTO_OK)
        return status;
    mark(gathering, 0, 1);
    mark(gathering, 1, encoding.count - 1);
    return keep(gathering, &encoding, SOTTO_LABEL_NONE);
}

/* How many tokens of the example at `first` text[0 .. length) alone begins with, too. */
static enum sotto_status tokens_before(struct gathering *gathering, size_t *count, size_t first,
                                       size_t length)
{
    struct sotto_view text = sotto_view_of(gathering->chat.text.at, length);
    const uint32_t *tokens = gathering->tokens.at + first;
    size_t whole = gathering->tokens.count - first;
    struct sotto_encoding encoding;
    enum sotto_status status =
        sotto_encoder_run(gathering->encoder, &encoding, text, encoding_form(gathering, false));

    *count = 0;
    if (status != SOTTO_OK)
        return refuse(gathering, status, "no memory");
    while (*count < whole && *count < encoding.count && encoding.tokens[*count] == tokens[*count])
        (*count)++;
    return SOTTO_OK;
}

/*
 * Marks the answers of the conversation whose tokens stand from `first` on. The whole text is one
 * encoding, as the model sees it; where an answer begins in it is told by what its beginning alone
 * is encoded to.
 */
static enum sotto_status mark_answers(struct gathering *gathering, size_t first)
{
    size_t marked = 0;
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < gathering->chat.answer_count && status == SOTTO_OK; i++) {
        size_t begin;
        size_t end = 0;

        status = tokens_before(gathering, &begin, first, gathering->chat.answers[i].first);
        if (status == SOTTO_OK)
            status = tokens_before(gathering, &end, first, gathering->chat.answers[i].end);
        begin = begin == 0 ? 1 : begin;
        if (status != SOTTO_OK || end <= begin || begin < marked)
            continue;
        mark(gathering, 0, begin - marked);
        mark(gathering, 1, end - begin);
        marked = end;
    }
    if (marked > 0)
        mark(gathering, 0, gathering->tokens.count - first - marked);
    return status;
}

static enum sotto_status add_chat(struct gathering *gathering, const json_t *messages)
{
    size_t first = gathering->tokens.count;
    size_t marked = gathering->answers.length;
    char why[SOTTO_FAULT_TEXT_MAX];
    struct sotto_encoding encoding;
    enum sotto_status status;

    if (gathering->form->chat == SOTTO_CHAT_NONE)
        return refuse(gathering, SOTTO_MALFORMED,
                      "messages need the chat format that the model was trained with: name it with "
                      "--chat (chat in site.yaml), one of " SOTTO_CHAT_NAMES);
    status = sotto_chat_write(&gathering->chat, gathering->form->chat, messages, why);
    if (status != SOTTO_OK)
        return refuse(gathering, status, why);
    status = encode(gathering, &encoding, sotto_text_view(&gathering->chat.text), false);
    if (status == SOTTO_OK)
        status = keep(gathering, &encoding, SOTTO_LABEL_NONE);
    if (status == SOTTO_OK && !gathering->tokens.is_short)
        status = mark_answers(gathering, first);
    if (status == SOTTO_OK && gathering->answers.length == marked) {
        gathering->tokens.count = first;
        gathering->lengths.count--;
        gathering->labels.count--;
        gathering->report.cut_count -= encoding.is_cut;
        gathering->report.dropped_count++;
    }
    return status;
}

static enum sotto_status read_label(const struct gathering *gathering, uint32_t *label,
                                    const json_t *value)
{
    char why[SOTTO_FAULT_TEXT_MAX];
    enum sotto_status status = sotto_label_of_json(label, gathering->form->labels, value, why);

    return status == SOTTO_OK ? status : refuse(gathering, status, why);
}

static enum sotto_status add_object(struct gathering *gathering, const json_t *object)
{
    const json_t *text = json_object_get(object, "text");
    struct sotto_view view = sotto_view_of(json_string_value(text), json_string_length(text));
    uint32_t label;
    enum sotto_status status;

    if (gathering->form->labels == NULL && json_object_get(object, "messages") != NULL)
        return add_chat(gathering, json_object_get(object, "messages"));
    if (view.at == NULL)
        return refuse(gathering, SOTTO_MALFORMED,
                      gathering->form->labels == NULL
                          ? "neither a text nor messages: give {\"text\"} or {\"messages\"}"
                          : "no text: give {\"text\", \"label\"}");
    if (gathering->form->labels == NULL)
        return add_plain(gathering, view);
    status = read_label(gathering, &label, json_object_get(object, "label"));
    return status == SOTTO_OK ? add_labelled(gathering, view, label) : status;
}

static enum sotto_status add_line(struct gathering *gathering, struct sotto_view line)
{
    char why[SOTTO_FAULT_TEXT_MAX];
    json_error_t error;
    json_t *object;
    enum sotto_status status;

    if (!sotto_utf8_is_valid(line))
        return refuse(gathering, SOTTO_MALFORMED, "the text is not UTF-8: save it as UTF-8");
    if (line.at[0] == '[')
        return refuse(gathering, SOTTO_MALFORMED,
                      "a JSON array: give one object a line, without brackets and commas around "
                      "them");
    object = json_loadb((const char *)line.at, line.length, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL,
                        &error);
    if (object == NULL) {
        snprintf(why, sizeof why, "%s: give one whole JSON object a line", error.text);
        return refuse(gathering, SOTTO_MALFORMED, why);
    }
    status = add_object(gathering, object);
    json_decref(object);
    return status;
}

/* The line from its first byte on that is no white space. */
static struct sotto_view begun(struct sotto_view line)
{
    while (line.length > 0 && (line.at[0] == ' ' || line.at[0] == '\t' || line.at[0] == '\r'))
        line = sotto_view_after(line, 1);
    return line;
}

static enum sotto_status read_lines(struct gathering *gathering, struct sotto_view file)
{
    enum sotto_status status = SOTTO_OK;

    file = sotto_view_after_mark(file);
    while (file.length > 0 && status == SOTTO_OK) {
        const uint8_t *end = memchr(file.at, '\n', file.length);
        size_t length = end == NULL ? file.length : (size_t)(end - file.at);
        struct sotto_view line = begun(sotto_view_of(file.at, length));

        gathering->line++;
        if (line.length > 0)
            status = add_line(gathering, line);
        file = sotto_view_after(file, end == NULL ? length : length + 1);
    }
    return status;
}

/* The column of a name in the header; SOTTO_CSV_COLUMNS_MAX: none. */
static size_t column_of(const struct sotto_csv_record *header, const char *name)
{
    for (size_t column = 0; column < header->count; column++) {
        if (sotto_view_equal(sotto_csv_field(header, column), sotto_view_text(name)))
            return column;
    }
    return SOTTO_CSV_COLUMNS_MAX;
}

/* What the header says. */
struct columns {
    size_t count;
    size_t text;
    size_t label;
};

static enum sotto_status add_record(struct gathering *gathering,
                                    const struct sotto_csv_record *record,
                                    const struct columns *columns)
{
    char why[SOTTO_FAULT_TEXT_MAX];
    uint32_t found;
    enum sotto_status status;

    gathering->line = record->line;
    if (columns->text >= record->count ||
        (gathering->form->labels != NULL && columns->label >= record->count))
        return refuse(gathering, SOTTO_MALFORMED, "fewer columns than in the header");
    if (record->count > columns->count)
        return refuse(gathering, SOTTO_MALFORMED,
                      "more columns than in the header: put a text with commas into quotes");
    if (gathering->form->labels == NULL)
        return add_plain(gathering, sotto_csv_field(record, columns->text));
    status = sotto_label_of_text(&found, gathering->form->labels,
                                 sotto_csv_field(record, columns->label), why);
    if (status != SOTTO_OK)
        return refuse(gathering, status, why);
    return add_labelled(gathering, sotto_csv_field(record, columns->text), found);
}

static enum sotto_status read_next(struct gathering *gathering, struct sotto_csv *csv,
                                   struct sotto_csv_record *record)
{
    enum sotto_status status = sotto_csv_next(csv, record);

    gathering->line = record->line;
    if (status == SOTTO_MALFORMED)
        return refuse(gathering, status, "a quote that is not closed, or inside an unquoted field");
    if (status == SOTTO_OVER_LIMIT)
        return refuse(gathering, status, "more than 256 columns");
    return status == SOTTO_OK ? status : refuse(gathering, status, "no memory");
}

static enum sotto_status read_records(struct gathering *gathering, struct sotto_view file)
{
    struct sotto_csv csv = sotto_csv_of(file);
    struct sotto_csv_record record = {0};
    enum sotto_status status = read_next(gathering, &csv, &record);
    struct columns columns = {record.count, column_of(&record, "text"),
                              column_of(&record, "label")};
    bool has_labels = gathering->form->labels == NULL || columns.label != SOTTO_CSV_COLUMNS_MAX;

    if (status == SOTTO_OK && (columns.text == SOTTO_CSV_COLUMNS_MAX || !has_labels))
        status = refuse(gathering, SOTTO_MALFORMED,
                        "the header names no column text, or no column label: add it");
    while (status == SOTTO_OK) {
        status = read_next(gathering, &csv, &record);
        if (status == SOTTO_OK && record.count == 0)
            break;
        if (status == SOTTO_OK)
            status = add_record(gathering, &record, &columns);
    }
    sotto_csv_record_close(&record);
    return status;
}

static enum sotto_status finish(struct gathering *gathering, struct sotto_dataset *dataset)
{
    struct sotto_text_shape shape = {gathering->lengths.count, gathering->tokens.count,
                                     gathering->form->labels == NULL};
    bool is_short = gathering->tokens.is_short || gathering->answers.is_short ||
                    gathering->lengths.is_short || gathering->labels.is_short;

    if (shape.count == 0 && gathering->report.dropped_count > 0)
        return sotto_fault_set(gathering->fault, SOTTO_OVER_LIMIT,
                               "%s: of all %zu conversations the answers lie beyond the tokens "
                               "that are used: raise --text-length (text_length in site.yaml) or "
                               "truncation in tokenizer.json, or shorten what is before them",
                               gathering->path, gathering->report.dropped_count);
    if (shape.count == 0)
        return sotto_fault_set(gathering->fault, SOTTO_NOT_FOUND,
                               "%s: no example in it: give a text a line", gathering->path);
    if (is_short || sotto_dataset_open_texts(dataset, shape) != SOTTO_OK)
        return sotto_fault_set(gathering->fault, SOTTO_NO_MEMORY, "%s: no memory for %zu texts",
                               gathering->path, shape.count);
    memcpy(dataset->tokens, gathering->tokens.at, shape.token_count * sizeof *dataset->tokens);
    memcpy(dataset->labels, gathering->labels.at, shape.count * sizeof *dataset->labels);
    if (shape.is_answered)
        memcpy(dataset->is_answer, gathering->answers.at, shape.token_count);
    for (size_t i = 0; i < shape.count; i++)
        dataset->starts[i + 1] = dataset->starts[i] + gathering->lengths.at[i];
    return SOTTO_OK;
}

static enum sotto_status open_gathering(struct gathering *gathering, const char *path,
                                        const struct sotto_text_form *form,
                                        struct sotto_fault *fault)
{
    enum sotto_status status = sotto_chat_check(form->chat, form->tokeniser, fault);

    *gathering = (struct gathering){.path = path, .form = form, .fault = fault};
    gathering->chat.is_prepended = sotto_tokeniser_prepends(form->tokeniser);
    if (status == SOTTO_OK && sotto_encoder_open(&gathering->encoder, form->tokeniser) != SOTTO_OK)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "%s: no memory", path);
    return status;
}

static void close_gathering(struct gathering *gathering)
{
    sotto_encoder_close(gathering->encoder);
    sotto_chat_text_close(&gathering->chat);
    sotto_tokens_close(&gathering->tokens);
    sotto_text_close(&gathering->answers);
    sotto_tokens_close(&gathering->lengths);
    sotto_tokens_close(&gathering->labels);
}

static bool is_csv(const char *path)
{
    size_t length = strlen(path);

    return length >= 4 && strcmp(path + length - 4, ".csv") == 0;
}

enum sotto_status sotto_dataset_open_text_bytes(struct sotto_dataset *dataset,
                                                struct sotto_text_report *report,
                                                struct sotto_view bytes, const char *name,
                                                const struct sotto_text_form *form,
                                                struct sotto_fault *fault)
{
    struct gathering gathering;
    enum sotto_status status = open_gathering(&gathering, name, form, fault);

    *dataset = (struct sotto_dataset){0};
    *report = (struct sotto_text_report){0};
    if (status == SOTTO_OK)
        status = is_csv(name) ? read_records(&gathering, bytes) : read_lines(&gathering, bytes);
    if (status == SOTTO_OK)
        status = finish(&gathering, dataset);
    if (status == SOTTO_OK)
        *report = gathering.report;
    close_gathering(&gathering);
    return status;
}

enum sotto_status sotto_dataset_open_text_file(struct sotto_dataset *dataset,
                                               struct sotto_text_report *report, const char *path,
                                               const struct sotto_text_form *form,
                                               struct sotto_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    enum sotto_status status = sotto_file_read(&bytes, &length, path, SOTTO_TEXTS_BYTES_MAX, fault);

    *dataset = (struct sotto_dataset){0};
    *report = (struct sotto_text_report){0};
    if (status != SOTTO_OK)
        return status;
    status = sotto_dataset_open_text_bytes(dataset, report, sotto_view_of(bytes, length), path,
                                           form, fault);
    free(bytes);
    return status;
}

enum sotto_status sotto_dataset_open_text(struct sotto_dataset *dataset, struct sotto_view text,
                                          const char *name, const struct sotto_text_form *form,
                                          struct sotto_fault *fault)
{
    struct gathering gathering;
    enum sotto_status status = open_gathering(&gathering, name, form, fault);

    *dataset = (struct sotto_dataset){0};
    gathering.line = 1;
    if (status == SOTTO_OK)
        status = form->labels == NULL ? add_plain(&gathering, text)
                                      : add_labelled(&gathering, text, SOTTO_LABEL_NONE);
    if (status == SOTTO_OK)
        status = finish(&gathering, dataset);
    close_gathering(&gathering);
    return status;
}
