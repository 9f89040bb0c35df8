#include "coordinator/admin/command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"

enum { OPTION_JSON = 256, COMMAND_PATH_MAX = 256 };

struct operand_input {
    const char *what;
    const char **operand;
    bool *json;
};

static error_t operand_parse(int key, char *argument, struct argp_state *state)
{
    struct operand_input *input = state->input;

    switch (key) {
    case OPTION_JSON: *input->json = true; return 0;
    case ARGP_KEY_ARG:
        if (input->operand == NULL || *input->operand != NULL)
            sotto_console_refuse(state, "what is '%s' for?", argument);
        *input->operand = argument;
        return 0;
    case ARGP_KEY_END:
        if (input->operand != NULL && *input->operand == NULL)
            sotto_console_refuse(state, "name the %s", input->what);
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

void sotto_command_parse(const struct sotto_command_line *line, const char *what,
                         const char **operand, bool *json, const char *doc)
{
    static const struct argp_option json_option[] = {
        {"json", OPTION_JSON, NULL, 0, "Print JSON", 0}, {0}};
    struct operand_input input = {.what = what, .operand = operand, .json = json};
    struct argp parser = {.options = json == NULL ? NULL : json_option,
                          .parser = operand_parse,
                          .args_doc = what,
                          .doc = doc};

    argp_parse(&parser, line->argc, line->argv, 0, NULL, &input);
}

void sotto_command_print(const json_t *value)
{
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(10));

    printf("%s\n", text == NULL ? "null" : text);
    free(text);
}

enum sotto_status sotto_command_path(char out[256], const char *collection, const char *name,
                                     const char *rest, struct sotto_fault *fault)
{
    int length = snprintf(out, COMMAND_PATH_MAX, "/v1/admin/%s/%s%s", collection, name, rest);

    if (length >= COMMAND_PATH_MAX || name[0] == '\0' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen(name))
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "'%s' is no name: names are made of a-z, 0-9 and -", name);
    return SOTTO_OK;
}
