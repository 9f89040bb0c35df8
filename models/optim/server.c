#include "models/optim/server.h"

#include <assert.h>
#include <math.h>
#include <string.h>

size_t sotto_server_moment_count(enum sotto_server_kind kind, size_t lane_count)
{
    switch (kind) {
    case SOTTO_SERVER_FEDAVG: return 0;
    case SOTTO_SERVER_FEDAVGM: return lane_count;
    case SOTTO_SERVER_FEDADAM:
    case SOTTO_SERVER_FEDYOGI: return 2 * lane_count;
    case SOTTO_SERVER_KIND_COUNT: break;
    }
    assert(false && "no server optimiser");
    return 0;
}

void sotto_server_moments_start(float *moments, const struct sotto_server_rule *rule,
                                size_t lane_count)
{
    size_t count = sotto_server_moment_count(rule->kind, lane_count);

    for (size_t i = 0; i < count; i++)
        moments[i] = i < lane_count ? 0.0f : (float)(rule->tau * rule->tau);
}

static void step_plain(float *lanes, const float *delta, size_t lane_count, double rate)
{
    float factor = (float)rate;

    for (size_t lane = 0; lane < lane_count; lane++)
        lanes[lane] += factor * delta[lane];
}

static void step_momentum(float *lanes, float *first, const float *delta, size_t lane_count,
                          const struct sotto_server_rule *rule)
{
    float beta1 = (float)rule->beta1;

    for (size_t lane = 0; lane < lane_count; lane++)
        first[lane] = beta1 * first[lane] + delta[lane];
    step_plain(lanes, first, lane_count, rule->rate);
}

static void step_adaptive(float *lanes, float *moments, const float *delta, size_t lane_count,
                          const struct sotto_server_rule *rule)
{
    float *first = moments;
    float *second = moments + lane_count;

    for (size_t lane = 0; lane < lane_count; lane++) {
        double square = (double)delta[lane] * delta[lane];
        double above = second[lane] - square;
        double rest = 1 - rule->beta2;
        double taken =
            rule->kind == SOTTO_SERVER_FEDADAM ? above : square * ((above > 0) - (above < 0));
        double m = rule->beta1 * first[lane] + (1 - rule->beta1) * delta[lane];
        double v = second[lane] - rest * taken;

        first[lane] = (float)m;
        second[lane] = (float)v;
        lanes[lane] = (float)(lanes[lane] + rule->rate * m / (sqrt(v) + rule->tau));
    }
}

void sotto_server_step(float *lanes, float *moments, const float *delta, size_t lane_count,
                       const struct sotto_server_rule *rule)
{
    switch (rule->kind) {
    case SOTTO_SERVER_FEDAVG: step_plain(lanes, delta, lane_count, rule->rate); return;
    case SOTTO_SERVER_FEDAVGM: step_momentum(lanes, moments, delta, lane_count, rule); return;
    case SOTTO_SERVER_FEDADAM:
    case SOTTO_SERVER_FEDYOGI: step_adaptive(lanes, moments, delta, lane_count, rule); return;
    case SOTTO_SERVER_KIND_COUNT: break;
    }
    assert(false && "no server optimiser");
}
