/*
 * Sites that learn together, without a network or masks: the trainer, the timetable and the hub's
 * step that ship, over the plain weighted mean. That a secure sum is that mean, lane by lane, is
 * what the simulator's oracle shows.
 */
#ifndef TESTS_BENCH_LEARNING_FLEET_H
#define TESTS_BENCH_LEARNING_FLEET_H

#include "coordinator/schedule/definition.h"
#include "models/trainer.h"

/* What does not depend on the method. */
struct fleet_task {
    const struct sotto_model *model;
    const struct sotto_dataset *pool;
    uint32_t sites;
    uint32_t rank;
    double alpha; /* of the Dirichlet distribution of a site's labels */
    uint64_t seed;
};

struct fleet_site {
    struct sotto_dataset dataset;
    struct sotto_trainer *trainer; /* keeps what the frozen blocks make of the dataset */
    float *lanes;                  /* [lane_count] after its fit */
};

struct fleet {
    struct fleet_task task;
    struct sotto_layout layout;
    struct fleet_site *sites;
    double example_count;
    struct sotto_trainer *judge; /* for scoring */
    float *start;                /* [lane_count], as all below */
    float *adapter;
    float *next;
    float *mean;
    float *moved;
};

struct fleet_result {
    double
        product_error; /* |mean(BA) - mean(B) mean(A)| / |mean(BA) - BA before|, mean of rounds */
    double lanes_sent; /* by a site, mean of the rounds */
};

void fleet_open(struct fleet *fleet, const struct fleet_task *task);
void fleet_close(struct fleet *fleet);

/* All rounds of a campaign; the adapter is then in fleet->adapter. */
struct fleet_result fleet_learn(struct fleet *fleet, enum sotto_method method,
                                double learning_rate);

/* Share of a dataset that the adapter labels correctly. */
double fleet_score(struct fleet *fleet, const struct sotto_dataset *dataset);

#endif
