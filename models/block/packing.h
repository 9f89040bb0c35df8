/*
 * A frozen block's matrices as models/kernels/packed/packed.h has them. Layers of one input, whose
 * weights follow one another, are packed as one, so that they still act as one.
 */
#ifndef SOTTO_MODELS_BLOCK_PACKING_H
#define SOTTO_MODELS_BLOCK_PACKING_H

#include "models/block/spec.h"
#include "models/kernels/kernels.h"

/* Where packed weights go: on from one of the two, which is not NULL. */
struct sotto_packing {
    const struct sotto_kernels *kernels;
    struct sotto_device_bf16 *halves;
    struct sotto_device_float *floats;
};

/* W, whose widths are multiples of SOTTO_PANEL_WIDTH; what is packed next goes behind it. */
struct sotto_packed sotto_packing_add(struct sotto_packing *packing, struct sotto_matrix_view w);

/* Elements that packing a block takes; 0: a width is no multiple of SOTTO_PANEL_WIDTH. */
size_t sotto_block_packed_count(const struct sotto_block_spec *spec);

/*
 *   packed   out    [SOTTO_BLOCK_LINEAR_COUNT]; rows 0 where the spec has no such layer
 *   packing  inout  with room for sotto_block_packed_count elements, which is not 0
 *   weights  in     [sotto_block_weight_count]
 */
void sotto_block_pack(struct sotto_packed *packed, struct sotto_packing *packing,
                      const struct sotto_block_spec *spec,
                      const struct sotto_device_float *weights);

#endif
