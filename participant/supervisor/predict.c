#include "participant/supervisor/predict.h"

#include <argp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/console/console.h"
#include "participant/supervisor/folder.h"
#include "participant/supervisor/site.h"
#include "participant/supervisor/spawn.h"

/* Options and values that are passed on, and all arguments but the examples. */
enum { PASSED_MAX = 16, FIXED_MAX = PASSED_MAX + 16 };

enum { KEY_STATE = 's', KEY_JSON = 'j', KEY_MODEL = 'm', KEY_ADAPTER = 'a' };
enum { KEY_CHAT = 256, KEY_WEIGHTS, KEY_SYSTEM, KEY_TOKENS, KEY_TEMPERATURE, KEY_SEED };

struct wish {
    const char *state;
    bool as_json;
    char **examples; /* paths of photos, or texts */
    int example_count;
    const char *passed[PASSED_MAX]; /* options and values for the trainer's program to read */
    size_t passed_count;
    bool is_alone; /* a model is named: no site is asked */
};

static const struct argp_option option_table[] = {
    {"state", KEY_STATE, "DIR", 0, "The site's state folder", 0},
    {NULL, 0, NULL, 0, "Instead of a site's own:", 1},
    {"model", KEY_MODEL, "DIR", 0, "Base model directory", 1},
    {"adapter", KEY_ADAPTER, "DIR", 0, "Adapter directory (PEFT)", 1},
    {"weights", KEY_WEIGHTS, "KIND", 0, "Base in memory: float32, or bfloat16, faster (float32)",
     1},
    {"chat", KEY_CHAT, "FORMAT", 0,
     "Put each TEXT as a question: chatml, llama2, llama3, mistral, zephyr (go on with it as it "
     "stands)",
     1},
    {NULL, 0, NULL, 0, "Of a language model's answers:", 2},
    {"system", KEY_SYSTEM, "TEXT", 0, "System message before each question; needs a chat format",
     2},
    {"tokens", KEY_TOKENS, "N", 0, "Tokens of an answer, at most (256)", 2},
    {"temperature", KEY_TEMPERATURE, "X", 0,
     "Draw tokens by their probabilities at X, 0: the most probable each time (0)", 2},
    {"seed", KEY_SEED, "N", 0, "Of the draws: the same gives the same answer (1)", 2},
    {"json", KEY_JSON, NULL, 0, "Print JSON", 3},
    {0},
};

/* The last of an option that is given twice counts there. */
static void pass(struct argp_state *state, const char *name, const char *value)
{
    struct wish *wish = state->input;

    if (wish->passed_count + 2 > PASSED_MAX)
        sotto_console_refuse(state, "%s is given too often", name);
    wish->passed[wish->passed_count++] = name;
    wish->passed[wish->passed_count++] = value;
}

/* What the trainer's program reads by itself. */
static const struct passed_option {
    int key;
    const char *name;
    bool is_alone; /* instead of a site's */
} passed_options[] = {
    {KEY_MODEL, "--model", true},
    {KEY_ADAPTER, "--adapter", true},
    {KEY_CHAT, "--chat", true},
    {KEY_WEIGHTS, "--weights", true},
    {KEY_SYSTEM, "--system", false},
    {KEY_TOKENS, "--tokens", false},
    {KEY_TEMPERATURE, "--temperature", false},
    {KEY_SEED, "--seed", false},
};

static void check(const struct argp_state *state, const struct wish *wish)
{
    if (wish->example_count == 0)
        sotto_console_refuse(state, "at least one PHOTO or TEXT is needed");
    if ((wish->state != NULL) == wish->is_alone)
        sotto_console_refuse(state, "%s",
                             wish->is_alone ? "--model, --adapter, --chat and --weights are the "
                                              "site's own: leave them out, or --state"
                                            : "--state is needed, or --model and --adapter");
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct wish *wish = state->input;

    for (size_t i = 0; i < sizeof passed_options / sizeof passed_options[0]; i++) {
        if (passed_options[i].key == key) {
            pass(state, passed_options[i].name, text);
            wish->is_alone = wish->is_alone || passed_options[i].is_alone;
            return 0;
        }
    }
    switch (key) {
    case KEY_STATE: wish->state = text; return 0;
    case KEY_JSON: wish->as_json = true; return 0;
    case ARGP_KEY_ARGS:
        wish->examples = state->argv + state->next;
        wish->example_count = state->argc - state->next;
        return 0;
    case ARGP_KEY_END: check(state, wish); return 0;
    }
    return ARGP_ERR_UNKNOWN;
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

static void put_site(struct line *line, const struct sotto_site_config *site,
                     const struct sotto_state_folder *folder)
{
    put(line, "--model", site->model);
    put(line, "--adapter", folder->current);
    if (site->has_half_weights)
        put(line, "--weights", "bfloat16");
    if (site->chat[0] != '\0')
        put(line, "--chat", site->chat);
}

/* What a person asked for, behind what the site has. */
static void put_wish(struct line *line, const struct wish *wish)
{
    for (size_t i = 0; i < wish->passed_count; i += 2)
        put(line, wish->passed[i], wish->passed[i + 1]);
    if (wish->as_json)
        put(line, "--json", NULL);
    put(line, "--", NULL);
    for (int i = 0; i < wish->example_count; i++)
        put(line, wish->examples[i], NULL);
}

static enum sotto_status find_adapter(struct sotto_site_config *site,
                                      struct sotto_state_folder *folder, const char *state,
                                      struct sotto_fault *fault)
{
    enum sotto_status status = sotto_state_folder_find(folder, state, fault);

    if (status == SOTTO_OK)
        status = sotto_site_load(site, folder->site, fault);
    if (status == SOTTO_OK && access(folder->current, F_OK) != 0)
        status = sotto_fault_set(fault, SOTTO_NOT_FOUND,
                                 "no adapter has come home to %s yet: take part in a round first",
                                 folder->adapters);
    return status;
}

enum sotto_status sotto_site_predict(int argument_count, char **arguments,
                                     struct sotto_fault *fault)
{
    static const struct argp argp = {
        .options = option_table,
        .parser = parse,
        .args_doc = "PHOTO|TEXT...",
        .doc = "Names the label of each photo, or text, with the adapter that came home, or "
               "another; a language model answers each text instead. Needs no network."};
    struct wish wish = {0};
    struct sotto_state_folder folder;
    struct sotto_site_config site;
    struct line line = {0};
    enum sotto_status status = SOTTO_OK;

    argp_parse(&argp, argument_count, arguments, 0, NULL, &wish);
    if (!wish.is_alone)
        status = find_adapter(&site, &folder, wish.state, fault);
    if (status != SOTTO_OK)
        return status;
    line.arguments = calloc((size_t)wish.example_count + FIXED_MAX, sizeof *line.arguments);
    if (line.arguments == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the arguments");
    put(&line, "sotto-participant", "predict");
    if (!wish.is_alone)
        put_site(&line, &site, &folder);
    put_wish(&line, &wish);
    status = sotto_trainer_become(line.arguments, fault);
    free(line.arguments);
    return status;
}
