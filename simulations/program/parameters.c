#include "simulations/program/parameters.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/console/console.h"
#include "crypto/secagg/secaggplus/graph/traffic.h"

enum { OPTION_NO_MARGIN = 256, OPTION_JSON, EXIT_USAGE = 2 };

struct question {
    struct sotto_parameters_wish wish;
    bool has_corrupt;
    bool has_dropout;
    bool json;
};

static const struct argp_option options[] = {
    {"cohort", 'n', "N", 0, "Participants in the round", 0},
    {"corrupt", 'g', "G", 0, "Part of them that may collude with the coordinator, 0 to below 1", 0},
    {"dropout", 'd', "D", 0, "Part of them that may drop out, 0 to below 1", 0},
    {"no-grinding-margin", OPTION_NO_MARGIN, NULL, 0,
     "Leave out the 64 bits for a coordinator that tries many cohorts before it shows one", 0},
    {"json", OPTION_JSON, NULL, 0, "Print one line of JSON", 0},
    {0}};

static void cohort_read(struct question *question, const char *text, struct argp_state *state)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < SOTTO_COHORT_MIN ||
        value > SOTTO_COHORT_MAX)
        sotto_console_refuse(state, "--cohort %s: give a whole number from %d to %d", text,
                             SOTTO_COHORT_MIN, SOTTO_COHORT_MAX);
    question->wish.cohort = (uint32_t)value;
}

static double fraction_read(const char *name, const char *text, struct argp_state *state)
{
    char *end;
    double value = strtod(text, &end);

    if (end == text || *end != '\0' || !(value >= 0 && value < 1))
        sotto_console_refuse(state, "--%s %s: give a fraction from 0 to below 1", name, text);
    return value;
}

static void question_check(const struct question *question, struct argp_state *state)
{
    if (question->wish.cohort == 0 || !question->has_corrupt || !question->has_dropout)
        sotto_console_refuse(state, "give --cohort, --corrupt and --dropout");
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct question *question = state->input;

    switch (key) {
    case 'n': cohort_read(question, argument, state); return 0;
    case 'g':
        question->wish.corrupt_fraction = fraction_read("corrupt", argument, state);
        question->has_corrupt = true;
        return 0;
    case 'd':
        question->wish.dropout_fraction = fraction_read("dropout", argument, state);
        question->has_dropout = true;
        return 0;
    case OPTION_NO_MARGIN: question->wish.security_bits = SOTTO_SECURITY_BITS; return 0;
    case OPTION_JSON: question->json = true; return 0;
    case ARGP_KEY_ARG: sotto_console_refuse(state, "what is '%s' for?", argument); return EINVAL;
    case ARGP_KEY_END: question_check(question, state); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    options,
    option_parse,
    "--cohort N --corrupt G --dropout D",
    "Prints how many neighbours and how many shares of a secret a cohort needs, as every "
    "participant computes it.\v"
    "Bytes are those of the protocol's own messages of one participant when nobody drops out: the "
    "masked lanes, the plan and the roster are not among them. Exit codes: 0 done, 2 usage, or a "
    "cohort for which there are no such parameters.",
    NULL,
    NULL,
    NULL};

static void print(const struct sotto_parameters *parameters, bool json)
{
    struct sotto_message_traffic traffic;
    uint32_t dropouts = sotto_parameters_dropouts(parameters);

    sotto_message_traffic_of(&traffic, parameters);
    if (json) {
        printf("{\"cohort\": %u, \"neighbours\": %u, \"threshold\": %u, \"corrupt_neighbours\": "
               "%u, \"tolerated_dropouts\": %u, \"bytes_up\": %zu, \"bytes_down\": %zu}\n",
               parameters->cohort, parameters->neighbours, parameters->threshold,
               parameters->corrupt, dropouts, traffic.up, traffic.down);
        return;
    }
    printf("cohort               %u\n", parameters->cohort);
    printf("neighbours           %u%s\n", parameters->neighbours,
           sotto_parameters_is_complete(parameters) ? " (everybody)" : "");
    printf("threshold            %u\n", parameters->threshold);
    printf("corrupt neighbours   %u at most\n", parameters->corrupt);
    printf("tolerated dropouts   %u\n", dropouts);
    printf("bytes up             %zu\n", traffic.up);
    printf("bytes down           %zu\n", traffic.down);
}

int sotto_program_parameters(int argc, char **argv)
{
    char name[] = "sotto-simulate parameters";
    struct question question = {
        .wish = {.survivors_min = SOTTO_COHORT_MIN,
                 .security_bits = SOTTO_SECURITY_BITS + SOTTO_GRINDING_BITS}};
    struct sotto_parameters parameters;

    argv[0] = name;
    argp_parse(&parser, argc, argv, 0, NULL, &question);
    if (sotto_parameters_solve(&parameters, &question.wish) != SOTTO_OK) {
        fprintf(stderr,
                "sotto-simulate: with %u participants no graph of up to %d neighbours outlives "
                "these colluders and dropouts; lower --corrupt or --dropout\n",
                question.wish.cohort, SOTTO_NEIGHBOURS_MAX);
        return EXIT_USAGE;
    }
    print(&parameters, question.json);
    return 0;
}
