#include "models/pretrain/fit.h"

#include <assert.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "models/pretrain/mae_pass.h"
#include "models/pretrain/sample.h"

enum { REPORTS = 100 };

/* One thread's part of every step. */
struct worker {
    pthread_t thread;
    struct sotto_workspace workspace;
    struct sotto_mae_pass pass;
    struct sotto_mae_batch part;
    struct sotto_device_float *gradients;
    double loss; /* mean over the part */
};

/* A run under way. */
struct run {
    const struct sotto_mae *mae;
    const struct sotto_dataset *dataset;
    const struct sotto_pretrain_rule *rule;
    size_t weight_count;
    struct worker *workers;
    struct sotto_workspace workspace; /* of what follows */
    struct sotto_device_float *weights;
    struct sotto_moments moments;
    struct sotto_adamw adamw;
    struct sotto_adamw_span *spans;
    size_t span_count;
    uint32_t *order;        /* [dataset->count] */
    uint8_t *pixels;        /* [batch, channels, side, side] */
    uint32_t *patch_orders; /* [batch, patch count] */
    struct sotto_entropy entropy;
};

static uint32_t part_max(const struct sotto_pretrain_rule *rule)
{
    return (rule->batch + rule->thread_count - 1) / rule->thread_count;
}

static enum sotto_status open_worker(struct worker *worker, const struct run *run)
{
    struct sotto_device_arena *device = &worker->workspace.device;
    struct sotto_workspace counted;
    enum sotto_status status;

    sotto_workspace_init_counting(&counted);
    sotto_device_floats_take(&worker->gradients, &counted.device, run->weight_count);
    status = sotto_mae_pass_take(&worker->pass, run->mae, run->weights, run->weights,
                                 part_max(run->rule), &counted);
    if (status == SOTTO_OK)
        status = sotto_workspace_open(&worker->workspace, run->mae->kernels, &counted);
    if (status != SOTTO_OK)
        return status;
    if (!sotto_device_floats_take(&worker->gradients, device, run->weight_count))
        return SOTTO_NO_MEMORY;
    return sotto_mae_pass_take(&worker->pass, run->mae, run->weights, worker->gradients,
                               part_max(run->rule), &worker->workspace);
}

/* Memory of the run; with a counting workspace it only counts. */
static bool take_memory(struct run *run, struct sotto_workspace *workspace)
{
    const struct sotto_dataset *dataset = run->dataset;
    struct sotto_device_arena *device = &workspace->device;
    struct sotto_arena *host = &workspace->host;
    size_t picture_bytes = (size_t)dataset->channels * dataset->side * dataset->side;
    size_t patches = (size_t)run->rule->batch * sotto_mae_patch_count(run->mae);

    run->spans = sotto_arena_take(host, run->span_count, sizeof *run->spans);
    run->order = sotto_arena_take(host, dataset->count, sizeof *run->order);
    run->pixels = sotto_arena_take(host, run->rule->batch, picture_bytes);
    run->patch_orders = sotto_arena_take(host, patches, sizeof *run->patch_orders);
    return sotto_device_floats_take(&run->weights, device, run->weight_count) &&
           sotto_device_floats_take(&run->moments.first, device, run->weight_count) &&
           sotto_device_floats_take(&run->moments.second, device, run->weight_count);
}

static enum sotto_status open_run(struct run *run)
{
    struct sotto_workspace counted;
    enum sotto_status status;

    run->weight_count = sotto_mae_places(run->mae).count;
    run->span_count = sotto_mae_spans(NULL, run->mae, 0);
    sotto_workspace_init_counting(&counted);
    take_memory(run, &counted);
    status = sotto_workspace_open(&run->workspace, run->mae->kernels, &counted);
    if (status != SOTTO_OK)
        return status;
    if (!take_memory(run, &run->workspace))
        return SOTTO_NO_MEMORY;
    sotto_adamw_init(&run->adamw, run->mae->kernels, run->moments, run->weight_count);
    sotto_mae_spans(run->spans, run->mae, run->rule->weight_decay);
    run->workers = calloc(run->rule->thread_count, sizeof *run->workers);
    if (run->workers == NULL)
        return SOTTO_NO_MEMORY;
    for (uint32_t i = 0; i < run->rule->thread_count && status == SOTTO_OK; i++)
        status = open_worker(&run->workers[i], run);
    return status;
}

static void close_run(struct run *run)
{
    for (uint32_t i = 0; run->workers != NULL && i < run->rule->thread_count; i++)
        sotto_workspace_close(&run->workers[i].workspace);
    free(run->workers);
    sotto_workspace_close(&run->workspace);
}

/* Fills the batch with the pictures of a step. */
static void draw_batch(struct run *run, size_t first)
{
    const struct sotto_dataset *dataset = run->dataset;
    struct sotto_picture_form form = {dataset->channels, dataset->side};
    size_t picture_bytes = (size_t)dataset->channels * dataset->side * dataset->side;
    size_t patches = sotto_mae_patch_count(run->mae);

    for (size_t i = 0; i < run->rule->batch; i++) {
        sotto_sample_move(run->pixels + i * picture_bytes,
                          dataset->pixels + run->order[first + i] * picture_bytes, form,
                          run->rule->shift_max, &run->entropy);
        sotto_sample_shuffle(run->patch_orders + i * patches, patches, &run->entropy);
    }
}

static void *work(void *context)
{
    struct worker *worker = context;

    worker->loss = 0;
    if (worker->part.picture_count > 0)
        worker->loss = sotto_mae_pass_run(&worker->pass, &worker->part);
    return NULL;
}

static void assign_parts(struct run *run)
{
    const struct sotto_dataset *dataset = run->dataset;
    size_t picture_bytes = (size_t)dataset->channels * dataset->side * dataset->side;
    size_t patches = sotto_mae_patch_count(run->mae);
    size_t batch = run->rule->batch;
    size_t threads = run->rule->thread_count;

    for (size_t i = 0; i < threads; i++) {
        size_t first = i * batch / threads;
        size_t end = (i + 1) * batch / threads;

        run->mae->kernels->clear(run->workers[i].gradients, run->weight_count);
        run->workers[i].part = (struct sotto_mae_batch){
            .picture_count = (uint32_t)(end - first),
            .pixels = run->pixels + first * picture_bytes,
            .patch_orders = run->patch_orders + first * patches,
            .pixel_map = run->rule->pixel_map,
            .scale = (double)(end - first) / (double)batch,
        };
    }
}

/* Runs all parts, the first one here; the gradients are then in the first worker. */
static enum sotto_status run_parts(struct run *run, double *loss)
{
    uint32_t started = 1;
    bool is_short = false;

    assign_parts(run);
    while (started < run->rule->thread_count && !is_short) {
        struct worker *worker = &run->workers[started];

        is_short = pthread_create(&worker->thread, NULL, work, worker) != 0;
        started += is_short ? 0 : 1;
    }
    work(&run->workers[0]);
    *loss = run->workers[0].loss * run->workers[0].part.scale;
    for (uint32_t i = 1; i < started; i++) {
        pthread_join(run->workers[i].thread, NULL);
        run->mae->kernels->add(run->workers[0].gradients, run->workers[i].gradients,
                               run->weight_count);
        *loss += run->workers[i].loss * run->workers[i].part.scale;
    }
    return is_short ? SOTTO_NO_MEMORY : SOTTO_OK;
}

/* Rises in a line over the warm-up, then falls by a cosine to 0. */
static double rate_at(const struct sotto_pretrain_rule *rule, size_t step, size_t step_count)
{
    double place = ((double)step + 1.0) / (double)step_count;

    if (place < rule->warm_up)
        return rule->learning_rate * place / rule->warm_up;
    return rule->learning_rate * 0.5 *
           (1.0 + cos(3.14159265358979323846 * (place - rule->warm_up) / (1.0 - rule->warm_up)));
}

static enum sotto_status run_step(struct run *run, double *loss, size_t step, size_t step_count)
{
    struct sotto_adamw_rule rule = {.learning_rate = rate_at(run->rule, step, step_count),
                                    .beta1 = 0.9,
                                    .beta2 = 0.95,
                                    .epsilon = 1e-8};
    enum sotto_status status = run_parts(run, loss);

    if (status != SOTTO_OK)
        return status;
    if (!isfinite(*loss))
        return SOTTO_MALFORMED;
    sotto_adamw_step(&run->adamw, run->weights, run->workers[0].gradients, &rule, run->spans,
                     run->span_count);
    return SOTTO_OK;
}

/* All steps; *loss becomes the mean since the last report. */
static enum sotto_status run_steps(struct run *run, double *loss)
{
    size_t steps_an_epoch = run->dataset->count / run->rule->batch;
    size_t step_count = steps_an_epoch * run->rule->epochs;
    size_t reported = 0;
    double sum = 0;

    for (size_t step = 0; step < step_count; step++) {
        size_t place = step % steps_an_epoch;
        double step_loss = 0;
        enum sotto_status status = SOTTO_UNEXPECTED;

        if (place == 0)
            sotto_sample_shuffle(run->order, run->dataset->count, &run->entropy);
        draw_batch(run, place * run->rule->batch);
        if (run->rule->is_stopped == NULL || !*run->rule->is_stopped)
            status = run_step(run, &step_loss, step, step_count);
        if (status != SOTTO_OK)
            return status;
        sum += step_loss;
        if ((step + 1) * REPORTS / step_count == step * REPORTS / step_count)
            continue;
        *loss = sum / (double)(step + 1 - reported);
        if (run->rule->report != NULL)
            run->rule->report(run->rule->context,
                              &(struct sotto_pretrain_progress){step + 1, step_count, *loss});
        reported = step + 1;
        sum = 0;
    }
    return SOTTO_OK;
}

/* The weights go over, and come back. */
static enum sotto_status train(struct run *run, float *weights, double *loss)
{
    enum sotto_status status;

    run->mae->kernels->upload(run->weights, weights, run->weight_count);
    status = run_steps(run, loss);
    run->mae->kernels->download(weights, run->weights, run->weight_count);
    return status;
}

enum sotto_status sotto_pretrain_fit(float *weights, double *loss, const struct sotto_mae *mae,
                                     const struct sotto_dataset *dataset,
                                     const struct sotto_pretrain_rule *rule,
                                     struct sotto_fault *fault)
{
    struct run run = {.mae = mae, .dataset = dataset, .rule = rule};
    enum sotto_status status;

    assert(rule->batch > 0 && rule->batch <= dataset->count && rule->epochs > 0);
    assert(rule->thread_count > 0 && rule->thread_count <= SOTTO_PRETRAIN_THREADS_MAX);
    sotto_entropy_init_seeded(&run.entropy, rule->seed);
    sotto_mae_start(weights, mae, &run.entropy);
    status = open_run(&run);
    if (status == SOTTO_OK)
        status = train(&run, weights, loss);
    close_run(&run);
    if (status == SOTTO_MALFORMED)
        return sotto_fault_set(fault, status,
                               "the loss is no number any more: lower the learning rate");
    if (status == SOTTO_NO_MEMORY)
        return sotto_fault_set(fault, status,
                               "no memory or threads for batches of %u: lower --batch or --threads",
                               rule->batch);
    return status;
}
