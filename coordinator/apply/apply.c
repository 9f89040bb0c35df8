#include "coordinator/apply/apply.h"

#include <math.h>
#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "crypto/privacy/mechanism.h"
#include "models/adapter/manifest.h"
#include "models/adapter/rebase.h"
#include "models/adapter/subset.h"

static double norm_of(const float *values, size_t value_count)
{
    double squares = 0;

    for (size_t i = 0; i < value_count; i++)
        squares += (double)values[i] * (double)values[i];
    return sqrt(squares);
}

/* ctx0, of the plan as it was sent: encoding is canonical. */
static enum sotto_status context_of(struct sotto_digest *context, const struct sotto_plan *plan)
{
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    enum sotto_status status = sotto_plan_encode(&out, plan);
    const struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), sotto_view_buffer(&out)};

    if (status == SOTTO_OK)
        sotto_hash(context, parts, 2);
    return status;
}

static enum sotto_mechanism_flaw mechanism_of(struct sotto_mechanism *mechanism,
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

/* The layout from malloc, if its trained part has the plan's lanes. */
static enum sotto_status layout_open(struct sotto_layout **layout,
                                     const struct sotto_apply_terms *terms)
{
    struct sotto_layout *opened = malloc(sizeof *opened);
    enum sotto_trained trained = (enum sotto_trained)terms->plan->trained;
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (opened != NULL)
        status = sotto_layout_decode(opened, terms->layout);
    if (status == SOTTO_OK && sotto_subset_count(opened, trained) + 1 != terms->plan->lane_count)
        status = SOTTO_MISMATCH;
    if (status == SOTTO_OK)
        *layout = opened;
    else
        free(opened);
    return status;
}

/* The weighted mean delta of the trained lanes. */
static enum sotto_status mean_decode(float *mean, struct sotto_applied *applied,
                                     const uint32_t *sum, const struct sotto_apply_terms *terms)
{
    struct sotto_mechanism mechanism;
    struct sotto_digest context;
    const struct sotto_mechanism_sum summed = {sum, terms->survivors, &context};
    enum sotto_status status = context_of(&context, terms->plan);

    if (status == SOTTO_OK && mechanism_of(&mechanism, terms->plan) != SOTTO_FLAW_NONE)
        status = SOTTO_MISMATCH;
    if (status == SOTTO_OK)
        status = sotto_mechanism_decode(&mechanism, mean, &applied->weight_sum, &summed);
    return status;
}

/* The trained lanes are compact in `room` for the server's step. */
static enum sotto_status advance(float *next, float *room, float *moments, const float *mean,
                                 const struct sotto_layout *layout,
                                 const struct sotto_apply_terms *terms)
{
    enum sotto_trained trained = (enum sotto_trained)terms->plan->trained;

    sotto_subset_gather(room, next, layout, trained);
    sotto_server_step(room, moments, mean, terms->plan->lane_count - 1, &terms->server);
    sotto_subset_scatter(next, room, layout, trained);
    return terms->is_rebased ? sotto_adapter_rebase(next, layout) : SOTTO_OK;
}

/* The new version's manifest and its digest. */
static void finish(float *adapter, struct sotto_applied *applied, const struct sotto_layout *layout,
                   const struct sotto_apply_terms *terms)
{
    struct sotto_view bytes = sotto_view_of(adapter, sotto_manifest_adapter_bytes(layout));
    const struct sotto_view parts[] = {terms->layout, sotto_manifest_of(bytes, layout)};

    sotto_manifest_write(adapter, layout, sotto_hash);
    sotto_hash_list(&applied->adapter, "sotto/1 adapter", parts, 2);
}

enum sotto_status sotto_apply_sum(float *adapter, float *moments, struct sotto_applied *applied,
                                  const uint32_t *sum, const struct sotto_apply_terms *terms)
{
    size_t value_count = terms->plan->lane_count - 1;
    struct sotto_layout *layout = NULL;
    float *mean = NULL;
    enum sotto_status status = layout_open(&layout, terms);

    if (status != SOTTO_OK)
        return status;
    mean = calloc(2 * value_count, sizeof *mean);
    status = mean != NULL ? mean_decode(mean, applied, sum, terms) : SOTTO_NO_MEMORY;
    if (status == SOTTO_OK)
        applied->mean_norm = norm_of(mean, value_count);
    if (status == SOTTO_OK)
        status = advance(adapter, mean + value_count, moments, mean, layout, terms);
    if (status == SOTTO_OK)
        finish(adapter, applied, layout, terms);
    free(mean);
    free(layout);
    return status;
}
