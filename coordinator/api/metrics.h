/*
 * Health for load balancers, and Prometheus text (exposition format 0.0.4). Open to everybody:
 * counts only.
 */
#ifndef SOTTO_COORDINATOR_API_METRICS_H
#define SOTTO_COORDINATOR_API_METRICS_H

#include "coordinator/api/call.h"

void sotto_metrics_health(struct sotto_call *call); /* GET /healthz, /readyz */
void sotto_metrics_show(struct sotto_call *call);   /* GET /metrics */

#endif
