/* Jobs whose round ends while they wait for a thread. */
#include <stdlib.h>

#include "tests/coordinator/hub.h"
#include "tests/support/cmocka.h"

/* What the only thread of the pool does until it is let go. */
struct hindrance {
    uv_work_t work;
    uv_sem_t go;
};

static void hinder(uv_work_t *work)
{
    struct hindrance *hindrance = work->data;

    uv_sem_wait(&hindrance->go);
}

static void note(void *context, const struct sotto_job_result *result)
{
    *(struct sotto_job_result *)context = *result;
}

static struct sotto_jobs *jobs_of(struct hub *hub, struct sotto_job_result *result)
{
    const struct sotto_live *live = sotto_drive_live(hub->drive);
    const struct sotto_jobs_setup setup = {.loop = &hub->loop,
                                           .protocol = live->setup.protocol,
                                           .round = live->round,
                                           .spool = &live->spool,
                                           .folder = hub->folder,
                                           .range_count = 1,
                                           .done = note,
                                           .context = result};
    struct sotto_jobs *jobs;

    assert_int_equal(sotto_jobs_open(&jobs, &setup), SOTTO_OK);
    return jobs;
}

/* Delivers the script up to the first upload, which is returned. */
static const struct hub_line *first_upload(struct hub *hub, const struct hub_script *script)
{
    const struct hub_line *line = script->lines;

    for (;; line++) {
        assert_true(hub_reach(hub, hub_phase_of(line)));
        assert_int_equal(hub_deliver(hub, line), SOTTO_OK);
        if (line->kind == SOTTO_ROUND_UPLOAD)
            return line;
    }
}

/* Two are queued; the second one's upload is not there. */
static void drop_while_waiting(struct hub *hub, struct sotto_jobs *jobs,
                               const struct hub_line *line)
{
    struct hindrance hindrance;
    const struct sotto_digest other = {{1}};

    hindrance.work.data = &hindrance;
    assert_int_equal(uv_sem_init(&hindrance.go, 0), 0);
    assert_int_equal(uv_queue_work(&hub->loop, &hindrance.work, hinder, NULL), 0);
    sotto_jobs_push(jobs, SOTTO_ROUND_JOB_ADD, line->site, &line->digest);
    sotto_jobs_push(jobs, SOTTO_ROUND_JOB_ADD, line->site + 100, &other);
    sotto_jobs_run(jobs);
    sotto_jobs_drop(jobs);
    uv_sem_post(&hindrance.go);
    while (sotto_jobs_is_busy(jobs))
        uv_run(&hub->loop, UV_RUN_ONCE);
    uv_sem_destroy(&hindrance.go);
}

static void drop__job_that_waits_for_a_thread__is_the_one_that_was_begun(void **state)
{
    struct hub_script *script = calloc(1, sizeof *script);
    struct sotto_job_result result = {.status = SOTTO_UNEXPECTED};
    struct folder reference, folder;
    const struct hub_line *line;
    struct sotto_jobs *jobs;
    struct hub hub;

    (void)state;
    assert_non_null(script);
    folder_open(&reference);
    hub_script_record(script, reference.path);
    folder_open(&folder);
    hub_make(folder.path);
    hub_open(&hub, folder.path);
    hub_start(&hub);
    line = first_upload(&hub, script);
    jobs = jobs_of(&hub, &result);
    drop_while_waiting(&hub, jobs, line);
    assert_int_equal(result.status, SOTTO_OK);
    assert_int_equal(result.site, line->site);
    sotto_jobs_close(jobs);
    hub_close(&hub);
    folder_close(&folder);
    folder_close(&reference);
    free(script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drop__job_that_waits_for_a_thread__is_the_one_that_was_begun),
    };

    setenv("UV_THREADPOOL_SIZE", "1", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
