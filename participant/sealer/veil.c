#include "participant/sealer/veil.h"

#include "crypto/ring/lanes.h"
#include "participant/sealer/state.h"

enum sotto_status sotto_veil_expand(struct sotto_turn *turn)
{
    const size_t lane_count = turn->plan.lane_count;
    enum sotto_status status;
    uint32_t *veil;

    if (turn->phase != SOTTO_PHASE_WORKING || !turn->is_ready_to_mask || turn->values != NULL ||
        turn->veil != NULL)
        return SOTTO_UNEXPECTED;
    veil = sotto_arena_take(turn->setup.arena, lane_count, sizeof *veil);
    if (veil == NULL)
        return SOTTO_NO_MEMORY;
    status = turn->setup.protocol->member_mask(turn->member, veil, lane_count);
    if (status == SOTTO_OK)
        turn->veil = veil;
    return status;
}

enum sotto_status sotto_veil_hide(struct sotto_turn *turn, uint32_t *lanes)
{
    const size_t lane_count = turn->plan.lane_count;

    if (turn->veil == NULL)
        return turn->setup.protocol->member_mask(turn->member, lanes, lane_count);
    sotto_lanes_add(lanes, turn->veil, lane_count);
    sotto_wipe(turn->veil, lane_count * sizeof *turn->veil);
    turn->veil = NULL;
    return SOTTO_OK;
}
