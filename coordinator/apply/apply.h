/*
 * From the sum to the next adapter: decode to the weighted mean delta of the trained lanes, the
 * server's step on them, and where the method asks for it other factors of the same products. Stops
 * 13 to 15 of the way of one number.
 */
#ifndef SOTTO_COORDINATOR_APPLY_APPLY_H
#define SOTTO_COORDINATOR_APPLY_APPLY_H

#include "core/wire/plan.h"
#include "models/optim/server.h"

struct sotto_apply_terms {
    const struct sotto_plan *plan;
    struct sotto_view layout; /* canonical bytes */
    uint32_t survivors;
    struct sotto_server_rule server;
    bool is_rebased; /* sotto_adapter_rebase after the step */
};

struct sotto_applied {
    uint64_t weight_sum;
    double mean_norm;            /* L2 norm of the mean delta */
    struct sotto_digest adapter; /* of the new version */
};

/*
 *   adapter  inout  [sotto_manifest_adapter_bytes / 4] the version that the round started from,
 *                   whose manifest is not looked at; then the next one with its own, in which only
 *                   what the plan says is trained has moved
 *   moments  inout  [sotto_server_moment_count of plan->lane_count - 1] of the trained part; NULL
 *                   for FedAvg
 *   sum      in     [plan->lane_count] unmasked
 *
 * SOTTO_MALFORMED: the sum is no sum of honest uploads (sotto_dequantise), or the layout does not
 * parse; SOTTO_MISMATCH: no such plan is accepted, or its lanes are not those that the layout has
 * in the trained part: adapter and moments untouched. SOTTO_NO_MEMORY: both unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_apply_sum(float *adapter, float *moments,
                                                struct sotto_applied *applied, const uint32_t *sum,
                                                const struct sotto_apply_terms *terms);

#endif
