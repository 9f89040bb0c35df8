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
           sotto_digest_equal(&rest->layout, &plan->layout);
}

void sotto_rest_add(const struct sotto_rest *rest, float *values, const struct sotto_plan *plan)
{
    const struct sotto_rest_part *part = &rest->parts[plan->trained];

    if (!is_of(rest, plan) || part->value_count != plan->lane_count - 1)
        return;
    for (size_t i = 0; i < part->value_count; i++)
        values[i] += part->values[i];
}

/* Room for a part. */
static float *values_take(struct sotto_rest *rest, size_t count)
{
    float *values = sotto_arena_take(rest->arena, count, sizeof *values);

    if (values != NULL)
        return values;
    sotto_rest_wipe_other(rest, NULL);
    return sotto_arena_take(rest->arena, count, sizeof *values);
}

void sotto_rest_keep(struct sotto_rest *rest, const float *values, const struct sotto_plan *plan)
{
    struct sotto_rest_part *part = &rest->parts[plan->trained];
    size_t count = plan->lane_count - 1;

    if (!is_of(rest, plan))
        sotto_rest_wipe_other(rest, NULL);
    if (part->value_count != count) {
        float *taken = values_take(rest, count);

        assert(taken != NULL);
        *part = (struct sotto_rest_part){count, taken};
        rest->layout = plan->layout;
        memcpy(rest->campaign, plan->campaign, sizeof rest->campaign);
    }
    memcpy(part->values, values, count * sizeof *values);
}

void sotto_rest_wipe_other(struct sotto_rest *rest, const char *campaign)
{
    if (rest->campaign[0] == '\0' || (campaign != NULL && strcmp(rest->campaign, campaign) == 0))
        return;
    for (size_t i = 0; i <= SOTTO_PLAN_TRAINED_MAX; i++) {
        sotto_wipe(rest->parts[i].values, rest->parts[i].value_count * sizeof(float));
        rest->parts[i] = (struct sotto_rest_part){0, NULL};
    }
    sotto_arena_release(rest->arena, 0);
    rest->campaign[0] = '\0';
}
