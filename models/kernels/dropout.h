/* The dropout kernel; what it does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_DROPOUT_H
#define SOTTO_MODELS_KERNELS_DROPOUT_H

#include "models/kernels/kernels.h"

/*
 * Element (row, column) is decided by the key and its number row * columns + column alone, so that
 * forward and backward agree without keeping a mask.
 */
void sotto_cpu_drop(struct sotto_matrix y, struct sotto_matrix_view x,
                    const struct sotto_dropout *dropout);

#endif
