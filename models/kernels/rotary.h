/* The rotary kernel; what it does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_ROTARY_H
#define SOTTO_MODELS_KERNELS_ROTARY_H

#include "models/kernels/kernels.h"

/* Turns the heads of one sample's rows by their positions, or back. */
void sotto_cpu_rotate(struct sotto_matrix x, const struct sotto_rotary *rotary, uint32_t head_width,
                      bool is_back);

#endif
