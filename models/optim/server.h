/*
 * The server's step: the next adapter from the mean delta d of a round, lane by lane.
 *     FedAvg   w' = w + rate d                              McMahan et al., AISTATS 2017
 *     FedAvgM  m' = beta1 m + d,  w' = w + rate m'          Hsu et al., 2019
 *     FedAdam  m' = beta1 m + (1 - beta1) d,  v' = v - (1 - beta2) (v - d^2),
 *              w' = w + rate m' / (sqrt(v') + tau)                      Reddi et al., ICLR 2021
 *     FedYogi  the same with  v' = v - (1 - beta2) d^2 sign(v - d^2)
 * Reddi et al., Algorithm 2: no correction of the bias; v starts at tau^2.
 */
#ifndef SOTTO_MODELS_OPTIM_SERVER_H
#define SOTTO_MODELS_OPTIM_SERVER_H

#include <stdbool.h>
#include <stddef.h>

enum sotto_server_kind {
    SOTTO_SERVER_FEDAVG,
    SOTTO_SERVER_FEDAVGM,
    SOTTO_SERVER_FEDADAM,
    SOTTO_SERVER_FEDYOGI,
    SOTTO_SERVER_KIND_COUNT
};

struct sotto_server_rule {
    enum sotto_server_kind kind;
    double rate;
    double beta1;
    double beta2;
    double tau; /* above 0 */
};

/* Floats of the moments of `lane_count` lanes: none, m, or m and v behind it. */
size_t sotto_server_moment_count(enum sotto_server_kind kind, size_t lane_count);

/* moments[sotto_server_moment_count] before the first step. */
void sotto_server_moments_start(float *moments, const struct sotto_server_rule *rule,
                                size_t lane_count);

/*
 *   lanes    inout  [lane_count]
 *   moments  inout  [sotto_server_moment_count]; NULL for FedAvg
 *   delta    in     [lane_count]
 */
void sotto_server_step(float *lanes, float *moments, const float *delta, size_t lane_count,
                       const struct sotto_server_rule *rule);

#endif
