/*
 * What the federation is held against: a head that each site trains alone on its own examples, and
 * one adapter trained on everybody's examples together. Both see as many epochs as the campaign,
 * with the same falling rate.
 */
#ifndef SOTTO_SIMULATIONS_BASELINE_H
#define SOTTO_SIMULATIONS_BASELINE_H

#include "simulations/world.h"

/* Mean accuracy on the held-out pictures of the first scenario->alone_sites sites. */
SOTTO_CHECKED enum sotto_status sotto_baseline_alone(const struct sotto_world *world,
                                                     const struct sotto_dataset *held_out,
                                                     double *accuracy_mean,
                                                     struct sotto_fault *fault);

SOTTO_CHECKED enum sotto_status sotto_baseline_pooled(const struct sotto_world *world,
                                                      const struct sotto_dataset *held_out,
                                                      double *accuracy, struct sotto_fault *fault);

#endif
