#include "coordinator/apply/apply.h"

#include <math.h>
#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "crypto/privacy/mechanism.h"
#include "models/optim/server.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "an adapter's digest is over little-endian float32");

enum { SERVER_RATE = 1 };

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

enum sotto_status sotto_apply_sum(float *adapter, struct sotto_applied *applied,
                                  const uint32_t *sum, const struct sotto_plan *plan,
                                  struct sotto_view layout, uint32_t survivors)
{
    struct sotto_mechanism mechanism;
    struct sotto_digest context;
    const struct sotto_mechanism_sum summed = {sum, survivors, &context};
    size_t value_count = plan->lane_count - 1;
    float *mean = calloc(value_count, sizeof *mean);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (mean == NULL)
        return status;
    status = context_of(&context, plan);
    if (status == SOTTO_OK && mechanism_of(&mechanism, plan) != SOTTO_FLAW_NONE)
        status = SOTTO_MISMATCH;
    if (status == SOTTO_OK)
        status = sotto_mechanism_decode(&mechanism, mean, &applied->weight_sum, &summed);
    if (status == SOTTO_OK) {
        struct sotto_view parts[] = {layout, sotto_view_of(adapter, value_count * sizeof *adapter)};

        applied->mean_norm = norm_of(mean, value_count);
        sotto_server_step(adapter, mean, value_count, SERVER_RATE);
        sotto_hash_list(&applied->adapter, "sotto/1 adapter", parts, 2);
    }
    free(mean);
    return status;
}
