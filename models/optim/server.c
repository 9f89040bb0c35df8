#include "models/optim/server.h"

void sotto_server_step(float *adapter, const float *mean_delta, size_t lane_count, double rate)
{
    float factor = (float)rate;

    for (size_t lane = 0; lane < lane_count; lane++)
        adapter[lane] += factor * mean_delta[lane];
}
