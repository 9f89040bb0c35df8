/*
 * FedProx: a pull towards the weights that the round started from.
 *     loss' = loss + mu / 2 |w - start|^2,   gradient' = gradient + mu (w - start)
 * Source: Li et al., Federated optimization in heterogeneous networks, MLSys 2020, equation 2.
 */
#ifndef SOTTO_MODELS_OPTIM_PROXIMAL_H
#define SOTTO_MODELS_OPTIM_PROXIMAL_H

#include <stddef.h>

/* The term of the loss. weights and start [count]. */
double sotto_proximal_loss(const float *weights, const float *start, size_t count, double mu);

/* Adds its gradient to gradients[count]. */
void sotto_proximal_backward(float *gradients, const float *weights, const float *start,
                             size_t count, double mu);

#endif
