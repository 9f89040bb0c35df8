/*
 * The masks of a turn's upload, made while the trainer still works, so that only an addition is
 * left once the update is there.
 *
 *     inbox accepted, no update yet ─► expand: veil = all masks, added to zeros
 *     update ─► contribute: lanes = quantised update + veil; veil wiped
 *
 * The veil and the upload together are the update: the veil never leaves the turn's arena, and is
 * wiped with the round or as soon as it is used. A masker is spent when the veil is made, so that
 * there is one veil or one masking, never both.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_VEIL_H
#define SOTTO_PARTICIPANT_SEALER_VEIL_H

#include "participant/sealer/turn.h"

/*
 * A job, run when the effects say run_expand.
 *
 * SOTTO_UNEXPECTED: no expansion is due; SOTTO_NO_MEMORY: nothing was made. Then, as where the job
 * was not run at all, hiding makes the masks itself.
 */
SOTTO_CHECKED enum sotto_status sotto_veil_expand(struct sotto_turn *turn);

/*
 * Masks the lanes, with the veil if there is one. Masker and veil are spent.
 *
 *   lanes  inout  [plan->lane_count] plain, then masked
 *
 * SOTTO_UNEXPECTED, SOTTO_NO_MEMORY: lanes untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_veil_hide(struct sotto_turn *turn, uint32_t *lanes);

#endif
