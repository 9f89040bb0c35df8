#include "simulations/program/play.h"

#include <argp.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "core/console/console.h"
#include "crypto/privacy/accountant.h"
#include "simulations/baseline.h"
#include "simulations/pool.h"
#include "simulations/report.h"
#include "simulations/trace/trace.h"
#include "simulations/world.h"

enum { OVERRIDES_MAX = 64 };

struct arguments {
    const char *scenario;
    const char *out;
    const char *trace;
    bool json;
    bool partition_only;
    const char *overrides[OVERRIDES_MAX];
    size_t override_count;
};

static const struct argp_option options[] = {
    {"out", 'o', "DIR", 0,
     "Write rounds.jsonl, summary.json and adapter/ (or, for partition, the photos) to DIR", 0},
    {"trace", 't', "FILE", 0,
     "Write what each round cost in processor time to FILE, and print the sum on stderr", 0},
    {"json", 'j', NULL, 0, "Print the summary as one line of JSON", 0},
    {"set", 's', "KEY=VALUE", 0, "Override a key of the scenario; may be repeated", 0},
    {0}};

/* A key that is set twice has the last value. */
static void override_take(struct arguments *arguments, const char *override,
                          struct argp_state *state)
{
    size_t key_length = strcspn(override, "=") + 1;
    size_t place = 0;

    if (override[key_length - 1] != '=')
        sotto_console_refuse(state, "--set %s: give KEY=VALUE", override);
    while (place < arguments->override_count &&
           strncmp(arguments->overrides[place], override, key_length) != 0)
        place++;
    if (place == OVERRIDES_MAX)
        sotto_console_refuse(state, "--set: at most %d", OVERRIDES_MAX);
    arguments->overrides[place] = override;
    if (place == arguments->override_count)
        arguments->override_count++;
}

static error_t argument_take(struct arguments *arguments, const char *argument,
                             struct argp_state *state)
{
    if (arguments->scenario == NULL && !arguments->partition_only &&
        strcmp(argument, "partition") == 0)
        arguments->partition_only = true;
    else if (arguments->scenario == NULL)
        arguments->scenario = argument;
    else
        sotto_console_refuse(state, "one scenario at a time, not also %s", argument);
    return 0;
}

static error_t option_parse(int key, char *argument, struct argp_state *state)
{
    struct arguments *arguments = state->input;

    switch (key) {
    case 'o': arguments->out = argument; return 0;
    case 't': arguments->trace = argument; return 0;
    case 'j': arguments->json = true; return 0;
    case 's': override_take(arguments, argument, state); return 0;
    case ARGP_KEY_ARG: return argument_take(arguments, argument, state);
    case ARGP_KEY_END:
        if (arguments->scenario == NULL)
            sotto_console_refuse(state,
                                 "name a scenario, such as simulations/scenarios/five-sites.yaml");
        if (arguments->partition_only && arguments->out == NULL)
            sotto_console_refuse(state, "partition needs --out DIR");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    options,
    option_parse,
    "SCENARIO\npartition SCENARIO --out DIR\nparameters --cohort N --corrupt G --dropout D\n"
    "privacy --rounds R --cohort N --delta D --noise Z",
    "Plays a federated campaign among virtual sites under a virtual clock, with the round, the "
    "secure aggregation and the "
    "training that ship, and holds every sum against the plain one.\v"
    "partition writes each site's share of the scenario's photos as an ImageFolder, "
    "DIR/site-K/LABEL/*.png. parameters prints the graph and threshold of a cohort, privacy what "
    "rounds with noise cost; each has its own --help.\n\n"
    "Exit codes: 0 done, 1 a sum differed, 3 no round finished, 2 usage, others as in "
    "docs/exit-codes.md.",
    NULL,
    NULL,
    NULL};

static int complain(const struct sotto_fault *fault, enum sotto_status status)
{
    fprintf(stderr, "sotto-simulate: %s\n",
            fault->text[0] ? fault->text : sotto_status_name(status));
    return sotto_status_exit_code(status);
}

static void progress(const struct sotto_world_round *told, uint32_t rounds)
{
    bool is_terminal = isatty(STDERR_FILENO);

    fprintf(stderr, "%sround %u of %u: %s, cohort %u, survivors %u, mean delta %.3f%s",
            is_terminal ? "\r\033[K" : "", told->round, rounds,
            told->is_finished ? "finished" : told->reason, told->cohort, told->survivors,
            told->mean_norm, is_terminal ? "" : "\n");
}

static void epsilon_set(struct sotto_summary *summary, const struct sotto_world *world)
{
    double rho = 0;

    if (world->scenario->noise_multiplier == 0)
        return;
    for (uint32_t i = 0; i < world->scenario->sites; i++)
        rho = fmax(rho, sotto_virtual_site_rho(&world->sites[i]));
    summary->delta = world->policy.delta;
    summary->epsilon = sotto_accountant_epsilon(rho, summary->delta);
}

static enum sotto_status rounds_play(struct sotto_world *world, struct sotto_report *report,
                                     struct sotto_trace *trace, struct sotto_summary *summary,
                                     struct sotto_fault *fault)
{
    enum sotto_status status = SOTTO_OK;

    while (sotto_timetable_next(&world->hub.definition, &world->hub.progress) == SOTTO_NEXT_ROUND) {
        struct sotto_world_round told;

        status = sotto_world_round(world, &told, fault);
        if (status != SOTTO_OK)
            break;
        sotto_report_round(report, &told);
        sotto_trace_round(trace, told.round, told.cohort, &told.spans);
        sotto_summary_add(summary, &told);
        progress(&told, world->scenario->rounds);
    }
    if (isatty(STDERR_FILENO))
        fputc('\n', stderr);
    epsilon_set(summary, world);
    summary->refusals = world->refusal_count;
    summary->oracle_mismatches = world->oracle_mismatches;
    return status;
}

static enum sotto_status accuracies_measure(const struct sotto_world *world,
                                            struct sotto_summary *summary,
                                            struct sotto_fault *fault)
{
    struct sotto_dataset held_out;
    struct sotto_score score;
    enum sotto_status status = sotto_held_out_open(&held_out, world->scenario, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_training_score(&world->crew, world->hub.adapter, &held_out, &score, fault);
    if (status == SOTTO_OK)
        summary->accuracy_federated = (double)score.correct / (double)score.count;
    if (status == SOTTO_OK && world->scenario->alone_sites)
        status = sotto_baseline_alone(world, &held_out, &summary->accuracy_alone_mean, fault);
    if (status == SOTTO_OK && world->scenario->pooled)
        status = sotto_baseline_pooled(world, &held_out, &summary->accuracy_pooled, fault);
    sotto_dataset_close(&held_out);
    return status;
}

static enum sotto_status campaign_play(struct sotto_world *world, struct sotto_summary *summary,
                                       const struct arguments *arguments, struct sotto_fault *fault)
{
    struct sotto_report report;
    struct sotto_trace trace = {0};
    enum sotto_status closed;
    enum sotto_status status = sotto_report_open(&report);

    /* A folder that cannot be made is told now, not after the campaign. */
    if (status == SOTTO_OK && arguments->out != NULL)
        status = sotto_folder_make(arguments->out, fault);
    if (status == SOTTO_OK)
        status = sotto_trace_open(&trace, arguments->trace, fault);
    if (status == SOTTO_OK)
        status = rounds_play(world, &report, &trace, summary, fault);
    closed = sotto_trace_close(&trace, stderr, status == SOTTO_OK ? fault : NULL);
    if (status == SOTTO_OK)
        status = closed;
    if (status == SOTTO_OK)
        status = accuracies_measure(world, summary, fault);
    if (status == SOTTO_OK && arguments->out != NULL)
        status = sotto_report_write(&report, summary, world, arguments->out, fault);
    sotto_report_close(&report);
    return status;
}

static int simulate(const struct sotto_scenario *scenario, const struct arguments *arguments)
{
    struct sotto_fault fault = {0};
    struct sotto_summary summary = {.seed = scenario->seed,
                                    .sites = scenario->sites,
                                    .accuracy_alone_mean = NAN,
                                    .accuracy_federated = NAN,
                                    .accuracy_pooled = NAN,
                                    .epsilon = NAN};
    struct sotto_world *world = calloc(1, sizeof *world);
    struct sotto_model *model = NULL;
    enum sotto_status status =
        world != NULL ? sotto_model_open(&model, scenario->model, &fault) : SOTTO_NO_MEMORY;

    if (status == SOTTO_OK)
        status = sotto_world_open(world, scenario, model, &fault);
    if (status == SOTTO_OK) {
        summary.lane_count = world->layout.lane_count + 1;
        status = campaign_play(world, &summary, arguments, &fault);
        sotto_world_close(world);
    }
    sotto_model_close(model);
    free(world);
    if (status != SOTTO_OK)
        return complain(&fault, status);
    if (arguments->json)
        sotto_summary_print_json(&summary, stdout);
    else
        sotto_summary_print_table(&summary, stdout);
    return summary.rounds_finished ? 0 : 3;
}

static int partition(const struct sotto_scenario *scenario, const struct arguments *arguments)
{
    struct sotto_fault fault = {0};
    struct sotto_adapter_choice *choice = calloc(1, sizeof *choice);
    struct sotto_partition parts;
    struct sotto_dataset pool;
    enum sotto_status status =
        choice != NULL ? sotto_scenario_choice(choice, scenario, &fault) : SOTTO_NO_MEMORY;

    if (status == SOTTO_OK)
        status = sotto_pool_open(&pool, &parts, scenario, &fault);
    if (status == SOTTO_OK) {
        struct sotto_label_names labels = {.names = (const char(*)[SOTTO_LABEL_TEXT_MAX + 1])
                                                        choice->labels,
                                           .count = choice->label_count};

        status = sotto_partition_write(&parts, &pool, &labels, arguments->out, &fault);
        sotto_partition_close(&parts);
        sotto_dataset_close(&pool);
    }
    free(choice);
    return status == SOTTO_OK ? 0 : complain(&fault, status);
}

int sotto_program_play(int argc, char **argv)
{
    struct arguments arguments = {0};
    struct sotto_config_overrides overrides;
    struct sotto_scenario *scenario;
    struct sotto_fault fault = {0};
    enum sotto_status status;
    int code;

    argp_parse(&parser, argc, argv, 0, NULL, &arguments);
    overrides = (struct sotto_config_overrides){.items = arguments.overrides,
                                                .count = arguments.override_count};
    status = sotto_scenario_open(&scenario, arguments.scenario, &overrides, &fault);
    if (status != SOTTO_OK)
        return complain(&fault, status);
    code =
        arguments.partition_only ? partition(scenario, &arguments) : simulate(scenario, &arguments);
    sotto_scenario_close(scenario);
    return code;
}
