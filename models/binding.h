/*
 * Where a network's blocks find what an adapter puts beside or in place of their weights: its lanes
 * in the device's memory, laid out as models/adapter/layout.h says.
 */
#ifndef SOTTO_MODELS_BINDING_H
#define SOTTO_MODELS_BINDING_H

#include "models/adapter/subset.h"
#include "models/block/block.h"

struct sotto_binding {
    const struct sotto_device_float *lanes; /* [lane_count], or NULL: in a dry run */
    struct sotto_device_float *gradients;   /* [lane_count], or NULL: none are computed */
    enum sotto_trained trained;             /* the part whose gradients are */
    float dropout;                          /* share of a LoRA's inputs that a step leaves out */
};

/*
 * Points blocks and head at an adapter; without any lanes, sets what memory depends on.
 *
 *   blocks  inout  [block_count]
 *   head    inout  stays where the adapter has none
 */
void sotto_layout_bind(struct sotto_block *blocks, struct sotto_linear *head,
                       const struct sotto_layout *layout, const struct sotto_binding *binding);

#endif
