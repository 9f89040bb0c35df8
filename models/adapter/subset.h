/*
 * The part of an adapter that one round trains. The lanes of a round are exactly those of the
 * trained tensors, compact, in the layout's order; the rest stands still.
 */
#ifndef SOTTO_MODELS_ADAPTER_SUBSET_H
#define SOTTO_MODELS_ADAPTER_SUBSET_H

#include "models/adapter/layout.h"

/* The classifier, norms and biases are trained in every case. The numbers are a plan's. */
enum sotto_trained {
    SOTTO_TRAINED_ALL,
    SOTTO_TRAINED_A, /* all but lora_B */
    SOTTO_TRAINED_B, /* all but lora_A */
    SOTTO_TRAINED_COUNT
};

bool sotto_trained_has(enum sotto_trained trained, enum sotto_tensor_role role);

/* Lanes of the trained tensors. */
size_t sotto_subset_count(const struct sotto_layout *layout, enum sotto_trained trained);

/*
 *   compact  out  [sotto_subset_count] the trained lanes
 *   lanes    in   [layout->lane_count]; may be compact itself
 */
void sotto_subset_gather(float *compact, const float *lanes, const struct sotto_layout *layout,
                         enum sotto_trained trained);

/* The opposite: the other lanes stay. `compact` is not `lanes`. */
void sotto_subset_scatter(float *lanes, const float *compact, const struct sotto_layout *layout,
                          enum sotto_trained trained);

#endif
