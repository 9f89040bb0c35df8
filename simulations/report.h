/*
 * What a simulation leaves: DIR/rounds.jsonl (a line a round), DIR/summary.json, DIR/adapter
 * (PEFT), the summary on stdout as JSON or as a table. No wall-clock value is in any of them: one
 * seed, one machine, the same bytes.
 */
#ifndef SOTTO_SIMULATIONS_REPORT_H
#define SOTTO_SIMULATIONS_REPORT_H

#include <stdio.h>

#include "simulations/world.h"

/* Accuracies that were not asked for are NaN and shown as null. */
struct sotto_summary {
    uint64_t seed;
    uint32_t sites;
    size_t lane_count;
    uint32_t rounds_finished;
    uint32_t rounds_abandoned;
    uint32_t refusals;
    uint32_t oracle_mismatches;
    uint64_t bytes_up; /* of all rounds and sites */
    uint64_t bytes_down;
    double accuracy_alone_mean;
    double accuracy_federated;
    double accuracy_pooled;
    double epsilon; /* of the site that spent most, at `delta`; NaN: there is no noise */
    double delta;
    struct sotto_digest adapter;
};

/* Collects the rounds' lines in memory until everything is written at the end. */
struct sotto_report {
    FILE *lines;
    char *text;
    size_t length;
};

SOTTO_CHECKED enum sotto_status sotto_report_open(struct sotto_report *report);
void sotto_report_round(struct sotto_report *report, const struct sotto_world_round *told);
/* Adds the campaign's totals of one round. */
void sotto_summary_add(struct sotto_summary *summary, const struct sotto_world_round *told);

/* Writes the three into `folder`, which is made if need be. */
SOTTO_CHECKED enum sotto_status sotto_report_write(struct sotto_report *report,
                                                   const struct sotto_summary *summary,
                                                   const struct sotto_world *world,
                                                   const char *folder, struct sotto_fault *fault);
void sotto_report_close(struct sotto_report *report);

void sotto_summary_print_json(const struct sotto_summary *summary, FILE *stream);
void sotto_summary_print_table(const struct sotto_summary *summary, FILE *stream);

#endif
