/*
 * The server's step: the next adapter from the mean delta.
 *     FedAvg: adapter' = adapter + rate * mean, rate 1
 * Source: McMahan et al., AISTATS 2017, Algorithm 1.
 */
#ifndef SOTTO_MODELS_OPTIM_SERVER_H
#define SOTTO_MODELS_OPTIM_SERVER_H

#include <stddef.h>

/* adapter[lane_count] moves by rate times mean_delta[lane_count]. */
void sotto_server_step(float *adapter, const float *mean_delta, size_t lane_count, double rate);

#endif
