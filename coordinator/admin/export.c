#include "coordinator/admin/export.h"

#include <argp.h>
#include <stdio.h>

#include "coordinator/admin/copy.h"
#include "core/console/console.h"
#include "models/adapter/peft.h"
#include "models/export/gguf.h"
#include "models/export/merged.h"

enum { OPTION_OUT = 256, OPTION_MERGED, OPTION_GGUF, OPTION_MODEL };

struct export_wish {
    const char *name;
    const char *out;    /* a PEFT directory */
    const char *merged; /* or a model directory, of `model` with the adapter */
    const char *gguf;   /* or a file */
    const char *model;
};

/* Exactly one form, and a base model where the form needs one. */
static bool is_complete(const struct export_wish *wish)
{
    int forms = (wish->out != NULL) + (wish->merged != NULL) + (wish->gguf != NULL);

    return wish->name != NULL && forms == 1 && (wish->model != NULL) == (wish->out == NULL);
}

static error_t export_parse(int key, char *argument, struct argp_state *state)
{
    struct export_wish *wish = state->input;

    switch (key) {
    case OPTION_OUT: wish->out = argument; return 0;
    case OPTION_MERGED: wish->merged = argument; return 0;
    case OPTION_GGUF: wish->gguf = argument; return 0;
    case OPTION_MODEL: wish->model = argument; return 0;
    case ARGP_KEY_ARG:
        if (wish->name != NULL)
            sotto_console_refuse(state, "one campaign at a time");
        wish->name = argument;
        return 0;
    case ARGP_KEY_END:
        if (!is_complete(wish))
            sotto_console_refuse(
                state, "name the campaign, and --out DIR, or --model DIR with --merged DIR "
                       "or --gguf FILE");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* Where the form needs a base model, --model has to be the campaign's. */
static enum sotto_status base_check(const struct export_wish *wish, const struct sotto_copy *copy,
                                    struct sotto_fault *fault)
{
    struct sotto_model_files files;
    enum sotto_status status = SOTTO_OK;

    if (wish->model == NULL)
        return SOTTO_OK;
    status = sotto_model_files_open(&files, wish->model, fault);
    if (status != SOTTO_OK)
        return status;
    status = sotto_copy_check_base(copy, &files, wish->model, fault);
    sotto_model_files_close(&files);
    return status;
}

/* The form that was asked for. */
static enum sotto_status form_write(const struct export_wish *wish, const struct sotto_copy *copy,
                                    struct sotto_fault *fault)
{
    const struct sotto_peft_base base = {copy->definition.base_name, &copy->definition.base_model};

    if (wish->merged != NULL)
        return sotto_merged_write(wish->merged, wish->model, &copy->layout, copy->lanes, fault);
    if (wish->gguf != NULL)
        return sotto_gguf_write(wish->gguf, wish->model, &copy->layout, copy->lanes, fault);
    return sotto_peft_write(wish->out, copy->lanes, &copy->layout, &base, fault);
}

enum sotto_status sotto_command_adapter_export(struct sotto_session *session,
                                               const struct sotto_command_line *line,
                                               struct sotto_fault *fault)
{
    static const struct argp_option options[] = {
        {"out", OPTION_OUT, "DIR", 0, "Write a PEFT directory; one that is there is replaced", 0},
        {"merged", OPTION_MERGED, "DIR", 0, "Or a model directory with the adapter in its weights",
         0},
        {"gguf", OPTION_GGUF, "FILE", 0, "Or a GGUF adapter of a language model, for llama.cpp", 0},
        {"model", OPTION_MODEL, "DIR", 0, "And the base model directory that these two need", 0},
        {0}};
    static const struct argp parser = {
        .options = options,
        .parser = export_parse,
        .args_doc = "CAMPAIGN",
        .doc = "Writes a campaign's newest adapter: as a PEFT directory, in a whole model, or for "
               "llama.cpp."};
    struct export_wish wish = {0};
    struct sotto_copy *copy;
    enum sotto_status status;

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &wish);
    status = sotto_copy_open(&copy, session, wish.name, SOTTO_COPY_NEWEST, fault);
    if (status == SOTTO_OK)
        status = base_check(&wish, copy, fault);
    if (status == SOTTO_OK)
        status = form_write(&wish, copy, fault);
    sotto_copy_close(copy);
    if (status == SOTTO_OK)
        printf("%s\n", wish.out != NULL ? wish.out : wish.merged != NULL ? wish.merged : wish.gguf);
    return status;
}

/* One tensor of the manifest: a JSON object, or a line. */
static void line_tell(json_t *rows, const struct sotto_copy *copy, size_t i)
{
    const struct sotto_layout_tensor *tensor = &copy->layout.tensors[i];
    struct sotto_view manifest = sotto_manifest_of(
        sotto_view_of(copy->lanes, copy->adapter_call.answer_length), &copy->layout);
    char name[SOTTO_TENSOR_TEXT_MAX + 1], hex[SOTTO_DIGEST_HEX];

    sotto_layout_tensor_name(name, &copy->layout, i);
    sotto_hex_encode(hex, sotto_view_of(manifest.at + i * SOTTO_DIGEST_BYTES, SOTTO_DIGEST_BYTES));
    if (rows == NULL)
        printf("%s  F32 [%u, %u]  %s\n", hex, tensor->rows, tensor->columns, name);
    else
        json_array_append_new(rows, json_pack("{s:s, s:[i, i], s:s, s:s}", "name", name, "shape",
                                              (int)tensor->rows, (int)tensor->columns, "dtype",
                                              "F32", "digest", hex));
}

enum sotto_status sotto_command_adapter_manifest(struct sotto_session *session,
                                                 const struct sotto_command_line *line,
                                                 struct sotto_fault *fault)
{
    const char *name = NULL;
    bool json = false;
    struct sotto_copy *copy;
    json_t *rows = NULL;
    enum sotto_status status;

    sotto_command_parse(line, "CAMPAIGN", &name, &json,
                        "Shows the tensors of a campaign's newest adapter: digest, type, shape and "
                        "name.");
    status = sotto_copy_open(&copy, session, name, SOTTO_COPY_NEWEST, fault);
    rows = json ? json_array() : NULL;
    for (size_t i = 0; status == SOTTO_OK && i < copy->layout.tensor_count; i++)
        line_tell(rows, copy, i);
    if (status == SOTTO_OK && json)
        sotto_command_print(rows);
    json_decref(rows);
    sotto_copy_close(copy);
    return status;
}
