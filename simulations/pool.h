/* The scenario's pool of labelled pictures and its division among the sites, in one call. */
#ifndef SOTTO_SIMULATIONS_POOL_H
#define SOTTO_SIMULATIONS_POOL_H

#include "simulations/partition.h"
#include "simulations/scenario.h"

/* Both are the caller's to close. The fault names file or key; nothing is open after a failure. */
SOTTO_CHECKED enum sotto_status sotto_pool_open(struct sotto_dataset *pool,
                                                struct sotto_partition *partition,
                                                const struct sotto_scenario *scenario,
                                                struct sotto_fault *fault);

/* The held-out pictures. */
SOTTO_CHECKED enum sotto_status sotto_held_out_open(struct sotto_dataset *held_out,
                                                    const struct sotto_scenario *scenario,
                                                    struct sotto_fault *fault);

#endif
