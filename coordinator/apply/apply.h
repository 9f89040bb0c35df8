/*
 * From the sum to the next adapter: decode to the weighted mean delta, then the server's step.
 * Stops 13 to 15 of the way of one number.
 */
#ifndef SOTTO_COORDINATOR_APPLY_APPLY_H
#define SOTTO_COORDINATOR_APPLY_APPLY_H

#include "core/wire/plan.h"

struct sotto_applied {
    uint64_t weight_sum;
    double mean_norm;            /* L2 norm of the mean delta */
    struct sotto_digest adapter; /* of the new version */
};

/*
 *   adapter  inout  [plan->lane_count - 1] the version that the round started from; then the next
 *                   one
 *   sum      in     [plan->lane_count] unmasked
 *   layout   in     canonical bytes, for the version's digest
 *
 * SOTTO_MALFORMED: the sum is no sum of honest uploads (sotto_dequantise); SOTTO_MISMATCH: no such
 * plan is accepted; SOTTO_NO_MEMORY; adapter untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_apply_sum(float *adapter, struct sotto_applied *applied,
                                                const uint32_t *sum, const struct sotto_plan *plan,
                                                struct sotto_view layout, uint32_t survivors);

#endif
