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
/* The contribute job is done. */
void sotto_sum_upload(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects);

#endif
