#include "coordinator/drive/jobs.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drive/advance.h"
#include "coordinator/drive/tally.h"

enum { JOB_COUNT_MAX = SOTTO_COHORT_MAX + 2, RANGE_STEP = 8 };

struct job {
    enum sotto_round_job kind;
    uint32_t site;
    struct sotto_digest digest;
};

struct job_range {
    uv_work_t work;
    struct sotto_jobs *jobs;
    struct sotto_lane_range range;
    enum sotto_status status;
    struct sotto_bins bins;
};

struct sotto_jobs {
    struct sotto_jobs_setup setup;
    struct sotto_tally tally;
    struct job queue[JOB_COUNT_MAX];
    size_t queued;
    size_t begun;
    size_t running; /* works on the thread pool */
    uv_work_t work; /* ADD and APPLY */
    struct job job; /* the one that runs: its thread does not look at the queue */
    struct job_range ranges[SOTTO_RANGES_MAX];
    struct sotto_job_result result; /* of the job that runs */
};

enum sotto_status sotto_jobs_open(struct sotto_jobs **out, const struct sotto_jobs_setup *setup)
{
    struct sotto_jobs *jobs = calloc(1, sizeof *jobs);

    assert(setup->range_count >= 1 && setup->range_count <= SOTTO_RANGES_MAX);
    if (jobs == NULL)
        return SOTTO_NO_MEMORY;
    jobs->setup = *setup;
    if (sotto_tally_open(&jobs->tally, sotto_round_plan(setup->round)) != SOTTO_OK) {
        free(jobs);
        return SOTTO_NO_MEMORY;
    }
    *out = jobs;
    return SOTTO_OK;
}

void sotto_jobs_close(struct sotto_jobs *jobs)
{
    assert(jobs->running == 0);
    sotto_tally_close(&jobs->tally);
    free(jobs);
}

void sotto_jobs_push(struct sotto_jobs *jobs, enum sotto_round_job kind, uint32_t site,
                     const struct sotto_digest *digest)
{
    assert(jobs->queued < JOB_COUNT_MAX);
    jobs->queue[jobs->queued++] = (struct job){.kind = kind, .site = site, .digest = *digest};
}

void sotto_jobs_drop(struct sotto_jobs *jobs)
{
    jobs->begun = jobs->queued;
}

bool sotto_jobs_is_busy(const struct sotto_jobs *jobs)
{
    return jobs->running > 0;
}

/* The last work of the present job is done. */
static void job_end(struct sotto_jobs *jobs)
{
    struct sotto_job_result result = jobs->result;

    jobs->setup.done(jobs->setup.context, &result);
}

static void add_work(uv_work_t *work)
{
    struct sotto_jobs *jobs = work->data;
    const struct job *job = &jobs->job;
    char path[SOTTO_SPOOL_PATH_MAX];

    if (sotto_spool_path(jobs->setup.spool, job->site, path) != SOTTO_OK)
        jobs->result.status =
            sotto_fault_set(&jobs->result.fault, SOTTO_OVER_LIMIT, "the spool's path is too long");
    else
        jobs->result.status = sotto_tally_add(&jobs->tally, &jobs->result.chi2, path, &job->digest,
                                              &jobs->result.fault);
}

static void single_after(uv_work_t *work, int cancelled)
{
    struct sotto_jobs *jobs = work->data;

    (void)cancelled;
    jobs->running--;
    job_end(jobs);
}

static void range_work(uv_work_t *work)
{
    struct job_range *range = work->data;
    const struct sotto_jobs_setup *setup = &range->jobs->setup;
    uint32_t *lanes = range->jobs->tally.lanes + range->range.first;

    range->status =
        setup->protocol->collector_unmask(sotto_round_collector(setup->round), lanes, range->range);
    sotto_bins_add(&range->bins, lanes, range->range.count, range->jobs->tally.ring_bits);
}

static void range_after(uv_work_t *work, int cancelled)
{
    struct job_range *range = work->data;
    struct sotto_jobs *jobs = range->jobs;
    struct sotto_bins bins = {0};

    (void)cancelled;
    if (range->status != SOTTO_OK)
        jobs->result.status =
            sotto_fault_set(&jobs->result.fault, range->status, "unmasking failed: %s",
                            sotto_status_name(range->status));
    if (--jobs->running > 0)
        return;
    for (size_t i = 0; i < jobs->setup.range_count; i++)
        for (size_t bin = 0; bin < 256; bin++)
            bins.counts[bin] += jobs->ranges[i].bins.counts[bin];
    jobs->result.chi2 = sotto_bins_chi2(&bins);
    job_end(jobs);
}

static void unmask_begin(struct sotto_jobs *jobs)
{
    size_t share = jobs->tally.lane_count / jobs->setup.range_count / RANGE_STEP * RANGE_STEP;

    jobs->running = jobs->setup.range_count;
    for (size_t i = 0; i < jobs->setup.range_count; i++) {
        struct job_range *range = &jobs->ranges[i];
        bool is_last = i + 1 == jobs->setup.range_count;

        *range = (struct job_range){.jobs = jobs};
        range->range.first = i * share;
        range->range.count = is_last ? jobs->tally.lane_count - i * share : share;
        range->work.data = range;
        uv_queue_work(jobs->setup.loop, &range->work, range_work, range_after);
    }
}

static void apply_work(uv_work_t *work)
{
    struct sotto_jobs *jobs = work->data;
    const struct sotto_advance advance = {.folder = jobs->setup.folder,
                                          .definition = jobs->setup.definition,
                                          .plan = sotto_round_plan(jobs->setup.round),
                                          .layout = jobs->setup.layout,
                                          .survivors =
                                              sotto_round_survivor_count(jobs->setup.round),
                                          .start_round = jobs->setup.start_round};

    jobs->result.status =
        sotto_advance_run(&advance, &jobs->result.applied, jobs->tally.lanes, &jobs->result.fault);
}

void sotto_jobs_run(struct sotto_jobs *jobs)
{
    if (jobs->running > 0 || jobs->begun == jobs->queued)
        return;
    jobs->job = jobs->queue[jobs->begun++];
    jobs->result = (struct sotto_job_result){.kind = jobs->job.kind, .site = jobs->job.site};
    jobs->work.data = jobs;
    switch (jobs->job.kind) {
    case SOTTO_ROUND_JOB_NONE: return;
    case SOTTO_ROUND_JOB_UNMASK: unmask_begin(jobs); return;
    case SOTTO_ROUND_JOB_ADD:
        jobs->running = 1;
        uv_queue_work(jobs->setup.loop, &jobs->work, add_work, single_after);
        return;
    case SOTTO_ROUND_JOB_APPLY:
        jobs->running = 1;
        uv_queue_work(jobs->setup.loop, &jobs->work, apply_work, single_after);
        return;
    }
}
