/*
 * The long computations of one round, on libuv's thread pool, one after the other: add each spooled
 * upload to the sum, take the masks off over lane ranges in parallel, apply the sum and keep the
 * version. Results come back on the loop.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_JOBS_H
#define SOTTO_COORDINATOR_DRIVE_JOBS_H

#include <uv.h>

#include "coordinator/apply/apply.h"
#include "coordinator/gate/spool.h"
#include "coordinator/round/round.h"
#include "coordinator/schedule/definition.h"

struct sotto_jobs;

struct sotto_job_result {
    enum sotto_round_job kind;
    enum sotto_status status;
    struct sotto_fault fault;
    uint32_t site; /* of an ADD */
    double chi2;   /* of the upload (ADD) or of the sum (UNMASK) */
    struct sotto_applied applied;
};

/* All borrowed until the jobs are closed. */
struct sotto_jobs_setup {
    uv_loop_t *loop;
    const struct sotto_protocol *protocol;
    const struct sotto_round *round;
    const struct sotto_spool *spool;
    const char *folder; /* of the coordinator's state */
    struct sotto_view layout;
    const struct sotto_definition *definition; /* of the campaign */
    uint32_t start_round; /* that made the version which the round started from; 0: none did */
    unsigned range_count; /* lane ranges that are unmasked in parallel, 1 .. SOTTO_RANGES_MAX */
    void (*done)(void *context, const struct sotto_job_result *result);
    void *context;
};

enum { SOTTO_RANGES_MAX = 64 };

/* SOTTO_NO_MEMORY. */
SOTTO_CHECKED enum sotto_status sotto_jobs_open(struct sotto_jobs **jobs,
                                                const struct sotto_jobs_setup *setup);
/* Not while busy. */
void sotto_jobs_close(struct sotto_jobs *jobs);

/*
 * Puts a job at the end of the queue; `digest` is that of an ADD's upload. Nothing runs before
 * sotto_jobs_run.
 */
void sotto_jobs_push(struct sotto_jobs *jobs, enum sotto_round_job kind, uint32_t site,
                     const struct sotto_digest *digest);
void sotto_jobs_run(struct sotto_jobs *jobs);
/* Forgets what has not begun. */
void sotto_jobs_drop(struct sotto_jobs *jobs);
bool sotto_jobs_is_busy(const struct sotto_jobs *jobs);

#endif
