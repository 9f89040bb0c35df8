/*
 * The round that runs: the machine with everything it borrows, its spool and its jobs. Opened anew
 * from the timetable, or again from the journal.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_LIVE_H
#define SOTTO_COORDINATOR_DRIVE_LIVE_H

#include "coordinator/drive/jobs.h"
#include "coordinator/enrol/census.h"
#include "coordinator/enrol/keys.h"
#include "coordinator/ledger/rounds.h"

struct sotto_live_setup {
    uv_loop_t *loop;
    const char *folder;
    struct sotto_ledger *ledger;
    const struct sotto_keys *keys;
    const struct sotto_protocol *protocol;
    unsigned range_count;
    void (*done)(void *context, const struct sotto_job_result *result);
    void *context;
};

/* HTTP body bytes of one site in this round since they were last noted in the ledger. */
struct sotto_traffic {
    uint64_t bytes_in;
    uint64_t bytes_out;
};

struct sotto_live {
    struct sotto_live_setup setup;
    struct sotto_round_row row; /* plan, signature */
    struct sotto_census census;
    struct sotto_arena arena;
    struct sotto_spool spool;
    uint8_t *layout;
    size_t layout_length;
    struct sotto_definition definition; /* of the campaign */
    uint32_t start_round;               /* that made the version which this one started from */
    struct sotto_round *round;
    struct sotto_jobs *jobs;
    uint64_t deadline_ms;                           /* the timer's */
    bool is_complete;                               /* everybody has answered: it is due at once */
    struct sotto_traffic traffic[SOTTO_ROSTER_MAX]; /* by place in the roster */
};

/*
 * Opens the round of `row` in the state of its beginning; its roster and layout are on their
 * shelves. A failure names the file and leaves *live NULL.
 */
SOTTO_CHECKED enum sotto_status sotto_live_open(struct sotto_live **live,
                                                const struct sotto_live_setup *setup,
                                                const struct sotto_round_row *row,
                                                struct sotto_fault *fault);
/*
 * Lets the roster's sites that were revoked since it was signed leave a round that has just been
 * opened, so that it does not wait for them; in the open transaction.
 */
SOTTO_CHECKED enum sotto_status sotto_live_excuse(struct sotto_live *live,
                                                  struct sotto_fault *fault);

/*
 * Steps through the round's entries in the journal; jobs are queued again, the deadline is as it
 * was.
 */
SOTTO_CHECKED enum sotto_status sotto_live_replay(struct sotto_live *live,
                                                  struct sotto_fault *fault);

/*
 * Steps one event and puts what must be stored into the open transaction: the event, and with a new
 * phase the times, traffic and, at the end, the outcome. Jobs are queued, not run.
 *
 * A status other than SOTTO_OK is the ledger's: nothing may be acknowledged any more.
 */
SOTTO_CHECKED enum sotto_status sotto_live_step(struct sotto_live *live,
                                                const struct sotto_round_event *event,
                                                struct sotto_round_effects *effects,
                                                struct sotto_fault *fault);

/*
 * Puts what a job found into the open transaction: chi-square of an upload or of the sum, the new
 * version. The event that tells of it comes after.
 */
SOTTO_CHECKED enum sotto_status sotto_live_note(struct sotto_live *live,
                                                const struct sotto_job_result *result,
                                                struct sotto_fault *fault);

bool sotto_live_is_over(const struct sotto_live *live);
void sotto_live_count(struct sotto_live *live, uint32_t site, uint64_t bytes_in,
                      uint64_t bytes_out);

/* Not while jobs are busy. The spool goes if the round is over. */
void sotto_live_close(struct sotto_live *live);

#endif
