#include "simulations/training.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

/* What the threads of one run share: each takes the next piece of work until none is left. */
struct run {
    const struct sotto_training_crew *crew;
    struct sotto_training_task *tasks;
    size_t task_count;
    const float *lanes; /* when scoring */
    const struct sotto_dataset *dataset;
    struct sotto_score *scores; /* [task_count], when scoring */
    atomic_size_t next;
};

struct worker {
    struct run *run;
    void (*work)(struct run *run, struct sotto_trainer *trainer, size_t task);
    enum sotto_status status;
    struct sotto_fault fault;
    pthread_t thread;
};

static void task_fit(struct run *run, struct sotto_trainer *trainer, size_t index)
{
    struct sotto_training_task *task = &run->tasks[index];
    struct sotto_fit_result result;

    task->status = sotto_trainer_load(trainer, task->start, run->crew->layout->lane_count);
    if (task->status == SOTTO_OK)
        task->status = sotto_trainer_fit(trainer, task->dataset, &task->fit, &result);
    if (task->status == SOTTO_OK)
        sotto_trainer_save(trainer, task->trained);
}

/* The index-th of task_count equal parts of the dataset, borrowed. */
static struct sotto_dataset part_of(const struct sotto_dataset *whole, size_t index, size_t parts)
{
    size_t first = whole->count * index / parts;
    size_t picture_bytes = (size_t)whole->channels * whole->side * whole->side;
    struct sotto_dataset part = *whole;

    part.count = whole->count * (index + 1) / parts - first;
    part.pixels = whole->pixels + first * picture_bytes;
    part.labels = whole->labels + first;
    return part;
}

/* Leaves the score all zero where it cannot be taken; whoever adds them up misses the examples. */
static void task_score(struct run *run, struct sotto_trainer *trainer, size_t index)
{
    struct sotto_dataset part = part_of(run->dataset, index, run->task_count);

    /* The adapter was checked before the threads started. */
    if (part.count > 0 &&
        sotto_trainer_load(trainer, run->lanes, run->crew->layout->lane_count) == SOTTO_OK &&
        sotto_trainer_evaluate(trainer, &part, &run->scores[index]) != SOTTO_OK)
        run->scores[index] = (struct sotto_score){0};
}

static void *worker_main(void *context)
{
    struct worker *worker = context;
    struct run *run = worker->run;
    struct sotto_trainer *trainer = NULL;
    size_t task;

    worker->status = sotto_trainer_open(&trainer, run->crew->model, run->crew->layout,
                                        run->crew->batch_max, NULL, &worker->fault);
    if (worker->status != SOTTO_OK)
        return NULL;
    while ((task = atomic_fetch_add(&run->next, 1)) < run->task_count)
        worker->work(run, trainer, task);
    sotto_trainer_close(trainer);
    return NULL;
}

/* Runs the workers, the first one on this thread. */
static enum sotto_status crew_work(struct run *run,
                                   void (*work)(struct run *, struct sotto_trainer *, size_t),
                                   struct sotto_fault *fault)
{
    size_t count = run->crew->threads < run->task_count ? run->crew->threads : run->task_count;
    struct worker *workers = calloc(count ? count : 1, sizeof *workers);
    enum sotto_status status = workers != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
    size_t started = 1;

    if (status != SOTTO_OK || count == 0) {
        free(workers);
        return status;
    }
    for (size_t i = 0; i < count; i++)
        workers[i] = (struct worker){.run = run, .work = work};
    while (started < count &&
           pthread_create(&workers[started].thread, NULL, worker_main, &workers[started]) == 0)
        started++;
    worker_main(&workers[0]);
    for (size_t i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < started && status == SOTTO_OK; i++)
        if (workers[i].status != SOTTO_OK)
            status = sotto_fault_set(fault, workers[i].status, "%s", workers[i].fault.text);
    free(workers);
    return status;
}

enum sotto_status sotto_training_run(const struct sotto_training_crew *crew,
                                     struct sotto_training_task *tasks, size_t task_count,
                                     struct sotto_fault *fault)
{
    struct run run = {.crew = crew, .tasks = tasks, .task_count = task_count};
    enum sotto_status status = crew_work(&run, task_fit, fault);

    for (size_t i = 0; i < task_count && status == SOTTO_OK; i++)
        if (tasks[i].status != SOTTO_OK)
            status =
                sotto_fault_set(fault, tasks[i].status,
                                tasks[i].status == SOTTO_MALFORMED
                                    ? "local training left the finite numbers: lower learning_rate"
                                    : "no memory for local training: lower batch or threads");
    return status;
}

enum sotto_status sotto_training_score(const struct sotto_training_crew *crew, const float *lanes,
                                       const struct sotto_dataset *dataset,
                                       struct sotto_score *score, struct sotto_fault *fault)
{
    struct sotto_score *scores = calloc(crew->threads, sizeof *scores);
    struct run run = {.crew = crew,
                      .task_count = crew->threads,
                      .lanes = lanes,
                      .dataset = dataset,
                      .scores = scores};
    enum sotto_status status =
        scores != NULL ? crew_work(&run, task_score, fault) : SOTTO_NO_MEMORY;

    *score = (struct sotto_score){0};
    for (size_t i = 0; i < crew->threads && status == SOTTO_OK; i++) {
        score->count += scores[i].count;
        score->correct += scores[i].correct;
        score->loss_mean += scores[i].loss_mean * (double)scores[i].count;
    }
    if (score->count > 0)
        score->loss_mean /= (double)score->count;
    if (status == SOTTO_OK && score->count != dataset->count)
        status =
            sotto_fault_set(fault, SOTTO_MISMATCH, "the test examples are not of the model's form");
    free(scores);
    return status;
}
