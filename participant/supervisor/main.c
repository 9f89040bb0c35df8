/*
 * sotto-participant: a site's command line and the supervisor of its processes.
 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/console/console.h"
#include "participant/supervisor/audit.h"
#include "participant/supervisor/enrol.h"
#include "participant/supervisor/run.h"
#include "participant/supervisor/spawn.h"

enum { EXIT_USAGE = 2, POLICY_OPTIONS_MAX = 32, TOKEN_FILE_MAX = 1024, PASSED_MAX = 8 };
enum { KEY_STATE = 's', KEY_JSON = 'j', KEY_TOKEN = 't', KEY_MODEL = 'm', KEY_EXAMPLES = 'e' };
enum { KEY_NAME = 256, KEY_LABELS, KEY_POLICY };
enum { KEY_SYSTEM = 512, KEY_TOKENS, KEY_TEMPERATURE, KEY_SEED };

struct options {
    const char *state;
    bool as_json;
    const char *token;
    struct sotto_enrol_wish wish;
    const char *policy[POLICY_OPTIONS_MAX];
    char **photos;
    int photo_count;
    const char *passed[PASSED_MAX]; /* options and values for the trainer's program to read */
    size_t passed_count;
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

/* The last of an option that is given twice counts there. */
static void pass(struct argp_state *state, const char *name, const char *value)
{
    struct options *options = state->input;

    if (options->passed_count + 2 > PASSED_MAX)
        sotto_console_refuse(state, "%s is given too often", name);
    options->passed[options->passed_count++] = name;
    options->passed[options->passed_count++] = value;
}

static error_t parse_photos(int key, char *text, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case KEY_SYSTEM: pass(state, "--system", text); return 0;
    case KEY_TOKENS: pass(state, "--tokens", text); return 0;
    case KEY_TEMPERATURE: pass(state, "--temperature", text); return 0;
    case KEY_SEED: pass(state, "--seed", text); return 0;
    }

    if (key == ARGP_KEY_ARGS) {
        options->photos = state->argv + state->next;
        options->photo_count = state->argc - state->next;
        return 0;
    }
    if (key == ARGP_KEY_END && options->photo_count == 0)
        sotto_console_refuse(state, "at least one PHOTO or TEXT is needed");
    return parse_state(key, text, state);
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
static const struct argp_option predict_options[] = {
    OPTION_STATE,
    {NULL, 0, NULL, 0, "Of a language model's answers:", 2},
    {"system", KEY_SYSTEM, "TEXT", 0,
     "System message before each question, if the site has a chat "
     "format",
     2},
    {"tokens", KEY_TOKENS, "N", 0, "Tokens of an answer, at most (256)", 2},
    {"temperature", KEY_TEMPERATURE, "X", 0,
     "Draw tokens by their probabilities at X, 0: the most probable each time (0)", 2},
    {"seed", KEY_SEED, "N", 0, "Of the draws: the same gives the same answer (1)", 2},
    OPTION_JSON,
    {0},
};
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

/*
 * Models and pictures are opened by the trainer's program alone. Returns only if it cannot be
 * started.
 */
static enum sotto_status become_trainer(char **arguments, struct sotto_fault *fault)
{
    char path[1024];
    enum sotto_status status = sotto_program_path(path, "sotto-trainer", fault);

    if (status != SOTTO_OK)
        return status;
    execv(path, arguments);
    return sotto_fault_set(fault, SOTTO_IO, "cannot start %s: %s", path, strerror(errno));
}

/* A command line in the making; there is room. */
struct line {
    char **arguments;
    size_t count;
};

/* An option, with its value unless that is NULL. */
static void put(struct line *line, const char *name, const char *value)
{
    line->arguments[line->count++] = (char *)(uintptr_t)name;
    if (value != NULL)
        line->arguments[line->count++] = (char *)(uintptr_t)value;
}

static void put_all(struct line *line, const struct options *options,
                    const struct sotto_site_config *site, const struct sotto_state_folder *folder)
{
    put(line, "sotto-participant", "predict");
    put(line, "--model", site->model);
    put(line, "--adapter", folder->current);
    if (site->has_half_weights)
        put(line, "--weights", "bfloat16");
    if (site->chat[0] != '\0')
        put(line, "--chat", site->chat);
    for (size_t i = 0; i < options->passed_count; i += 2)
        put(line, options->passed[i], options->passed[i + 1]);
    if (options->as_json)
        put(line, "--json", NULL);
    put(line, "--", NULL);
    for (int i = 0; i < options->photo_count; i++)
        put(line, options->photos[i], NULL);
}

static enum sotto_status predict(int *exit_code, const struct options *options,
                                 struct sotto_fault *fault)
{
    const size_t fixed_max = 16 + PASSED_MAX;
    struct sotto_state_folder folder;
    struct sotto_site_config site;
    struct line line = {calloc((size_t)options->photo_count + fixed_max, sizeof *line.arguments),
                        0};
    enum sotto_status status = sotto_state_folder_find(&folder, options->state, fault);

    (void)exit_code;
    if (status == SOTTO_OK)
        status = sotto_site_load(&site, folder.site, fault);
    if (status == SOTTO_OK && access(folder.current, F_OK) != 0)
        status = sotto_fault_set(fault, SOTTO_NOT_FOUND,
                                 "no adapter has come home to %s yet: take part in a round first",
                                 folder.adapters);
    if (status == SOTTO_OK && line.arguments == NULL)
        status = sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the arguments");
    if (status == SOTTO_OK) {
        put_all(&line, options, &site, &folder);
        status = become_trainer(line.arguments, fault);
    }
    free(line.arguments);
    return status;
}

static const struct subcommand {
    const char *name;
    command run; /* NULL: the trainer's program does it, with its own options */
    struct argp argp;
} subcommands[] = {
    {"enrol",
     enrol,
     {.options = enrol_options,
      .parser = parse_enrol,
      .doc = "Makes this site's keys and state folder and enrols it with a token."}},
    {"run",
     run,
     {.options = plain_options,
      .parser = parse_state,
      .doc = "Takes part in rounds until it is stopped."}},
    {"status",
     show_status,
     {.options = reading_options, .parser = parse_state, .doc = "Shows how the site is."}},
    {"predict",
     predict,
     {.options = predict_options,
      .parser = parse_photos,
      .args_doc = "PHOTO|TEXT...",
      .doc = "Names the label of each photo, or text, with the adapter that came home; a language "
             "model answers each text instead. Needs no network."}},
    {"audit",
     audit,
     {.options = reading_options,
      .parser = parse_state,
      .doc = "Shows what this site let out and what it refused, from its ledger."}},
    {"check", NULL, {.doc = NULL}},
    {"evaluate", NULL, {.doc = NULL}},
    {"train", NULL, {.doc = NULL}},
    {"export", NULL, {.doc = NULL}},
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

    if (subcommand->run == NULL)
        return become_trainer(arguments + choice->first - 1, fault);
    snprintf(program, sizeof program, "sotto-participant %s", subcommand->name);
    arguments[choice->first] = program;
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
