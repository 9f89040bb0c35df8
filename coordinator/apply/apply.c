#include "coordinator/apply/apply.h"

#include <math.h>
#include <stdlib.h>

#include "crypto/primitives/hash.h"
#include "crypto/ring/quantise.h"
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

enum sotto_status sotto_apply_sum(float *adapter, struct sotto_applied *applied,
                                  const uint32_t *sum, const struct sotto_plan *plan,
                                  struct sotto_view layout, uint32_t survivors)
{
    struct sotto_quantiser quantiser = {.range = plan->lane_range,
                                        .value_bits = plan->value_bits,
                                        .ring_bits = plan->ring_bits,
                                        .weight_max = plan->weight_max,
                                        .cohort_max = plan->cohort_max};
    size_t value_count = plan->lane_count - 1;
    float *mean = calloc(value_count, sizeof *mean);
    enum sotto_status status = SOTTO_NO_MEMORY;

    if (mean == NULL)
        return status;
    status = sotto_dequantise(mean, &applied->weight_sum, sum, value_count, &quantiser, survivors);
    if (status == SOTTO_OK) {
        struct sotto_view parts[] = {layout, sotto_view_of(adapter, value_count * sizeof *adapter)};

        applied->mean_norm = norm_of(mean, value_count);
        sotto_server_step(adapter, mean, value_count, SERVER_RATE);
        sotto_hash_list(&applied->adapter, "sotto/1 adapter", parts, 2);
    }
    free(mean);
    return status;
}
