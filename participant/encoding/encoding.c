#include "participant/encoding/encoding.h"

#include <assert.h>
#include <string.h>

enum sotto_mechanism_flaw sotto_encoding_of(struct sotto_mechanism *mechanism,
                                            const struct sotto_plan *plan)
{
    const struct sotto_mechanism_terms terms = {.value_count = plan->lane_count - 1,
                                                .clip_norm = plan->clip_norm,
                                                .lane_range = plan->lane_range,
                                                .is_rotated = plan->rotate != 0,
                                                .value_bits = plan->value_bits,
                                                .ring_bits = plan->ring_bits,
                                                .weight_max = plan->weight_max,
                                                .cohort_max = plan->cohort_max,
                                                .survivors_min = plan->survivors_min,
                                                .corrupt_fraction = plan->corrupt_fraction,
                                                .noise_multiplier = plan->noise_multiplier};

    return sotto_mechanism_of(mechanism, &terms);
}

bool sotto_rest_has_room(const struct sotto_rest *rest, uint32_t lane_count)
{
    return rest->arena != NULL && lane_count <= rest->arena->capacity / sizeof(float);
}

static bool is_of(const struct sotto_rest *rest, const struct sotto_plan *plan)
{
    return strcmp(rest->campaign, plan->campaign) == 0 &&
           rest->value_count == plan->lane_count - 1 &&
           sotto_digest_equal(&rest->layout, &plan->layout);
}

void sotto_rest_add(const struct sotto_rest *rest, float *values, const struct sotto_plan *plan)
{
    if (!is_of(rest, plan))
        return;
    for (size_t i = 0; i < rest->value_count; i++)
        values[i] += rest->values[i];
}

void sotto_rest_keep(struct sotto_rest *rest, const float *values, const struct sotto_plan *plan)
{
    if (!is_of(rest, plan)) {
        sotto_rest_wipe_other(rest, NULL);
        rest->value_count = plan->lane_count - 1;
        rest->values = sotto_arena_take(rest->arena, rest->value_count, sizeof *rest->values);
        assert(rest->values != NULL);
        rest->layout = plan->layout;
        memcpy(rest->campaign, plan->campaign, sizeof rest->campaign);
    }
    memcpy(rest->values, values, rest->value_count * sizeof *values);
}

void sotto_rest_wipe_other(struct sotto_rest *rest, const char *campaign)
{
    if (rest->values == NULL || (campaign != NULL && strcmp(rest->campaign, campaign) == 0))
        return;
    sotto_wipe(rest->values, rest->value_count * sizeof *rest->values);
    sotto_arena_release(rest->arena, 0);
    rest->values = NULL;
    rest->value_count = 0;
    rest->campaign[0] = '\0';
}
