/* Hands posts to a site's turn and carries out what it asks for. */
#ifndef SOTTO_SIMULATIONS_SITE_DELIVERY_H
#define SOTTO_SIMULATIONS_SITE_DELIVERY_H

#include "simulations/world.h"

/* A mail, a fetched item or the end of a training, of the present round. The dead take nothing. */
SOTTO_CHECKED enum sotto_status sotto_site_deliver(struct sotto_world *world,
                                                   const struct sotto_post *post);

/* Tells a site that its trainer is ready: the first thing in each of its lives. */
SOTTO_CHECKED enum sotto_status sotto_site_greet(struct sotto_world *world,
                                                 struct sotto_virtual_site *site);

#endif
