/* The attention kernels; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_ATTENTION_H
#define SOTTO_MODELS_KERNELS_ATTENTION_H

#include "models/kernels/kernels.h"

/* Two small products a sample and head. `p` is kept for the backward. */
void sotto_cpu_attention_forward(struct sotto_matrix y, float *p,
                                 const struct sotto_attention_inputs *inputs,
                                 const struct sotto_attention_shape *shape);

/* The gradients are overwritten; `p` is what the forward left. */
void sotto_cpu_attention_backward(const struct sotto_attention_gradients *gradients,
                                  struct sotto_matrix_view dy, const float *p,
                                  const struct sotto_attention_inputs *inputs,
                                  const struct sotto_attention_shape *shape);

#endif
