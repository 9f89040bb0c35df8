#include "models/adapter/manifest.h"

#include <math.h>

/* The tensor that a lane belongs to; beyond the last lane, the last one. */
static size_t tensor_of(const struct sotto_layout *layout, size_t lane)
{
    size_t tensor = 0;

    while (tensor + 1 < layout->tensor_count && layout->tensors[tensor + 1].first <= lane)
        tensor++;
    return tensor;
}

enum sotto_status sotto_manifest_check(const float *lanes, size_t count,
                                       const struct sotto_layout *layout, struct sotto_fault *fault)
{
    char name[SOTTO_TENSOR_TEXT_MAX + 1];
    size_t lane = 0;

    if (count != layout->lane_count) {
        sotto_layout_tensor_name(name, layout, tensor_of(layout, count));
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "layout mismatch: the adapter has %zu values where its layout has "
                               "%zu: it ends at %s",
                               count, layout->lane_count, name);
    }
    while (lane < count && isfinite(lanes[lane]))
        lane++;
    if (lane == count)
        return SOTTO_OK;
    sotto_layout_tensor_name(name, layout, tensor_of(layout, lane));
    return sotto_fault_set(fault, SOTTO_MALFORMED,
                           "tensor %s of the adapter holds NaN or an infinity", name);
}
