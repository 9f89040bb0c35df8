#include "simulations/scenario.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/wire/roster.h"
#include "crypto/secagg/terms.h"

/* The phases in which a site can die. */
static const cyaml_strval_t phases[] = {
    {"gathering", SOTTO_ROUND_GATHERING}, {"sharing", SOTTO_ROUND_SHARING},
    {"uploading", SOTTO_ROUND_UPLOADING}, {"including", SOTTO_ROUND_INCLUDING},
    {"revealing", SOTTO_ROUND_REVEALING}, {"unmasking", SOTTO_ROUND_UNMASKING},
    {"applying", SOTTO_ROUND_APPLYING},
};

static const cyaml_schema_field_t dropout_fields[] = {
    CYAML_FIELD_UINT("round", CYAML_FLAG_DEFAULT, struct sotto_scenario_dropout, round),
    CYAML_FIELD_UINT("site", CYAML_FLAG_DEFAULT, struct sotto_scenario_dropout, site),
    CYAML_FIELD_ENUM("phase", CYAML_FLAG_STRICT, struct sotto_scenario_dropout, phase, phases,
                     CYAML_ARRAY_LEN(phases)),
    CYAML_FIELD_UINT("back", CYAML_FLAG_OPTIONAL, struct sotto_scenario_dropout, back),
    CYAML_FIELD_END};

static const cyaml_schema_value_t dropout_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct sotto_scenario_dropout, dropout_fields)};

static const cyaml_schema_value_t label_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, SOTTO_LABEL_TEXT_MAX)};

static const cyaml_schema_field_t scenario_fields[] = {
    CYAML_FIELD_UINT("seed", CYAML_FLAG_DEFAULT, struct sotto_scenario, seed),
    CYAML_FIELD_UINT("sites", CYAML_FLAG_DEFAULT, struct sotto_scenario, sites),
    CYAML_FIELD_UINT("rounds", CYAML_FLAG_DEFAULT, struct sotto_scenario, rounds),
    CYAML_FIELD_STRING_PTR("model", CYAML_FLAG_POINTER, struct sotto_scenario, model, 1, PATH_MAX),
    CYAML_FIELD_STRING_PTR("train_images", CYAML_FLAG_POINTER, struct sotto_scenario, train_images,
                           1, PATH_MAX),
    CYAML_FIELD_STRING_PTR("train_labels", CYAML_FLAG_POINTER, struct sotto_scenario, train_labels,
                           1, PATH_MAX),
    CYAML_FIELD_UINT("train_first", CYAML_FLAG_DEFAULT, struct sotto_scenario, train_first),
    CYAML_FIELD_UINT("train_count", CYAML_FLAG_DEFAULT, struct sotto_scenario, train_count),
    CYAML_FIELD_STRING_PTR("test_images", CYAML_FLAG_POINTER, struct sotto_scenario, test_images, 1,
                           PATH_MAX),
    CYAML_FIELD_STRING_PTR("test_labels", CYAML_FLAG_POINTER, struct sotto_scenario, test_labels, 1,
                           PATH_MAX),
    CYAML_FIELD_UINT("test_count", CYAML_FLAG_DEFAULT, struct sotto_scenario, test_count),
    CYAML_FIELD_SEQUENCE("labels", CYAML_FLAG_POINTER, struct sotto_scenario, labels, &label_schema,
                         1, SOTTO_LABELS_MAX),
    CYAML_FIELD_FLOAT("dirichlet_alpha", CYAML_FLAG_DEFAULT, struct sotto_scenario,
                      dirichlet_alpha),
    CYAML_FIELD_UINT("examples_min", CYAML_FLAG_DEFAULT, struct sotto_scenario, examples_min),
    CYAML_FIELD_UINT("examples_max", CYAML_FLAG_DEFAULT, struct sotto_scenario, examples_max),
    CYAML_FIELD_STRING_PTR("kind", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct sotto_scenario,
                           kind, 1, 16),
    CYAML_FIELD_UINT("rank", CYAML_FLAG_DEFAULT, struct sotto_scenario, rank),
    CYAML_FIELD_FLOAT("lora_alpha", CYAML_FLAG_DEFAULT, struct sotto_scenario, lora_alpha),
    CYAML_FIELD_STRING_PTR("targets", CYAML_FLAG_POINTER, struct sotto_scenario, targets, 1, 128),
    CYAML_FIELD_UINT("cohort_min", CYAML_FLAG_DEFAULT, struct sotto_scenario, cohort_min),
    CYAML_FIELD_UINT("cohort_max", CYAML_FLAG_DEFAULT, struct sotto_scenario, cohort_max),
    CYAML_FIELD_UINT("survivors_min", CYAML_FLAG_DEFAULT, struct sotto_scenario, survivors_min),
    CYAML_FIELD_FLOAT("corrupt_fraction", CYAML_FLAG_DEFAULT, struct sotto_scenario,
                      corrupt_fraction),
    CYAML_FIELD_FLOAT("clip_norm", CYAML_FLAG_DEFAULT, struct sotto_scenario, clip_norm),
    CYAML_FIELD_UINT("rank_stabilised", CYAML_FLAG_OPTIONAL, struct sotto_scenario,
                     rank_stabilised),
    CYAML_FIELD_UINT("top_blocks", CYAML_FLAG_OPTIONAL, struct sotto_scenario, top_blocks),
    CYAML_FIELD_STRING_PTR("rank_pattern", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct sotto_scenario, rank_pattern, 1, 128),
    CYAML_FIELD_STRING_PTR("method", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct sotto_scenario, method, 1, 16),
    CYAML_FIELD_STRING_PTR("server", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                           struct sotto_scenario, server, 1, 16),
    CYAML_FIELD_FLOAT("server_rate", CYAML_FLAG_OPTIONAL, struct sotto_scenario, server_rate),
    CYAML_FIELD_FLOAT("server_beta1", CYAML_FLAG_OPTIONAL, struct sotto_scenario, server_beta1),
    CYAML_FIELD_FLOAT("server_beta2", CYAML_FLAG_OPTIONAL, struct sotto_scenario, server_beta2),
    CYAML_FIELD_FLOAT("server_tau", CYAML_FLAG_OPTIONAL, struct sotto_scenario, server_tau),
    CYAML_FIELD_FLOAT("proximal", CYAML_FLAG_OPTIONAL, struct sotto_scenario, proximal),
    CYAML_FIELD_FLOAT("dropout", CYAML_FLAG_OPTIONAL, struct sotto_scenario, dropout),
    CYAML_FIELD_FLOAT("noise_multiplier", CYAML_FLAG_OPTIONAL, struct sotto_scenario,
                      noise_multiplier),
    CYAML_FIELD_FLOAT("lane_range", CYAML_FLAG_OPTIONAL, struct sotto_scenario, lane_range),
    CYAML_FIELD_UINT("rotate", CYAML_FLAG_OPTIONAL, struct sotto_scenario, rotate),
    CYAML_FIELD_UINT("feedback", CYAML_FLAG_OPTIONAL, struct sotto_scenario, feedback),
    CYAML_FIELD_UINT("value_bits", CYAML_FLAG_OPTIONAL, struct sotto_scenario, value_bits),
    CYAML_FIELD_UINT("ring_bits", CYAML_FLAG_OPTIONAL, struct sotto_scenario, ring_bits),
    CYAML_FIELD_UINT("weight_max", CYAML_FLAG_OPTIONAL, struct sotto_scenario, weight_max),
    CYAML_FIELD_FLOAT("epsilon_max", CYAML_FLAG_OPTIONAL, struct sotto_scenario, epsilon_max),
    CYAML_FIELD_UINT("epochs", CYAML_FLAG_DEFAULT, struct sotto_scenario, epochs),
    CYAML_FIELD_UINT("batch", CYAML_FLAG_DEFAULT, struct sotto_scenario, batch),
    CYAML_FIELD_FLOAT("learning_rate", CYAML_FLAG_DEFAULT, struct sotto_scenario, learning_rate),
    CYAML_FIELD_FLOAT("weight_decay", CYAML_FLAG_DEFAULT, struct sotto_scenario, weight_decay),
    CYAML_FIELD_UINT("latency_ms", CYAML_FLAG_DEFAULT, struct sotto_scenario, latency_ms),
    CYAML_FIELD_UINT("step_ms", CYAML_FLAG_DEFAULT, struct sotto_scenario, step_ms),
    CYAML_FIELD_FLOAT("dropout_rate", CYAML_FLAG_DEFAULT, struct sotto_scenario, dropout_rate),
    CYAML_FIELD_SEQUENCE("dropouts", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
                         struct sotto_scenario, dropouts, &dropout_schema, 0, 1024),
    CYAML_FIELD_UINT("alone_sites", CYAML_FLAG_DEFAULT, struct sotto_scenario, alone_sites),
    CYAML_FIELD_BOOL("pooled", CYAML_FLAG_DEFAULT, struct sotto_scenario, pooled),
    CYAML_FIELD_UINT("threads", CYAML_FLAG_DEFAULT, struct sotto_scenario, threads),
    CYAML_FIELD_END};

static const cyaml_schema_value_t scenario_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct sotto_scenario, scenario_fields)};

/*
 * *path, if relative, starts at the scenario's folder. The string stays libcyaml's kind: from
 * malloc.
 */
static enum sotto_status path_resolve(char **path, const char *scenario_path)
{
    const char *slash = strrchr(scenario_path, '/');
    char *resolved = NULL;

    if (**path == '/' || slash == NULL)
        return SOTTO_OK;
    if (asprintf(&resolved, "%.*s/%s", (int)(slash - scenario_path), scenario_path, *path) < 0)
        return SOTTO_NO_MEMORY;
    free(*path);
    *path = resolved;
    return SOTTO_OK;
}

static enum sotto_status paths_resolve(struct sotto_scenario *scenario, const char *path)
{
    char **paths[] = {&scenario->model, &scenario->train_images, &scenario->train_labels,
                      &scenario->test_images, &scenario->test_labels};
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < sizeof paths / sizeof *paths && status == SOTTO_OK; i++)
        status = path_resolve(paths[i], path);
    return status;
}

/* One numeric key and the range it must lie in. */
struct bound {
    const char *key;
    double value;
    double min;
    double max;
};

static enum sotto_status bounds_check(const struct sotto_scenario *s, const char *path,
                                      struct sotto_fault *fault)
{
    const struct bound bounds[] = {
        {"sites", s->sites, SOTTO_COHORT_MIN, SOTTO_ROSTER_MAX},
        {"rounds", s->rounds, 1, 10000},
        {"cohort_max", s->cohort_max, SOTTO_COHORT_MIN, SOTTO_COHORT_MAX},
        {"cohort_min", s->cohort_min, SOTTO_COHORT_MIN, s->cohort_max},
        {"survivors_min", s->survivors_min, SOTTO_COHORT_MIN, s->cohort_min},
        {"sites", s->sites, s->cohort_min, SOTTO_ROSTER_MAX},
        {"epochs", s->epochs, 1, 100},
        {"batch", s->batch, 1, 1024},
        {"learning_rate", s->learning_rate, 0, 10},
        {"weight_decay", s->weight_decay, 0, 1},
        {"clip_norm", s->clip_norm, 1e-6, 1e6},
        {"corrupt_fraction", s->corrupt_fraction, 0, 0.5},
        {"epsilon_max", s->epsilon_max, 0, 1e6},
        {"latency_ms", s->latency_ms, 1, 60000},
        {"step_ms", s->step_ms, 1, 60000},
        {"dropout_rate", s->dropout_rate, 0, 1},
        {"test_count", (double)s->test_count, 1, 1e6},
        {"threads", s->threads, 1, 64},
    };

    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        if (!(bounds[i].value >= bounds[i].min && bounds[i].value <= bounds[i].max))
            return sotto_fault_set(fault, SOTTO_MALFORMED, "%s: %s is %g: give %g to %g", path,
                                   bounds[i].key, bounds[i].value, bounds[i].min, bounds[i].max);
    for (unsigned i = 0; i < s->dropouts_count; i++)
        if (s->dropouts[i].site < 1 || s->dropouts[i].site > s->sites || s->dropouts[i].round < 1)
            return sotto_fault_set(fault, SOTTO_MALFORMED,
                                   "%s: dropouts: round %u, site %u: sites are 1 to %u, rounds "
                                   "start at 1",
                                   path, s->dropouts[i].round, s->dropouts[i].site, s->sites);
    return SOTTO_OK;
}

enum sotto_status sotto_scenario_open(struct sotto_scenario **scenario, const char *path,
                                      const struct sotto_config_overrides *overrides,
                                      struct sotto_fault *fault)
{
    void *loaded = NULL;
    enum sotto_status status = sotto_config_load(&loaded, path, &scenario_schema, overrides, fault);

    *scenario = NULL;
    if (status != SOTTO_OK)
        return status;
    status = bounds_check(loaded, path, fault);
    if (status == SOTTO_OK)
        status = paths_resolve(loaded, path);
    if (status == SOTTO_OK)
        *scenario = loaded;
    else
        sotto_config_free(loaded, &scenario_schema);
    return status;
}

void sotto_scenario_close(struct sotto_scenario *scenario)
{
    sotto_config_free(scenario, &scenario_schema);
}

static enum sotto_status kind_parse(enum sotto_adapter_kind *kind, const char *text,
                                    struct sotto_fault *fault)
{
    *kind = SOTTO_ADAPTER_LORA;
    if (text == NULL || strcmp(text, "lora") == 0)
        return SOTTO_OK;
    *kind = SOTTO_ADAPTER_NORM_BIAS;
    if (strcmp(text, "norm-bias") == 0)
        return SOTTO_OK;
    return sotto_fault_set(fault, SOTTO_MALFORMED, "kind is '%s': give lora or norm-bias", text);
}

enum sotto_status sotto_scenario_choice(struct sotto_adapter_choice *choice,
                                        const struct sotto_scenario *scenario,
                                        struct sotto_fault *fault)
{
    *choice = (struct sotto_adapter_choice){.rank = scenario->rank,
                                            .alpha = scenario->lora_alpha,
                                            .is_rank_stabilised = scenario->rank_stabilised != 0,
                                            .top_blocks = scenario->top_blocks,
                                            .label_count = scenario->labels_count};
    for (unsigned i = 0; i < scenario->labels_count; i++)
        snprintf(choice->labels[i], sizeof choice->labels[i], "%s", scenario->labels[i]);
    if (scenario->rank_pattern != NULL &&
        sotto_rank_pattern_parse(choice->ranks, scenario->rank_pattern, fault) != SOTTO_OK)
        return SOTTO_MALFORMED;
    if (kind_parse(&choice->kind, scenario->kind, fault) != SOTTO_OK)
        return SOTTO_MALFORMED;
    return sotto_target_set_parse(&choice->target_set, scenario->targets, fault);
}
