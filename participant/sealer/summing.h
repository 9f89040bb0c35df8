/*
 * A turn's part in the sum: the protocol's messages, the update from the trainer, the upload.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_SUMMING_H
#define SOTTO_PARTICIPANT_SEALER_SUMMING_H

#include "participant/sealer/state.h"

/* A message of the protocol. A cohort or survivors close to an earlier sum's are refused here. */
void sotto_sum_pass_message(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                            struct sotto_turn_effects *effects);
/* From the trainer. Its weight is cut to what plan and policy allow. */
void sotto_sum_take_update(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                           struct sotto_turn_effects *effects);
/*
 * Training came to nothing, such as for an adapter that only some examples make diverge. Without
 * noise the site leaves the round. With noise it does not, because whether it leaves would tell the
 * coordinator about its examples, free of charge: its update is zeros, noised and charged like any
 * other. The trainer is ready for the next round; it says so without being asked.
 */
void sotto_sum_miss_update(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                           struct sotto_turn_effects *effects);
/* The contribute job is done. */
void sotto_sum_upload(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects);

#endif
