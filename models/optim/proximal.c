#include "models/optim/proximal.h"

double sotto_proximal_loss(const float *weights, const float *start, size_t count, double mu)
{
    double squares = 0.0;

    for (size_t i = 0; i < count; i++) {
        double way = (double)weights[i] - start[i];

        squares += way * way;
    }
    return mu / 2 * squares;
}

void sotto_proximal_backward(float *gradients, const float *weights, const float *start,
                             size_t count, double mu)
{
    float factor = (float)mu;

    for (size_t i = 0; i < count; i++)
        gradients[i] += factor * (weights[i] - start[i]);
}
