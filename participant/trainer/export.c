#include "participant/trainer/export.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/console/console.h"
#include "models/adapter/peft.h"
#include "models/arch/files.h"
#include "models/export/gguf.h"
#include "models/export/merged.h"
#include "participant/trainer/base.h"

enum { KEY_MERGED = 256, KEY_GGUF };

struct options {
    const char *model;
    const char *adapter;
    const char *merged;
    const char *gguf;
};

static const struct argp_option option_table[] = {
    {"model", 'm', "DIR", 0, "Base model directory", 0},
    {"adapter", 'a', "DIR", 0, "Adapter directory (PEFT)", 0},
    {"merged", KEY_MERGED, "DIR", 0, "Write a model directory with the adapter in its weights", 0},
    {"gguf", KEY_GGUF, "FILE", 0, "Write a GGUF adapter of a language model, for llama.cpp", 0},
    {0},
};

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case 'm': options->model = text; return 0;
    case 'a': options->adapter = text; return 0;
    case KEY_MERGED: options->merged = text; return 0;
    case KEY_GGUF: options->gguf = text; return 0;
    case ARGP_KEY_END:
        if (options->model == NULL || options->adapter == NULL)
            sotto_console_refuse(state, "--model and --adapter are needed");
        if ((options->merged == NULL) == (options->gguf == NULL))
            sotto_console_refuse(state, "either --merged or --gguf is needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

/* The adapter, if it is one of the base model. */
static enum sotto_status adapter_read(float **lanes, struct sotto_layout *layout,
                                      const struct options *options, struct sotto_fault *fault)
{
    struct sotto_model_files files = {0};
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];
    enum sotto_status status = sotto_model_files_open(&files, options->model, fault);

    if (status == SOTTO_OK)
        status = sotto_peft_read(lanes, layout, options->adapter, &files.arch, fault);
    if (status == SOTTO_OK)
        status = sotto_base_check(options->adapter, options->model, parts,
                                  sotto_model_files_parts(&files, parts), fault);
    sotto_model_files_close(&files);
    return status;
}

enum sotto_status sotto_command_export(int argument_count, char **arguments,
                                       struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .doc = "Writes an adapter in a form that other tools know: a whole model, or a GGUF file."};
    struct options options = {0};
    struct sotto_layout layout;
    float *lanes = NULL;
    enum sotto_status status;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &options);
    status = adapter_read(&lanes, &layout, &options, fault);
    if (status == SOTTO_OK && options.merged != NULL)
        status = sotto_merged_write(options.merged, options.model, &layout, lanes, fault);
    else if (status == SOTTO_OK)
        status = sotto_gguf_write(options.gguf, options.model, &layout, lanes, fault);
    free(lanes);
    if (status == SOTTO_OK)
        printf("%s\n", options.merged != NULL ? options.merged : options.gguf);
    return status;
}
