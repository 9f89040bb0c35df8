/*
 * What the code that ships makes of conversations, for the Python side:
 *
 *     interop_chat FORMAT TOKENIZER FILE
 *
 * For each line {"messages": ...} of FILE a line {"text", "asked", "ids", "is_answer"}: the text of
 * the format, its first question as it is put, and the tokens that a language model is trained
 * with. A conversation that is refused ends it with one line and the exit code.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/data/texts.h"

enum { LENGTH_MAX = 16384, LINE_BYTES_MAX = 1 << 16 };

static enum sotto_status tokeniser_open(struct sotto_tokeniser **tokeniser, const char *path,
                                        struct sotto_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    enum sotto_status status =
        sotto_file_read(&bytes, &length, path, SOTTO_TOKENISER_BYTES_MAX, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_tokeniser_open(tokeniser, sotto_view_of(bytes, length), path, fault);
    free(bytes);
    return status;
}

/* The messages of one line as text. */
static json_t *text_of(enum sotto_chat chat, const char *line)
{
    json_t *row = json_loads(line, 0, NULL);
    struct sotto_chat_text out = {0};
    char why[SOTTO_FAULT_TEXT_MAX];
    json_t *text = NULL;

    if (sotto_chat_write(&out, chat, json_object_get(row, "messages"), why) == SOTTO_OK)
        text = json_stringn((const char *)out.text.at, out.text.length);
    sotto_chat_text_close(&out);
    json_decref(row);
    return text;
}

static struct sotto_view content_of(const json_t *message)
{
    const json_t *content = json_object_get(message, "content");

    return sotto_view_of(json_string_value(content), json_string_length(content));
}

/* The first question, with the system message before it if there is one. */
static json_t *asked_of(enum sotto_chat chat, const char *line)
{
    json_t *row = json_loads(line, 0, NULL);
    const json_t *messages = json_object_get(row, "messages");
    const json_t *first = json_array_get(messages, 0);
    bool has_system = strcmp(json_string_value(json_object_get(first, "role")), "system") == 0;
    struct sotto_chat_text out = {0};
    json_t *text = NULL;

    if (sotto_chat_ask(&out, chat, has_system ? content_of(first) : sotto_view_of(NULL, 0),
                       content_of(json_array_get(messages, has_system))) == SOTTO_OK)
        text = json_stringn((const char *)out.text.at, out.text.length);
    sotto_chat_text_close(&out);
    json_decref(row);
    return text;
}

static void print_example(json_t *text, json_t *asked, const struct sotto_dataset *dataset,
                          size_t example)
{
    json_t *ids = json_array(), *is_answer = json_array();
    json_t *row = json_pack("{s:o, s:o, s:o, s:o}", "text", text, "asked", asked, "ids", ids,
                            "is_answer", is_answer);

    for (size_t i = dataset->starts[example]; i < dataset->starts[example + 1]; i++) {
        json_array_append_new(ids, json_integer(dataset->tokens[i]));
        json_array_append_new(is_answer, json_integer(dataset->is_answer[i]));
    }
    json_dumpf(row, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(row);
}

static enum sotto_status print_all(const struct sotto_text_form *form, const char *path,
                                   struct sotto_fault *fault)
{
    static char line[LINE_BYTES_MAX];
    struct sotto_text_report report;
    struct sotto_dataset dataset;
    FILE *file = fopen(path, "r");
    enum sotto_status status = sotto_dataset_open_text_file(&dataset, &report, path, form, fault);

    for (size_t i = 0; i < dataset.count && fgets(line, sizeof line, file) != NULL; i++)
        print_example(text_of(form->chat, line), asked_of(form->chat, line), &dataset, i);
    sotto_dataset_close(&dataset);
    if (file != NULL)
        fclose(file);
    return status;
}

int main(int argc, char **argv)
{
    struct sotto_text_form form = {.length_max = LENGTH_MAX};
    struct sotto_tokeniser *tokeniser = NULL;
    struct sotto_fault fault = {0};
    enum sotto_status status;

    if (argc != 4) {
        fprintf(stderr, "usage: %s FORMAT TOKENIZER FILE\n", argv[0]);
        return 2;
    }
    status = sotto_chat_parse(&form.chat, argv[1], &fault);
    if (status == SOTTO_OK)
        status = tokeniser_open(&tokeniser, argv[2], &fault);
    form.tokeniser = tokeniser;
    if (status == SOTTO_OK)
        status = print_all(&form, argv[3], &fault);
    if (status != SOTTO_OK)
        fprintf(stderr, "%s\n", fault.text);
    sotto_tokeniser_close(tokeniser);
    return sotto_status_exit_code(status);
}
