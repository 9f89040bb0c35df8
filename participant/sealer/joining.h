/*
 * A turn's way from a plan to the advert: judge the plan, fetch and judge what it names, let the
 * trainer load it, begin.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_JOINING_H
#define SOTTO_PARTICIPANT_SEALER_JOINING_H

#include "participant/sealer/state.h"

/* Leaves any earlier round for this one. A repeat of the running plan changes nothing. */
void sotto_join_take_plan(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects);
void sotto_join_put_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                         struct sotto_turn_effects *effects);
void sotto_join_miss_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects);
/* The trainer has loaded: the advert goes out and training starts. */
void sotto_join_begin(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects);

#endif
