#include "coordinator/admin/wish.h"

#include <argp.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/console/console.h"

enum {
    OPTION_MODEL = 256,
    OPTION_LABELS,
    OPTION_RANK,
    OPTION_ALPHA,
    OPTION_TARGETS,
    OPTION_SEED,
    OPTION_KIND,
    OPTION_PATTERN,
    OPTION_STABILISED,
    OPTION_TOP,
    OPTION_METHOD,
    OPTION_SERVER,
    OPTION_WHOLE, /* and one for each row of whole_options */
    OPTION_REAL = OPTION_WHOLE + 64,
};

/* Options that are a field of the definition and nothing more. */
static const size_t whole_fields[] = {
    offsetof(struct sotto_definition, cohort_min),
    offsetof(struct sotto_definition, cohort_max),
    offsetof(struct sotto_definition, survivors_min),
    offsetof(struct sotto_definition, rounds),
    offsetof(struct sotto_definition, epochs),
    offsetof(struct sotto_definition, batch),
    offsetof(struct sotto_definition, ring_bits),
    offsetof(struct sotto_definition, value_bits),
    offsetof(struct sotto_definition, weight_max),
    offsetof(struct sotto_definition, organisation_max),
    offsetof(struct sotto_definition, rotate),
    offsetof(struct sotto_definition, feedback),
};

static const size_t real_fields[] = {
    offsetof(struct sotto_definition, learning_rate),
    offsetof(struct sotto_definition, weight_decay),
    offsetof(struct sotto_definition, clip_norm),
    offsetof(struct sotto_definition, corrupt_fraction),
    offsetof(struct sotto_definition, gathering_s),
    offsetof(struct sotto_definition, sharing_s),
    offsetof(struct sotto_definition, uploading_s),
    offsetof(struct sotto_definition, including_s),
    offsetof(struct sotto_definition, revealing_s),
    offsetof(struct sotto_definition, dropout_fraction),
    offsetof(struct sotto_definition, lane_range),
    offsetof(struct sotto_definition, noise_multiplier),
    offsetof(struct sotto_definition, privacy_delta),
    offsetof(struct sotto_definition, server_rate),
    offsetof(struct sotto_definition, server_beta1),
    offsetof(struct sotto_definition, server_beta2),
    offsetof(struct sotto_definition, server_tau),
    offsetof(struct sotto_definition, proximal),
    offsetof(struct sotto_definition, dropout),
};

static const struct argp_option options[] = {
    {NULL, 0, NULL, 0, "The model and its adapter:", 1},
    {"model", OPTION_MODEL, "DIR", 0, "Base model: a Hugging Face directory", 0},
    {"labels", OPTION_LABELS, "A,B,...", 0, "Names of the classes; a language model has none", 0},
    {"rank", OPTION_RANK, "N", 0, "LoRA rank; 0: the head alone is trained (default: 8)", 0},
    {"alpha", OPTION_ALPHA, "X", 0, "LoRA alpha, above 0 (default: twice the rank)", 0},
    {"targets", OPTION_TARGETS, "SET", 0,
     "Layers to adapt: all-linear, or names such as query,value (default: all-linear)", 0},
    {"rank-pattern", OPTION_PATTERN, "LIST", 0,
     "Layers of another rank, such as query=4,value=16 (default: none)", 0},
    {"rank-stabilised", OPTION_STABILISED, NULL, 0,
     "Scale by alpha over the root of the rank (rsLoRA)", 0},
    {"kind", OPTION_KIND, "KIND", 0, "lora, or norm-bias: norms and biases (default: lora)", 0},
    {"top-blocks", OPTION_TOP, "K", 0, "Adapt the last K blocks alone (default: 0, all)", 0},
    {"seed", OPTION_SEED, "N", 0,
     "Public seed of the adapter's starting values (default: drawn, and told)", 0},
    {NULL, 0, NULL, 0, "The cohort:", 2},
    {"cohort-min", OPTION_WHOLE + 0, "N", 0, "Sites that a round needs to begin (default: 8)", 0},
    {"cohort-max", OPTION_WHOLE + 1, "N", 0, "Sites that a round takes at most (default: 128)", 0},
    {"survivors-min", OPTION_WHOLE + 2, "N", 0, "Uploads that a sum needs (default: 6)", 0},
    {"corrupt-fraction", OPTION_REAL + 3, "X", 0,
     "How many sites may collude with the coordinator (default: 0.05)", 0},
    {"dropout-fraction", OPTION_REAL + 9, "X", 0,
     "How many sites may drop out of a round (default: 0.1)", 0},
    {"organisation-max", OPTION_WHOLE + 9, "N", 0,
     "Members of one organisation that a round takes at most (default: 0, any number)", 0},
    {NULL, 0, NULL, 0, "The work:", 3},
    {"rounds", OPTION_WHOLE + 3, "N", 0, "Rounds that have to finish (default: 10)", 0},
    {"epochs", OPTION_WHOLE + 4, "N", 0, "Local epochs a round (default: 1)", 0},
    {"batch", OPTION_WHOLE + 5, "N", 0, "Examples a step (default: 32)", 0},
    {"learning-rate", OPTION_REAL + 0, "X", 0,
     "AdamW rate; falls by a cosine to 5 % over the rounds (default: 0.003)", 0},
    {"weight-decay", OPTION_REAL + 1, "X", 0, "AdamW weight decay (default: 0.01)", 0},
    {"proximal", OPTION_REAL + 17, "MU", 0,
     "FedProx: pull towards the round's start (default: 0, none)", 0},
    {"dropout", OPTION_REAL + 18, "X", 0,
     "Share of a LoRA's inputs that a step leaves out (default: 0)", 0},
    {NULL, 0, NULL, 0, "What is made of the sums:", 4},
    {"method", OPTION_METHOD, "NAME", 0,
     "How the pairs A, B are aggregated: fedit, ffa, ffa-svd or rolora (default: rolora; "
     "with noise ffa-svd; without a LoRA fedit)",
     0},
    {"server", OPTION_SERVER, "NAME", 0,
     "Server optimiser: fedavg, fedavgm, fedadam or fedyogi (default: fedavg)", 0},
    {"server-rate", OPTION_REAL + 13, "X", 0, "Its learning rate (default: 1)", 0},
    {"server-beta1", OPTION_REAL + 14, "X", 0, "Its first moment's decay (default: 0.9)", 0},
    {"server-beta2", OPTION_REAL + 15, "X", 0, "Its second moment's decay (default: 0.99)", 0},
    {"server-tau", OPTION_REAL + 16, "X", 0, "Added to the root of that (default: 0.001)", 0},
    {NULL, 0, NULL, 0, "The sum:", 5},
    {"clip", OPTION_REAL + 2, "X", 0, "L2 norm that an update is clipped to (default: 10)", 0},
    {"lane-range", OPTION_REAL + 10, "X", 0,
     "Values are quantised between -X and X (default: that norm, or less if rotated)", 0},
    {"rotate", OPTION_WHOLE + 10, "N", 0,
     "1: spread an update evenly over its lanes, so that 8 bits are enough (default: 0)", 0},
    {"feedback", OPTION_WHOLE + 11, "N", 0,
     "1: sites make up for what quantising took from their last update (default: 0)", 0},
    {"noise", OPTION_REAL + 11, "Z", 0,
     "Noise of a sum, in units of one site's largest share in it; needs --weight-max 1 (default: "
     "0, none)",
     0},
    {"privacy-delta", OPTION_REAL + 12, "D", 0,
     "At which the cost of noised rounds is shown (default: 1e-6)", 0},
    {"ring-bits", OPTION_WHOLE + 6, "N", 0, "Bits of a lane (default: 32)", 0},
    {"value-bits", OPTION_WHOLE + 7, "N", 0, "Bits of a quantised value (default: 16)", 0},
    {"weight-max", OPTION_WHOLE + 8, "N", 0, "Examples that a site counts at most (default: 512)",
     0},
    {NULL, 0, NULL, 0, "How long each stage may take, in seconds:", 6},
    {"gathering-deadline", OPTION_REAL + 4, "S", 0, "Sites join (default: 60)", 0},
    {"sharing-deadline", OPTION_REAL + 5, "S", 0, "They share their keys (default: 30)", 0},
    {"uploading-deadline", OPTION_REAL + 6, "S", 0, "They train and upload (default: 3600)", 0},
    {"including-deadline", OPTION_REAL + 7, "S", 0, "They confirm the survivors (default: 30)", 0},
    {"revealing-deadline", OPTION_REAL + 8, "S", 0, "They reveal their shares (default: 30)", 0},
    {0}};

static const char *option_name(int key)
{
    size_t i = 0;

    while (options[i].name == NULL || options[i].key != key)
        i++;
    return options[i].name;
}

static double number_parse(int key, const char *text, struct argp_state *state)
{
    bool is_whole = key < OPTION_REAL && key != OPTION_ALPHA;
    char *end;
    double number = strtod(text, &end);

    if (key == OPTION_ALPHA && !(number > 0))
        sotto_console_refuse(state, "--alpha %s: give a number above 0", text);
    if (*end != '\0' || end == text || !isfinite(number) || number < 0 ||
        (is_whole && (number != floor(number) || number > UINT32_MAX)))
        sotto_console_refuse(state, "--%s %s: give a %s", option_name(key), text,
                             is_whole ? "whole number from 0 to 4294967295" : "number from 0 on");
    return number;
}

static void labels_parse(struct sotto_adapter_choice *choice, const char *text,
                         struct argp_state *state)
{
    choice->label_count = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");

        if (length == 0 || length > SOTTO_LABEL_TEXT_MAX)
            sotto_console_refuse(state, "--labels: each has 1 to %d letters", SOTTO_LABEL_TEXT_MAX);
        if (choice->label_count == SOTTO_LABELS_MAX)
            sotto_console_refuse(state, "--labels: at most %d", SOTTO_LABELS_MAX);
        memcpy(choice->labels[choice->label_count], at, length);
        choice->labels[choice->label_count++][length] = '\0';
        at += length;
        if (*at == '\0')
            return;
    }
}

static void field_parse(struct sotto_wish *wish, int key, const char *argument,
                        struct argp_state *state)
{
    char *definition = (char *)&wish->definition;
    double number = number_parse(key, argument, state);
    uint32_t whole = (uint32_t)number;

    if (key < OPTION_REAL)
        memcpy(definition + whole_fields[key - OPTION_WHOLE], &whole, sizeof whole);
    else
        memcpy(definition + real_fields[key - OPTION_REAL], &number, sizeof number);
}

static void wish_check(struct sotto_wish *wish, struct argp_state *state)
{
    if (wish->definition.name[0] == '\0')
        sotto_console_refuse(state, "name the campaign");
    if (wish->model == NULL)
        sotto_console_refuse(state, "name the base model's folder with --model DIR");
    if (wish->choice.kind == SOTTO_ADAPTER_NORM_BIAS && wish->lora_only != NULL)
        sotto_console_refuse(state, "--%s is of a LoRA: leave it out with --kind norm-bias",
                             wish->lora_only);
    if (wish->choice.alpha < 0)
        wish->choice.alpha = 2.0 * (wish->choice.rank == 0 ? 1 : wish->choice.rank);
    if (!wish->has_method)
        wish->definition.method = sotto_method_default(
            wish->choice.kind == SOTTO_ADAPTER_LORA && wish->choice.rank > 0,
            wish->definition.noise_multiplier > 0,
            wish->definition.feedback != 0 || wish->definition.server != SOTTO_SERVER_FEDAVG);
}

static void kind_parse(struct sotto_adapter_choice *choice, const char *text,
                       struct argp_state *state)
{
    if (strcmp(text, "lora") == 0)
        choice->kind = SOTTO_ADAPTER_LORA;
    else if (strcmp(text, "norm-bias") == 0)
        choice->kind = SOTTO_ADAPTER_NORM_BIAS;
    else
        sotto_console_refuse(state, "--kind %s: give lora or norm-bias", text);
}

/* The number of a name in a list, or a usage error that tells the list. */
static uint32_t named_parse(int key, const char *text, const char *const *names, uint32_t count,
                            struct argp_state *state)
{
    for (uint32_t number = 0; number < count; number++)
        if (strcmp(names[number], text) == 0)
            return number;
    sotto_console_refuse(state, "--%s %s: give %s to %s, as --help tells", option_name(key), text,
                         names[0], names[count - 1]);
    return 0;
}

static bool is_of_lora(int key)
{
    return key == OPTION_RANK || key == OPTION_ALPHA || key == OPTION_TARGETS ||
           key == OPTION_PATTERN || key == OPTION_STABILISED;
}

/* Options of the adapter and of the method; false: it is none of these. */
static bool adapter_parse(struct sotto_wish *wish, int key, const char *argument,
                          struct argp_state *state)
{
    struct sotto_adapter_choice *choice = &wish->choice;
    struct sotto_fault fault;

    if (is_of_lora(key))
        wish->lora_only = option_name(key);
    switch (key) {
    case OPTION_RANK: choice->rank = (uint32_t)number_parse(key, argument, state); return true;
    case OPTION_ALPHA: choice->alpha = number_parse(key, argument, state); return true;
    case OPTION_KIND: kind_parse(choice, argument, state); return true;
    case OPTION_STABILISED: choice->is_rank_stabilised = true; return true;
    case OPTION_TOP: choice->top_blocks = (uint32_t)number_parse(key, argument, state); return true;
    case OPTION_TARGETS:
        if (sotto_target_set_parse(&choice->target_set, argument, &fault) != SOTTO_OK)
            sotto_console_refuse(state, "--targets: %s", fault.text);
        wish->targets = argument;
        return true;
    case OPTION_PATTERN:
        if (sotto_rank_pattern_parse(choice->ranks, argument, &fault) != SOTTO_OK)
            sotto_console_refuse(state, "--rank-pattern: %s", fault.text);
        wish->rank_pattern = argument;
        return true;
    case OPTION_METHOD:
        wish->has_method = true;
        wish->definition.method = (enum sotto_method)named_parse(key, argument, sotto_method_names,
                                                                 SOTTO_METHOD_COUNT, state);
        return true;
    case OPTION_SERVER:
        wish->definition.server = (enum sotto_server_kind)named_parse(
            key, argument, sotto_server_names, SOTTO_SERVER_KIND_COUNT, state);
        return true;
    }
    return false;
}

static void name_take(struct sotto_wish *wish, const char *argument, struct argp_state *state)
{
    if (wish->definition.name[0] != '\0')
        sotto_console_refuse(state, "one campaign at a time");
    if (argument[0] == '\0' || strlen(argument) > SOTTO_CAMPAIGN_NAME_MAX)
        sotto_console_refuse(state, "a campaign's name has 1 to %d letters",
                             SOTTO_CAMPAIGN_NAME_MAX);
    snprintf(wish->definition.name, sizeof wish->definition.name, "%s", argument);
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct sotto_wish *wish = state->input;

    if (adapter_parse(wish, key, argument, state))
        return 0;
    switch (key) {
    case OPTION_MODEL: wish->model = argument; return 0;
    case OPTION_LABELS: labels_parse(&wish->choice, argument, state); return 0;
    case OPTION_SEED: wish->definition.seed = (int64_t)number_parse(key, argument, state); return 0;
    case ARGP_KEY_ARG: name_take(wish, argument, state); return 0;
    case ARGP_KEY_END: wish_check(wish, state); return 0;
    }
    if (key < OPTION_WHOLE || key > OPTION_REAL + 64)
        return ARGP_ERR_UNKNOWN;
    field_parse(wish, key, argument, state);
    return 0;
}

/* Short enough for people. */
static int64_t seed_draw(void)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_system(&entropy);
    return (int64_t)sotto_entropy_below(&entropy, UINT32_MAX);
}

void sotto_wish_parse(struct sotto_wish *wish, const struct sotto_command_line *line)
{
    static const struct argp parser = {
        .options = options,
        .parser = option_parse,
        .args_doc = "NAME",
        .doc = "Makes a campaign: derives the adapter's layout from the base model, uploads its "
               "starting values and the definition. It does not start yet."};

    memset(wish, 0, sizeof *wish);
    sotto_definition_init(&wish->definition);
    wish->choice.rank = 8;
    wish->choice.alpha = -1;
    wish->definition.seed = seed_draw();
    wish->targets = "all-linear";
    wish->rank_pattern = "";
    if (sotto_target_set_parse(&wish->choice.target_set, "all-linear", NULL) != SOTTO_OK)
        abort();
    argp_parse(&parser, line->argc, line->argv, 0, NULL, wish);
}
