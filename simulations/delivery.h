/*
 * Hands posts to the machines and carries out what they ask for. One post is one step of virtual time.
 */
#ifndef SOTTO_SIMULATIONS_DELIVERY_H
#define SOTTO_SIMULATIONS_DELIVERY_H

#include "simulations/world.h"

/* Gives one post to its addressee. Posts to the dead, to another round or of a stale timer are dropped. */
SOTTO_CHECKED enum sotto_status sotto_delivery_post(struct sotto_world *world,
                                                    const struct sotto_post *post);

/* Carries out what the hub's machine asked for; `packed` is the upload behind an ADD. */
SOTTO_CHECKED enum sotto_status sotto_delivery_hub_effects(
    struct sotto_world *world, const struct sotto_round_effects *effects, struct sotto_view packed);

/* Tells a site that its trainer is ready: the first thing in each of its lives. */
SOTTO_CHECKED enum sotto_status sotto_delivery_greet(struct sotto_world *world,
                                                     struct sotto_virtual_site *site);

#endif
