#include "coordinator/schedule/timetable.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double rate_floor = 0.05;

enum sotto_next sotto_timetable_next(const struct sotto_definition *definition,
                                     const struct sotto_progress *progress)
{
    if (progress->finished >= definition->rounds)
        return SOTTO_NEXT_FINISHED;
    if (progress->abandoned_in_a_row >= SOTTO_ABANDONED_IN_A_ROW_MAX)
        return SOTTO_NEXT_PAUSE;
    return SOTTO_NEXT_ROUND;
}

bool sotto_timetable_is_last(const struct sotto_definition *definition,
                             const struct sotto_progress *progress)
{
    return progress->finished + 1 >= definition->rounds;
}

static double rate_at(const struct sotto_definition *definition, uint32_t finished)
{
    double x = (double)finished / (double)definition->rounds;

    return definition->learning_rate *
           (rate_floor + (1 - rate_floor) * (1 + cos(acos(-1) * x)) / 2);
}

static uint64_t ms_of(double seconds)
{
    return (uint64_t)llround(seconds * 1000);
}

void sotto_timetable_plan(struct sotto_plan *plan, const struct sotto_definition *definition,
                          const struct sotto_progress *progress,
                          const struct sotto_round_terms *terms)
{
    enum sotto_trained trained = sotto_method_trained(definition->method, progress->finished);

    *plan = (struct sotto_plan){
        .protocol = "secaggplus",
        .round = progress->round_newest + 1,
        .base_model = definition->base_model,
        .adapter = progress->adapter,
        .layout = definition->layout,
        .lane_count = sotto_definition_lanes(definition, trained) + 1,
        .trained = trained,
        .ring_bits = definition->ring_bits,
        .value_bits = definition->value_bits,
        .weight_max = definition->weight_max,
        .clip_norm = definition->clip_norm,
        .lane_range = sotto_definition_lane_range(definition, trained),
        .rotate = definition->rotate,
        .feedback = definition->feedback,
        .noise_multiplier = definition->noise_multiplier,
        .cohort_min = definition->cohort_min,
        .cohort_max = definition->cohort_max,
        .survivors_min = definition->survivors_min,
        .corrupt_fraction = definition->corrupt_fraction,
        .dropout_fraction = definition->dropout_fraction,
        .organisation_max = definition->organisation_max,
        .roster = *terms->roster,
        .roster_epoch = terms->roster_epoch,
        .recipe = {.epochs = definition->epochs,
                   .batch = definition->batch,
                   .learning_rate_start = rate_at(definition, progress->finished),
                   .learning_rate_end = rate_at(definition, progress->finished + 1),
                   .weight_decay = definition->weight_decay,
                   .proximal = definition->proximal,
                   .dropout = definition->dropout},
        .deadlines = {.gathering_ms = ms_of(definition->gathering_s),
                      .sharing_ms = ms_of(definition->sharing_s),
                      .uploading_ms = ms_of(definition->uploading_s),
                      .including_ms = ms_of(definition->including_s),
                      .revealing_ms = ms_of(definition->revealing_s)}};
    memcpy(plan->campaign, definition->name, sizeof plan->campaign);
    if (terms->roster_signature != NULL)
        memcpy(plan->roster_signature, terms->roster_signature, sizeof plan->roster_signature);
    memcpy(plan->nonce, terms->nonce, sizeof plan->nonce);
}
