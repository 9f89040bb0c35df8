/* Hands posts to the hub's round machine and carries out what it asks for. */
#ifndef SOTTO_SIMULATIONS_HUB_DELIVERY_H
#define SOTTO_SIMULATIONS_HUB_DELIVERY_H

#include "simulations/world.h"

/* An answer, an upload, a leave or a deadline of the present round. */
SOTTO_CHECKED enum sotto_status sotto_hub_deliver(struct sotto_world *world,
                                                  const struct sotto_post *post);

/*
 * Carries out what the machine asked for, in the drivers' order; `packed` is the upload behind an
 * ADD. Sites whose fate is the phase that was entered die here.
 */
SOTTO_CHECKED enum sotto_status sotto_hub_carry(struct sotto_world *world,
                                                const struct sotto_round_effects *effects,
                                                struct sotto_view packed);

/* Puts the site's next mail on its way, if there is one. */
SOTTO_CHECKED enum sotto_status sotto_hub_offer(struct sotto_world *world,
                                                struct sotto_virtual_site *site);

#endif
