/* Every task once, `after` in order, workers for themselves; with any width, run after run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/threads/threads.h"

enum { TASKS = 200, RUNS = 50 };

static const uint32_t widths[] = {1, 2, 3, 7};
enum { WIDTHS = sizeof widths / sizeof widths[0] };

/* What the tasks of one run leave. */
struct trace {
    atomic_uint times[TASKS];
    atomic_bool is_busy[SOTTO_THREADS_WIDTH_MAX];
    atomic_bool has_clash;
    atomic_uint workers_max; /* the largest number of a worker, plus one */
    uint32_t worker_of[TASKS];
    size_t order[TASKS]; /* of `after` */
    size_t ended;
};

static void work(void *context, size_t task, uint32_t worker)
{
    struct trace *trace = context;
    unsigned largest = atomic_load(&trace->workers_max);
    volatile double sum = 0.0;

    if (atomic_exchange(&trace->is_busy[worker], true))
        atomic_store(&trace->has_clash, true);
    while (worker >= largest &&
           !atomic_compare_exchange_weak(&trace->workers_max, &largest, worker + 1))
        ;
    /* Tasks of unequal length, so that later ones end before earlier ones. */
    for (size_t i = 0; i < (task % 5 == 0 ? 20000 : 10); i++)
        sum = sum + 1.0;
    atomic_fetch_add(&trace->times[task], 1);
    trace->worker_of[task] = worker;
    atomic_store(&trace->is_busy[worker], false);
}

static void after(void *context, size_t task, uint32_t worker)
{
    struct trace *trace = context;

    assert_int_equal(trace->worker_of[task], worker);
    trace->order[trace->ended++] = task;
}

static void check_run(struct sotto_threads *threads, size_t task_count)
{
    static struct trace trace;
    struct sotto_threads_job job = {work, after, &trace};

    trace = (struct trace){.ended = 0};
    sotto_threads_run(threads, &job, task_count);
    assert_int_equal(trace.ended, task_count);
    for (size_t task = 0; task < task_count; task++) {
        assert_int_equal(atomic_load(&trace.times[task]), 1);
        assert_int_equal(trace.order[task], task);
    }
    assert_false(atomic_load(&trace.has_clash));
    assert_true(atomic_load(&trace.workers_max) <= sotto_threads_width(threads));
}

static void threads__any_width__each_task_once_and_ended_in_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < WIDTHS; i++) {
        struct sotto_threads *threads;

        assert_int_equal(sotto_threads_open(&threads, widths[i]), SOTTO_OK);
        assert_int_equal(sotto_threads_width(threads), widths[i]);
        for (size_t run = 0; run < RUNS; run++)
            check_run(threads, run % 4 == 0 ? run % 5 : TASKS);
        sotto_threads_close(threads);
    }
}

static void threads__none__the_caller_does_it_all(void **state)
{
    (void)state;
    assert_int_equal(sotto_threads_width(NULL), 1);
    check_run(NULL, TASKS);
    check_run(NULL, 0);
    sotto_threads_close(NULL);
}

/* Two tasks that wait for each other end only if two threads have them. */
static void meet(void *context, size_t task, uint32_t worker)
{
    atomic_uint *arrived = context;

    (void)task;
    (void)worker;
    atomic_fetch_add(arrived, 1);
    while (atomic_load(arrived) < 2)
        ;
}

static void threads__two_threads__work_at_the_same_time(void **state)
{
    struct sotto_threads *threads;
    atomic_uint arrived = 0;
    struct sotto_threads_job job = {meet, NULL, &arrived};

    (void)state;
    assert_int_equal(sotto_threads_open(&threads, 2), SOTTO_OK);
    sotto_threads_run(threads, &job, 2);
    assert_int_equal(atomic_load(&arrived), 2);
    sotto_threads_close(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads__any_width__each_task_once_and_ended_in_order),
        cmocka_unit_test(threads__none__the_caller_does_it_all),
        cmocka_unit_test(threads__two_threads__work_at_the_same_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
