/*
 * FILE of --trace: a line of JSON a round, and the whole at the end for people.
 *
 *     {"round":1,"cohort":5,"seconds":{"training":11.8,...},"overlapped":0.004,"critical":2.4,
 *      "secure":0.012,"share":0.001}
 *
 *     overlapped  a site's joining and expanding, in the mean: beside its training
 *     critical    a site's training, encoding, hiding and closing in the mean, and all of the hub,
 *                 as if each site had a processor
 *     secure      all that the plain sum would not cost: joining, expanding, hiding, closing, hub,
 *                 unmasking
 *     share       secure over the rest
 */
#ifndef SOTTO_SIMULATIONS_TRACE_TRACE_H
#define SOTTO_SIMULATIONS_TRACE_TRACE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/status.h"
#include "simulations/trace/spans.h"

struct sotto_trace {
    FILE *file; /* NULL: nobody asked */
    struct sotto_spans total;
};

/* path NULL: nobody asked. SOTTO_IO: with the reason. */
SOTTO_CHECKED enum sotto_status sotto_trace_open(struct sotto_trace *trace, const char *path,
                                                 struct sotto_fault *fault);
void sotto_trace_round(struct sotto_trace *trace, uint32_t round, uint32_t cohort,
                       const struct sotto_spans *spans);
/* Prints a table of all rounds to `stream`. SOTTO_IO: the file could not be written. */
SOTTO_CHECKED enum sotto_status sotto_trace_close(struct sotto_trace *trace, FILE *stream,
                                                  struct sotto_fault *fault);

/* Processor time of all that the plain sum would not cost, and of what it would. */
double sotto_trace_secure_s(const struct sotto_spans *spans);
double sotto_trace_plain_s(const struct sotto_spans *spans);

#endif
