/*
 * What a simulation plays: base model, pool, fleet, campaign and faults, from a YAML file. Any
 * top-level key can be overridden on the command line by --set key=value. Relative paths start at
 * the scenario's own folder.
 */
#ifndef SOTTO_SIMULATIONS_SCENARIO_H
#define SOTTO_SIMULATIONS_SCENARIO_H

#include <stdbool.h>

#include "coordinator/round/round.h"
#include "core/base/config.h"
#include "models/adapter/layout.h"

/* A site that stops at a named phase of a round and is back for a later one. */
struct sotto_scenario_dropout {
    uint32_t round;               /* from 1 */
    uint32_t site;                /* from 1 */
    enum sotto_round_phase phase; /* in which it dies */
    uint32_t back;                /* the first round it takes part in again; 0: the next one */
};

struct sotto_scenario {
    uint64_t seed;
    uint32_t sites;
    uint32_t rounds;

    char *model;
    char *train_images;
    char *train_labels;
    uint64_t train_first; /* the pool is train[train_first : train_first + train_count] */
    uint64_t train_count;
    char *test_images;
    char *test_labels;
    uint64_t test_count;
    char **labels;
    unsigned labels_count;
    double dirichlet_alpha; /* 0: iid */
    uint32_t examples_min;
    uint32_t examples_max;

    char *kind; /* lora or norm-bias; NULL: lora */
    uint32_t rank;
    double lora_alpha;
    char *targets;
    uint32_t cohort_min;
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction;
    double clip_norm;
    /* Optional; 0 or NULL: the definition's default. */
    uint32_t rank_stabilised;
    uint32_t top_blocks;
    char *rank_pattern;
    char *method; /* default: sotto_method_default */
    char *server;
    double server_rate;
    double server_beta1;
    double server_beta2;
    double server_tau;
    double proximal;
    double dropout;
    double noise_multiplier;
    double lane_range;
    uint32_t rotate;
    uint32_t feedback;
    uint32_t value_bits;
    uint32_t ring_bits;
    uint32_t weight_max; /* 0 with noise: 1 */
    double epsilon_max;  /* every site's budget; 0: none */
    uint32_t epochs;
    uint32_t batch;
    double learning_rate;
    double weight_decay;

    uint32_t latency_ms; /* of a message, at most; each is seeded */
    uint32_t step_ms;    /* virtual time of a training step */
    double dropout_rate; /* chance that a site of the cohort stops at a random phase of a round */
    struct sotto_scenario_dropout *dropouts;
    unsigned dropouts_count;

    uint32_t alone_sites; /* how many sites are also trained alone for comparison */
    bool pooled;          /* train on everybody's examples for comparison */
    uint32_t threads;
};

/* The fault names the file, the line and the key. */
SOTTO_CHECKED enum sotto_status sotto_scenario_open(struct sotto_scenario **scenario,
                                                    const char *path,
                                                    const struct sotto_config_overrides *overrides,
                                                    struct sotto_fault *fault);
void sotto_scenario_close(struct sotto_scenario *scenario);

/* The adapter that the campaign trains. */
SOTTO_CHECKED enum sotto_status sotto_scenario_choice(struct sotto_adapter_choice *choice,
                                                      const struct sotto_scenario *scenario,
                                                      struct sotto_fault *fault);

#endif
