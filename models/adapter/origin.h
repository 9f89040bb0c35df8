/*
 * Where an adapter's tensor comes from in its base model's checkpoint: the matrix that a LoRA lies
 * beside, or the vector that is trained in the base's place.
 */
#ifndef SOTTO_MODELS_ADAPTER_ORIGIN_H
#define SOTTO_MODELS_ADAPTER_ORIGIN_H

#include "models/adapter/layout.h"
#include "models/weights/checkpoint.h"

/*
 * The number of the base's tensor under any of the names that a checkpoint may have for it;
 * sotto_checkpoint_tensor_count: there is none. Not for the classifier's.
 */
size_t sotto_origin_find(const struct sotto_checkpoint *checkpoint,
                         const struct sotto_layout_tensor *tensor, enum sotto_family family);

/*
 * Gains and biases that are trained start as the base model's. What else the lanes hold stays.
 *
 *   lanes  inout  [layout->lane_count] of sotto_layout_start
 *
 * SOTTO_MISMATCH (missing, or another shape), SOTTO_UNSUPPORTED, SOTTO_MALFORMED: the fault names
 * the tensor; lanes unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_origin_start(float *lanes, const struct sotto_layout *layout,
                                                   const struct sotto_checkpoint *checkpoint,
                                                   struct sotto_fault *fault);

#endif
