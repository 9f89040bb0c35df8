/*
 * A turn's way home: from a round's outcome to the improved adapter at the site.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_HOMING_H
#define SOTTO_PARTICIPANT_SEALER_HOMING_H

#include "participant/sealer/state.h"

/*
 * Ends the running round. The adapter of a finished one is fetched unless the site has it or
 * refused that round.
 */
void sotto_home_take_outcome(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                             struct sotto_turn_effects *effects);
void sotto_home_put_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                         struct sotto_turn_effects *effects);
void sotto_home_miss_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects);
/* The trainer has loaded it. */
void sotto_home_adopt(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects);
void sotto_home_note_adopted(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                             struct sotto_turn_effects *effects);

#endif
