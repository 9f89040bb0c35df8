/* The activation kernels; what each does is said in models/kernels/kernels.h. */
#ifndef SOTTO_MODELS_KERNELS_ACTIVATION_H
#define SOTTO_MODELS_KERNELS_ACTIVATION_H

#include "models/kernels/kernels.h"

/* y = activation(z) */
void sotto_cpu_activate(struct sotto_matrix y, struct sotto_matrix_view z,
                        enum sotto_activation activation);

/* dz = dy times the slope at z, which is computed again. */
void sotto_cpu_activate_backward(struct sotto_matrix dz, struct sotto_matrix_view dy,
                                 struct sotto_matrix_view z, enum sotto_activation activation);

#endif
