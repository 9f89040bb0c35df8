#include "core/threads/threads.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

struct mate {
    struct sotto_threads *threads;
    uint32_t worker;
    pthread_t thread;
};

struct sotto_threads {
    uint32_t width;
    uint32_t started; /* mates */
    struct mate mates[SOTTO_THREADS_WIDTH_MAX];
    pthread_mutex_t lock; /* of all below */
    pthread_cond_t run_began;
    pthread_cond_t task_ended;
    struct sotto_threads_job job;
    size_t run_count; /* runs that have begun */
    size_t task_count;
    size_t next;         /* task that nobody has taken yet */
    size_t ended;        /* tasks before this one are all done */
    uint32_t busy_count; /* mates that may still look at this run */
    bool is_closing;
};

/* Tasks of one run until none is left. Called and left with the lock held. */
static void share(struct sotto_threads *threads, uint32_t worker)
{
    while (threads->next < threads->task_count) {
        size_t task = threads->next++;

        pthread_mutex_unlock(&threads->lock);
        threads->job.work(threads->job.context, task, worker);
        pthread_mutex_lock(&threads->lock);
        while (threads->ended != task)
            pthread_cond_wait(&threads->task_ended, &threads->lock);
        if (threads->job.after != NULL)
            threads->job.after(threads->job.context, task, worker);
        threads->ended++;
        pthread_cond_broadcast(&threads->task_ended);
    }
}

static void *lend_hand(void *context)
{
    const struct mate *mate = context;
    struct sotto_threads *threads = mate->threads;
    size_t seen = 0;

    pthread_mutex_lock(&threads->lock);
    while (!threads->is_closing) {
        if (threads->run_count == seen) {
            pthread_cond_wait(&threads->run_began, &threads->lock);
            continue;
        }
        seen = threads->run_count;
        share(threads, mate->worker);
        threads->busy_count--;
        pthread_cond_broadcast(&threads->task_ended);
    }
    pthread_mutex_unlock(&threads->lock);
    return NULL;
}

/* Signals go to the thread that was there before. */
static enum sotto_status start(struct sotto_threads *threads)
{
    sigset_t all;
    sigset_t before;
    bool is_short = false;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (threads->started + 1 < threads->width && !is_short) {
        struct mate *mate = &threads->mates[threads->started];

        *mate = (struct mate){.threads = threads, .worker = threads->started};
        is_short = pthread_create(&mate->thread, NULL, lend_hand, mate) != 0;
        threads->started += is_short ? 0 : 1;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_short ? SOTTO_NO_MEMORY : SOTTO_OK;
}

enum sotto_status sotto_threads_open(struct sotto_threads **threads, uint32_t width)
{
    struct sotto_threads *opened = calloc(1, sizeof *opened);

    assert(width >= 1 && width <= SOTTO_THREADS_WIDTH_MAX);
    *threads = NULL;
    if (opened == NULL)
        return SOTTO_NO_MEMORY;
    opened->width = width;
    pthread_mutex_init(&opened->lock, NULL);
    pthread_cond_init(&opened->run_began, NULL);
    pthread_cond_init(&opened->task_ended, NULL);
    if (start(opened) != SOTTO_OK) {
        sotto_threads_close(opened);
        return SOTTO_NO_MEMORY;
    }
    *threads = opened;
    return SOTTO_OK;
}

void sotto_threads_close(struct sotto_threads *threads)
{
    if (threads == NULL)
        return;
    pthread_mutex_lock(&threads->lock);
    threads->is_closing = true;
    pthread_cond_broadcast(&threads->run_began);
    pthread_mutex_unlock(&threads->lock);
    for (uint32_t i = 0; i < threads->started; i++)
        pthread_join(threads->mates[i].thread, NULL);
    pthread_cond_destroy(&threads->task_ended);
    pthread_cond_destroy(&threads->run_began);
    pthread_mutex_destroy(&threads->lock);
    free(threads);
}

uint32_t sotto_threads_width(const struct sotto_threads *threads)
{
    return threads == NULL ? 1 : threads->width;
}

static void run_alone(const struct sotto_threads_job *job, size_t task_count)
{
    for (size_t task = 0; task < task_count; task++) {
        job->work(job->context, task, 0);
        if (job->after != NULL)
            job->after(job->context, task, 0);
    }
}

void sotto_threads_run(struct sotto_threads *threads, const struct sotto_threads_job *job,
                       size_t task_count)
{
    if (threads == NULL || threads->width == 1 || task_count == 1) {
        run_alone(job, task_count);
        return;
    }
    pthread_mutex_lock(&threads->lock);
    assert(threads->busy_count == 0);
    threads->job = *job;
    threads->task_count = task_count;
    threads->next = 0;
    threads->ended = 0;
    threads->busy_count = threads->started;
    threads->run_count++;
    pthread_cond_broadcast(&threads->run_began);
    share(threads, threads->width - 1);
    while (threads->busy_count > 0)
        pthread_cond_wait(&threads->task_ended, &threads->lock);
    pthread_mutex_unlock(&threads->lock);
}
