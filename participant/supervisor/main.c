/*
 * sotto-participant: a site's command line and the supervisor of its processes.
 */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/console/console.h"
#include "participant/supervisor/audit.h"
#include "participant/supervisor/enrol.h"
#include "participant/supervisor/predict.h"
#include "participant/supervisor/run.h"
#include "participant/supervisor/spawn.h"

enum { EXIT_USAGE = 2, POLICY_OPTIONS_MAX = 32, TOKEN_FILE_MAX = 1024 };
enum { KEY_STATE = 's', KEY_JSON = 'j', KEY_TOKEN = 't', KEY_MODEL = 'm', KEY_EXAMPLES = 'e' };
enum { KEY_NAME = 256, KEY_LABELS, KEY_POLICY };

struct options {
    const char *state;
    bool as_json;
    const char *token;
    struct sotto_enrol_wish wish;
    const char *policy[POLICY_OPTIONS_MAX];
};

typedef enum sotto_status (*command)(int *exit_code, const struct options *options,
                                     struct sotto_fault *fault);

static error_t parse_state(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case KEY_STATE: options->state = text; return 0;
    case KEY_JSON: options->as_json = true; return 0;
    case ARGP_KEY_END:
        if (options->state == NULL)
            sotto_console_refuse(state, "--state is needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static error_t parse_enrol(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;
    struct sotto_enrol_wish *wish = &options->wish;

    switch (key) {
    case KEY_TOKEN: options->token = text; return 0;
    case KEY_MODEL: wish->model = text; return 0;
    case KEY_EXAMPLES: wish->examples = text; return 0;
    case KEY_LABELS: wish->labels = text; return 0;
    case KEY_NAME: wish->name = text; return 0;
    case KEY_POLICY:
        if (wish->policy.count == POLICY_OPTIONS_MAX)
            sotto_console_refuse(state, "too many --policy options");
        options->policy[wish->policy.count++] = text;
        return 0;
    case ARGP_KEY_END:
        if (options->token == NULL || wish->model == NULL || wish->examples == NULL)
            sotto_console_refuse(state, "--state, --token, --model and --examples are needed");
        break;
    }
    return parse_state(key, text, state);
}

#define OPTION_STATE                                                                               \
    {                                                                                              \
        "state", KEY_STATE, "DIR", 0, "The site's state folder", 1                                 \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        "json", KEY_JSON, NULL, 0, "Print JSON", 3                                                 \
    }

static const struct argp_option plain_options[] = {OPTION_STATE, {0}};
static const struct argp_option reading_options[] = {OPTION_STATE, OPTION_JSON, {0}};
static const struct argp_option enrol_options[] = {
    OPTION_STATE,
    {"token", KEY_TOKEN, "TEXT|@FILE", 0, "The token from the administrator, or a file with it", 1},
    {"model", KEY_MODEL, "DIR", 0, "Base model directory", 1},
    {"examples", KEY_EXAMPLES, "DIR", 0,
     "Folder with one folder of pictures a label, or a file of texts", 1},
    {"labels", KEY_LABELS, "IDX", 0, "If --examples is an IDX file: its labels", 2},
    {"name", KEY_NAME, "NAME", 0, "Insist that the token is for this site", 2},
    {"policy", KEY_POLICY, "KEY=VALUE", 0, "A policy value for site.yaml; may be repeated", 2},
    {0},
};

/* The text itself, or the first line of @FILE. */
static enum sotto_status read_token(char out[TOKEN_FILE_MAX], const char *text,
                                    struct sotto_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status = SOTTO_OK;

    if (text[0] != '@') {
        snprintf(out, TOKEN_FILE_MAX, "%s", text);
        return SOTTO_OK;
    }
    status = sotto_file_read(&bytes, &length, text + 1, TOKEN_FILE_MAX - 1, fault);
    if (status != SOTTO_OK)
        return status;
    snprintf(out, TOKEN_FILE_MAX, "%.*s", (int)strcspn((const char *)bytes, "\r\n"),
             (const char *)bytes);
    sotto_wipe(bytes, length);
    free(bytes);
    return SOTTO_OK;
}

static enum sotto_status enrol(int *exit_code, const struct options *options,
                               struct sotto_fault *fault)
{
    struct sotto_enrol_wish wish = options->wish;
    struct sotto_site_config site;
    struct sotto_clock clock;
    char token[TOKEN_FILE_MAX];
    enum sotto_status status = read_token(token, options->token, fault);

    (void)exit_code;
    if (status != SOTTO_OK)
        return status;
    sotto_clock_init_system(&clock);
    wish.state = options->state;
    wish.token = token;
    wish.policy.items = options->policy;
    wish.now_s = sotto_clock_wall_ms(&clock) / 1000;
    status = sotto_site_enrol(&site, &wish, fault);
    sotto_wipe(token, sizeof token);
    if (status == SOTTO_OK)
        printf("site %s is enrolled at %s with id %u, its identity is in %s/identity.pub: look at "
               "%s/site.yaml, then start it with sotto-participant run --state %s\n",
               site.name, site.url, site.id, options->state, options->state, options->state);
    return status;
}

static enum sotto_status run(int *exit_code, const struct options *options,
                             struct sotto_fault *fault)
{
    struct sotto_state_folder folder;
    enum sotto_status status = sotto_state_folder_find(&folder, options->state, fault);

    return status == SOTTO_OK ? sotto_site_run(exit_code, &folder, fault) : status;
}

static void print_status(json_t *status)
{
    static const char *const keys[] = {"site",
                                       "state",
                                       "coordinator",
                                       "connection",
                                       "campaign",
                                       "round",
                                       "rounds_ended",
                                       "restarts",
                                       "adapter",
                                       "epsilon",
                                       "epsilon_max",
                                       "delta",
                                       "uploads_without_noise",
                                       "trouble",
                                       "updated"};

    for (size_t index = 0; index < sizeof keys / sizeof *keys; index++) {
        const json_t *value = json_object_get(status, keys[index]);

        if (json_is_integer(value))
            printf("%s: %lld\n", keys[index], (long long)json_integer_value(value));
        else if (json_is_real(value))
            printf("%s: %.6g\n", keys[index], json_real_value(value));
        else if (json_is_string(value))
            printf("%s: %s\n", keys[index], json_string_value(value));
    }
}

static enum sotto_status show_status(int *exit_code, const struct options *options,
                                     struct sotto_fault *fault)
{
    struct sotto_state_folder folder;
    json_error_t error;
    json_t *shown = NULL;
    enum sotto_status status = sotto_state_folder_find(&folder, options->state, fault);

    (void)exit_code;
    if (status != SOTTO_OK)
        return status;
    shown = json_load_file(folder.status, 0, &error);
    if (shown == NULL)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "%s does not tell anything yet: has the site run?", folder.status);
    if (options->as_json) {
        json_dumpf(shown, stdout, JSON_INDENT(2));
        printf("\n");
    } else {
        print_status(shown);
    }
    json_decref(shown);
    return SOTTO_OK;
}

static enum sotto_status audit(int *exit_code, const struct options *options,
                               struct sotto_fault *fault)
{
    struct sotto_audit_form form = {.out = stdout, .as_json = options->as_json};
    struct sotto_state_folder folder;
    enum sotto_status status = sotto_state_folder_find(&folder, options->state, fault);

    (void)exit_code;
    return status == SOTTO_OK ? sotto_site_audit(&folder, &form, fault) : status;
}

static const struct subcommand {
    const char *name;
    command run; /* NULL: what comes next does it, with its own options */
    /* NULL: the trainer's program. */
    enum sotto_status (*become)(int argument_count, char **arguments, struct sotto_fault *fault);
    struct argp argp;
} subcommands[] = {
    {"enrol",
     enrol,
     NULL,
     {.options = enrol_options,
      .parser = parse_enrol,
      .doc = "Makes this site's keys and state folder and enrols it with a token."}},
    {"run",
     run,
     NULL,
     {.options = plain_options,
      .parser = parse_state,
      .doc = "Takes part in rounds until it is stopped."}},
    {"status",
     show_status,
     NULL,
     {.options = reading_options, .parser = parse_state, .doc = "Shows how the site is."}},
    {"predict", NULL, sotto_site_predict, {.doc = NULL}},
    {"audit",
     audit,
     NULL,
     {.options = reading_options,
      .parser = parse_state,
      .doc = "Shows what this site let out and what it refused, from its ledger."}},
    {"check", NULL, NULL, {.doc = NULL}},
    {"evaluate", NULL, NULL, {.doc = NULL}},
    {"train", NULL, NULL, {.doc = NULL}},
    {"export", NULL, NULL, {.doc = NULL}},
};

static const struct subcommand *subcommand_find(const char *name)
{
    for (size_t index = 0; index < sizeof subcommands / sizeof *subcommands; index++)
        if (strcmp(subcommands[index].name, name) == 0)
            return &subcommands[index];
    return NULL;
}

struct choice {
    const struct subcommand *subcommand;
    int first; /* index of its name in the arguments */
};

static error_t parse_choice(int key, char *text, struct argp_state *state)
{
    struct choice *choice = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        choice->subcommand = subcommand_find(text);
        if (choice->subcommand == NULL)
            sotto_console_refuse(state, "no command is called %s", text);
        choice->first = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_END:
        if (choice->subcommand == NULL)
            sotto_console_refuse(state, "a command is needed");
        return 0;
    }
    return ARGP_ERR_UNKNOWN;
}

static enum sotto_status run_subcommand(int *exit_code, const struct choice *choice,
                                        int argument_count, char **arguments,
                                        struct sotto_fault *fault)
{
    const struct subcommand *subcommand = choice->subcommand;
    struct options options = {0};
    char program[64];

    if (subcommand->run == NULL && subcommand->become == NULL)
        return sotto_trainer_become(arguments + choice->first - 1, fault);
    snprintf(program, sizeof program, "sotto-participant %s", subcommand->name);
    arguments[choice->first] = program;
    if (subcommand->run == NULL)
        return subcommand->become(argument_count - choice->first, arguments + choice->first, fault);
    argp_parse(&subcommand->argp, argument_count - choice->first, arguments + choice->first, 0,
               NULL, &options);
    return subcommand->run(exit_code, &options, fault);
}

int main(int argument_count, char **arguments)
{
    static const struct argp argp = {
        .parser = parse_choice,
        .args_doc = "COMMAND [OPTION...]",
        .doc = "A site of a Sotto federation.\vCommands: enrol, run, status, audit, predict, "
               "check, evaluate, train, export. Each has its own --help."};
    struct choice choice = {0};
    struct sotto_fault fault = {0};
    enum sotto_status status = SOTTO_OK;
    int exit_code = -1;

    sotto_console_open("sotto-participant");
    argp_program_version = "sotto-participant " SOTTO_VERSION;
    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&argp, argument_count, arguments, ARGP_IN_ORDER, NULL, &choice);
    status = run_subcommand(&exit_code, &choice, argument_count, arguments, &fault);
    if (status != SOTTO_OK)
        sotto_console_say("sotto-participant: %s", fault.text);
    return exit_code >= 0 ? exit_code : sotto_status_exit_code(status);
}
