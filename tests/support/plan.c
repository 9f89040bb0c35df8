#include "tests/support/plan.h"

#include <string.h>

void plan_sample(struct sotto_plan *plan)
{
    *plan = (struct sotto_plan){
        .protocol = "secaggplus",
        .campaign = "wards",
        .round = 3,
        .lane_count = 1001,
        .ring_bits = 32,
        .value_bits = 16,
        .weight_max = 512,
        .clip_norm = 10,
        .lane_range = 10,
        .cohort_min = 4,
        .cohort_max = 5,
        .survivors_min = 4,
        .corrupt_fraction = 0.05,
        .dropout_fraction = 0.1,
        .roster_epoch = 7,
        .recipe = {.epochs = 2,
                   .batch = 32,
                   .learning_rate_start = 3e-3,
                   .learning_rate_end = 2e-3,
                   .weight_decay = 0.01},
        .deadlines = {.gathering_ms = 10000,
                      .sharing_ms = 11000,
                      .uploading_ms = 60000,
                      .including_ms = 12000,
                      .revealing_ms = 13000},
    };
    memset(plan->base_model.bytes, 0x11, sizeof plan->base_model.bytes);
    memset(plan->adapter.bytes, 0x22, sizeof plan->adapter.bytes);
    memset(plan->layout.bytes, 0x33, sizeof plan->layout.bytes);
    memset(plan->roster.bytes, 0x44, sizeof plan->roster.bytes);
    memset(plan->nonce, 0x55, sizeof plan->nonce);
}
