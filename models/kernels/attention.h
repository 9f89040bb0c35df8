/* The attention kernels; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_ATTENTION_H
#define SOTTO_MODELS_KERNELS_ATTENTION_H

#include "models/kernels/kernels.h"

/* Two small products for each sample, head and tile of queries. */
void sotto_cpu_attention_forward(struct sotto_matrix y, const struct sotto_attention_inputs *inputs,
                                 const struct sotto_attention_shape *shape,
                                 struct sotto_device_float *scratch);

/* The gradients are overwritten; the probabilities are computed again, tile by tile. */
void sotto_cpu_attention_backward(const struct sotto_attention_gradients *gradients,
                                  struct sotto_matrix_view dy,
                                  const struct sotto_attention_inputs *inputs,
                                  const struct sotto_attention_shape *shape,
                                  struct sotto_device_float *scratch);

#endif
