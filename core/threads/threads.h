/*
 * A fixed set of threads that share numbered tasks. Whoever starts a process decides how many there
 * are and hands the threads to what computes; nothing below starts a thread of its own.
 *
 * What comes out must not depend on how many threads there are: a task works in its worker's own
 * memory, and what several tasks add up is added in `after`, in the order of the tasks.
 */
#ifndef SOTTO_CORE_THREADS_THREADS_H
#define SOTTO_CORE_THREADS_THREADS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/status.h"

enum { SOTTO_THREADS_WIDTH_MAX = 64 };

struct sotto_threads;

/* `worker` is below the width, and no two calls at the same time have the same one. */
struct sotto_threads_job {
    void (*work)(void *context, size_t task, uint32_t worker);
    /* Follows the work of its task; one at a time, tasks in their order. NULL: none. */
    void (*after)(void *context, size_t task, uint32_t worker);
    void *context;
};

/*
 * Starts width - 1 threads that wait; the one that runs a job is the last worker. They inherit the
 * caller's confinement and take no signals.
 *
 *   width  in  1 .. SOTTO_THREADS_WIDTH_MAX
 *
 * SOTTO_NO_MEMORY: the system gives no such number of threads; *threads is NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_threads_open(struct sotto_threads **threads, uint32_t width);
void sotto_threads_close(struct sotto_threads *threads); /* not during a run; NULL is harmless */

uint32_t sotto_threads_width(const struct sotto_threads *threads); /* of NULL: 1 */

/*
 * Runs the tasks 0 .. task_count - 1, handed out in their order, and returns when all are done.
 * `threads` NULL: by the caller alone. One run at a time; a task starts none.
 */
void sotto_threads_run(struct sotto_threads *threads, const struct sotto_threads_job *job,
                       size_t task_count);

#endif
