/*
 * One campaign among virtual sites: delivers posts in virtual time, carries out the effects of the
 * hub's and the sites' machines in the order that the drivers keep (store, send, order, job), kills
 * and restarts sites as the scenario says, and holds every unmasked sum against the plain-sum
 * oracle.
 */
#ifndef SOTTO_SIMULATIONS_WORLD_H
#define SOTTO_SIMULATIONS_WORLD_H

#include "simulations/timeline.h"
#include "simulations/trace/spans.h"
#include "simulations/training.h"
#include "simulations/virtual_hub.h"
#include "simulations/virtual_site.h"

/* What is told of a round when it is over. */
struct sotto_world_round {
    uint32_t round;
    bool is_finished;
    const char *reason; /* of an abandonment; borrowed */
    uint32_t cohort;
    uint32_t survivors;
    uint64_t bytes_up; /* of all sites */
    uint64_t bytes_down;
    uint64_t duration_ms; /* virtual */
    double mean_norm;     /* of the mean delta */
    uint64_t weight_sum;
    struct sotto_digest adapter;
    struct sotto_spans spans; /* never the same twice: for the trace alone */
};

struct sotto_world {
    const struct sotto_scenario *scenario;
    const struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_training_crew crew;
    struct sotto_policy policy;
    struct sotto_entropy entropy; /* latencies and random dropouts */
    struct sotto_virtual_hub hub;
    struct sotto_roster_entry *entries;
    struct sotto_virtual_site *sites; /* [scenario->sites], site id i + 1 at i */
    struct sotto_timeline timeline;
    uint64_t now_ms;
    struct sotto_spans spans;   /* of the present round */
    uint32_t oracle_mismatches; /* lanes that differed, over all rounds */
    uint32_t refusal_count;
    struct sotto_fault fault; /* of a training that failed */
};

/*
 * Divides the pool among the sites and opens everything. The model and the scenario are borrowed.
 */
SOTTO_CHECKED enum sotto_status sotto_world_open(struct sotto_world *world,
                                                 const struct sotto_scenario *scenario,
                                                 const struct sotto_model *model,
                                                 struct sotto_fault *fault);
void sotto_world_close(struct sotto_world *world);

/* Puts a message between a site and the hub on its way, with a seeded latency. */
SOTTO_CHECKED enum sotto_status sotto_world_send(struct sotto_world *world,
                                                 enum sotto_post_kind kind,
                                                 struct sotto_virtual_site *site, uint32_t number,
                                                 struct sotto_view bytes);

/*
 * Plays one round to its end. SOTTO_MISMATCH: the unmasked sum is not the plain sum over the
 * survivors; anything else is a failure of this machine. An abandoned round is SOTTO_OK.
 */
SOTTO_CHECKED enum sotto_status sotto_world_round(struct sotto_world *world,
                                                  struct sotto_world_round *told,
                                                  struct sotto_fault *fault);

#endif
