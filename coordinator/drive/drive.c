#include "coordinator/drive/drive.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drive/course.h"
#include "coordinator/drive/opening.h"

/* How long sites may need to notice that a coordinator is back, whatever the deadline was. */
enum { RESTART_GRACE_MS = 10000 };

struct sotto_drive {
    struct sotto_drive_setup setup;
    uv_check_t check;
    uv_timer_t timer;
    struct sotto_live *live;
    struct sotto_outbox outbox;
    bool is_stored; /* nothing waits for a commit */
    bool has_mail;
    bool is_broken;
    bool is_closing;
    unsigned handles_open;
    uint64_t armed_ms; /* what the timer stands for; 0: it rests */
    struct sotto_epilogue epilogue;
    void (*closed)(void *context);
    void *closed_context;
};

static uint64_t now_ms(const struct sotto_drive *drive)
{
    return sotto_clock_wall_ms(drive->setup.clock);
}

/*
 * The journal failed: what was stepped may not be told, and only the next start knows what was
 * kept.
 */
static void drive_break(struct sotto_drive *drive, const struct sotto_fault *fault)
{
    if (drive->is_broken)
        return;
    drive->is_broken = true;
    drive->outbox = (struct sotto_outbox){0};
    sotto_log_write(drive->setup.log, SOTTO_LOG_ERROR, "the journal cannot be written: %s",
                    fault->text);
    drive->setup.on_broken(drive->setup.context);
}

static struct sotto_live_setup live_setup(struct sotto_drive *drive);

static void phase_log(const struct sotto_drive *drive)
{
    const struct sotto_plan *plan = sotto_round_plan(drive->live->round);
    const char *reason = sotto_round_reason(drive->live->round);

    sotto_log_write(drive->setup.log, SOTTO_LOG_INFO, "%s round %" PRIu32 ": %s%s%s",
                    plan->campaign, plan->round,
                    sotto_round_phase_name(sotto_round_phase(drive->live->round)),
                    reason[0] == '\0' ? "" : ": ", reason);
}

static enum sotto_status event_step(struct sotto_drive *drive,
                                    const struct sotto_round_event *event)
{
    struct sotto_round_effects effects;
    struct sotto_fault fault;

    if (sotto_live_step(drive->live, event, &effects, &fault) != SOTTO_OK) {
        drive_break(drive, &fault);
        return SOTTO_IO;
    }
    if (effects.store)
        drive->is_stored = false;
    if (effects.mail) {
        drive->has_mail = true;
        phase_log(drive);
    }
    for (uint32_t i = 0; i < effects.liar_count; i++)
        sotto_log_write(drive->setup.log, SOTTO_LOG_WARNING,
                        "site %" PRIu32 " revealed a share that is wrong", effects.liars[i]);
    return effects.verdict;
}

static bool is_meant(const struct sotto_drive *drive, const char *campaign, uint32_t round)
{
    const struct sotto_plan *plan;

    if (drive->live == NULL || campaign == NULL)
        return drive->live != NULL;
    plan = sotto_round_plan(drive->live->round);
    return strcmp(plan->campaign, campaign) == 0 && plan->round == round;
}

void sotto_drive_submit(struct sotto_drive *drive, const char *campaign, uint32_t round,
                        const struct sotto_round_event *event, struct sotto_receipt *receipt)
{
    enum sotto_status verdict = SOTTO_NOT_FOUND;

    if (drive->is_broken)
        return;
    if (is_meant(drive, campaign, round))
        verdict = event_step(drive, event);
    if (receipt == NULL || drive->is_broken)
        return;
    receipt->verdict = verdict;
    sotto_outbox_add(&drive->outbox, receipt);
}

void sotto_drive_await(struct sotto_drive *drive, struct sotto_receipt *receipt)
{
    if (drive->is_broken)
        return;
    receipt->verdict = SOTTO_OK;
    sotto_outbox_add(&drive->outbox, receipt);
}

void sotto_drive_forget(struct sotto_drive *drive, const struct sotto_receipt *receipt)
{
    sotto_outbox_forget(&drive->outbox, receipt);
}

static enum sotto_status round_begin(struct sotto_drive *drive,
                                     const struct sotto_definition *definition,
                                     const struct sotto_progress *progress,
                                     struct sotto_fault *fault)
{
    struct sotto_live_setup setup = live_setup(drive);
    struct sotto_opening opening = {.folder = drive->setup.folder,
                                    .ledger = drive->setup.ledger,
                                    .signing = &drive->setup.keys->signing,
                                    .entropy = drive->setup.entropy,
                                    .now_ms = now_ms(drive)};
    struct sotto_round_row row;
    enum sotto_status status = sotto_opening_make(&row, &opening, definition, progress, fault);

    if (status == SOTTO_OK)
        status = sotto_live_open(&drive->live, &setup, &row, fault);
    if (status == SOTTO_OK)
        status = sotto_rounds_open(
            drive->setup.ledger,
            &(struct sotto_round_opening){.campaign = definition->name,
                                          .round = row.round,
                                          .plan = sotto_view_of(row.plan, row.plan_length),
                                          .signature = row.signature,
                                          .opened_ms = row.opened_ms,
                                          .is_last = row.is_last},
            fault);
    if (status == SOTTO_OK)
        status = sotto_live_excuse(drive->live, fault);
    if (status != SOTTO_OK)
        return status;
    drive->is_stored = false;
    drive->has_mail = true;
    phase_log(drive);
    return SOTTO_OK;
}

static struct sotto_course_ground ground_of(const struct sotto_drive *drive)
{
    return (struct sotto_course_ground){drive->setup.folder, drive->setup.ledger,
                                        &drive->setup.keys->signer};
}

/* The campaign's next step: another round, its end, or a pause. */
static enum sotto_status campaign_advance(struct sotto_drive *drive,
                                          const struct sotto_campaign *campaign,
                                          struct sotto_fault *fault)
{
    const struct sotto_course_ground ground = ground_of(drive);
    struct sotto_course course;
    enum sotto_campaign_state state;
    enum sotto_status status =
        sotto_course_read(&course, &ground, campaign, drive->epilogue.row.reason, fault);

    if (status != SOTTO_OK)
        return status;
    if (course.next == SOTTO_NEXT_ROUND)
        return round_begin(drive, &course.definition, &course.progress, fault);
    state = course.next == SOTTO_NEXT_PAUSE ? SOTTO_CAMPAIGN_PAUSED : SOTTO_CAMPAIGN_FINISHED;
    drive->is_stored = false;
    sotto_log_write(drive->setup.log, SOTTO_LOG_INFO, "campaign %s is %s%s%s", campaign->name,
                    sotto_campaign_state_name(state), course.reason[0] == '\0' ? "" : ": ",
                    course.reason);
    return sotto_campaigns_set(drive->setup.ledger, campaign->name, state, course.reason,
                               now_ms(drive), fault);
}

/* A round that is over gives way to the next; false: nothing moved. */
static bool round_advance(struct sotto_drive *drive)
{
    struct sotto_campaign campaign;
    struct sotto_fault fault;
    enum sotto_status status;

    if (drive->is_closing || (drive->live != NULL && (!sotto_live_is_over(drive->live) ||
                                                      sotto_jobs_is_busy(drive->live->jobs))))
        return false;
    if (drive->live != NULL) {
        sotto_epilogue_read(&drive->epilogue, drive->setup.ledger,
                            sotto_round_plan(drive->live->round)->campaign);
        sotto_live_close(drive->live);
        drive->live = NULL;
    }
    if (sotto_campaigns_running(drive->setup.ledger, &campaign) != SOTTO_OK)
        return false;
    status = campaign_advance(drive, &campaign, &fault);
    if (status != SOTTO_OK)
        drive_break(drive, &fault);
    return status == SOTTO_OK;
}

static void on_timer(uv_timer_t *timer);

static void timer_arm(struct sotto_drive *drive)
{
    uint64_t due_ms = drive->live == NULL ? 0 : drive->live->deadline_ms;
    uint64_t now = now_ms(drive);

    if (due_ms == drive->armed_ms)
        return;
    drive->armed_ms = due_ms;
    uv_timer_stop(&drive->timer);
    if (due_ms != 0)
        uv_timer_start(&drive->timer, on_timer, due_ms > now ? due_ms - now : 0, 0);
}

enum sotto_status sotto_drive_settle(struct sotto_drive *drive)
{
    struct sotto_fault fault;

    do {
        if (!drive->is_broken && sotto_ledger_commit(drive->setup.ledger, &fault) != SOTTO_OK)
            drive_break(drive, &fault);
        if (drive->is_broken)
            return SOTTO_IO;
        drive->is_stored = true;
        sotto_outbox_answer(&drive->outbox);
        if (drive->has_mail) {
            drive->has_mail = false;
            drive->setup.on_mail(drive->setup.context);
        }
        timer_arm(drive);
        if (drive->live != NULL && !drive->is_closing)
            sotto_jobs_run(drive->live->jobs);
    } while (round_advance(drive));
    return drive->is_broken ? SOTTO_IO : SOTTO_OK;
}

static void on_check(uv_check_t *check)
{
    struct sotto_drive *drive = check->data;

    if (!drive->is_stored || drive->outbox.oldest != NULL)
        (void)!sotto_drive_settle(drive);
}

static void on_timer(uv_timer_t *timer)
{
    struct sotto_drive *drive = timer->data;
    struct sotto_round_event event = {.kind = SOTTO_ROUND_DEADLINE, .at_ms = now_ms(drive)};

    if (drive->live == NULL || drive->is_closing)
        return;
    if (event.at_ms < drive->armed_ms)
        event.at_ms = drive->armed_ms;
    drive->armed_ms = 0;
    drive->live->deadline_ms = 0;
    sotto_drive_submit(drive, NULL, 0, &event, NULL);
    (void)!sotto_drive_settle(drive);
}

static void job_take(struct sotto_drive *drive, const struct sotto_job_result *result)
{
    struct sotto_round_event event = {.at_ms = now_ms(drive)};
    struct sotto_fault fault;

    if (result->status != SOTTO_OK) {
        sotto_log_write(drive->setup.log, SOTTO_LOG_ERROR, "%s", result->fault.text);
        event.kind = SOTTO_ROUND_BROKEN;
        event.bytes = sotto_view_text(result->fault.text);
        sotto_drive_submit(drive, NULL, 0, &event, NULL);
        return;
    }
    if (sotto_live_note(drive->live, result, &fault) != SOTTO_OK) {
        drive_break(drive, &fault);
        return;
    }
    if (result->kind == SOTTO_ROUND_JOB_ADD)
        return;
    event.kind = SOTTO_ROUND_SUM_READY;
    if (result->kind == SOTTO_ROUND_JOB_APPLY) {
        event.kind = SOTTO_ROUND_APPLIED;
        event.digest = result->applied.adapter;
    }
    sotto_drive_submit(drive, NULL, 0, &event, NULL);
}

static void close_finish(struct sotto_drive *drive);

static void on_job_done(void *context, const struct sotto_job_result *result)
{
    struct sotto_drive *drive = context;

    if (drive->is_closing || drive->is_broken) {
        close_finish(drive);
        return;
    }
    job_take(drive, result);
    (void)!sotto_drive_settle(drive);
}

static struct sotto_live_setup live_setup(struct sotto_drive *drive)
{
    return (struct sotto_live_setup){.loop = drive->setup.loop,
                                     .folder = drive->setup.folder,
                                     .ledger = drive->setup.ledger,
                                     .keys = drive->setup.keys,
                                     .protocol = drive->setup.protocol,
                                     .range_count = drive->setup.range_count,
                                     .done = on_job_done,
                                     .context = drive};
}

static enum sotto_status live_mail(struct sotto_drive *drive, uint32_t site,
                                   const struct sotto_mail_seen *seen, struct sotto_buffer *out)
{
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    bool is_same = is_meant(drive, seen->campaign, seen->round);
    struct sotto_mail mail;
    enum sotto_status status = sotto_round_mail(
        drive->live->round, site, is_same ? seen->kind : SOTTO_MAIL_NONE, &mail, &body);

    return status == SOTTO_OK ? sotto_mail_encode(out, &mail) : status;
}

enum sotto_status sotto_drive_mail(struct sotto_drive *drive, uint32_t site,
                                   const struct sotto_mail_seen *seen, struct sotto_buffer *out)
{
    bool is_before = sotto_epilogue_is_of(&drive->epilogue, seen);
    bool has_outcome = is_before && seen->kind == SOTTO_MAIL_OUTCOME;

    if (drive->is_broken || !drive->is_stored)
        return SOTTO_NOT_FOUND;
    /* Whoever took part in the round before hears how it ended, then of the next. */
    if (drive->live != NULL && (!is_before || has_outcome))
        return live_mail(drive, site, seen, out);
    return has_outcome ? SOTTO_NOT_FOUND : sotto_epilogue_mail(&drive->epilogue, out);
}

enum sotto_status sotto_drive_start(struct sotto_drive *drive, const char *name, bool is_renewed,
                                    struct sotto_fault *fault)
{
    const struct sotto_course_ground ground = ground_of(drive);
    struct sotto_campaign campaign;
    enum sotto_status status = SOTTO_OK;

    if (sotto_campaigns_running(drive->setup.ledger, &campaign) == SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED,
                               "campaign %s is running: one runs at a time; stop it first",
                               campaign.name);
    if (sotto_campaigns_find(drive->setup.ledger, name, &campaign) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND, "there is no campaign called %s", name);
    if (campaign.state == SOTTO_CAMPAIGN_FINISHED)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED,
                               "campaign %s has finished: create another one", name);
    if (is_renewed)
        status = sotto_course_renew(&ground, &campaign, fault);
    if (status != SOTTO_OK)
        return status;
    drive->is_stored = false;
    return sotto_campaigns_set(drive->setup.ledger, name, SOTTO_CAMPAIGN_RUNNING, "", now_ms(drive),
                               fault);
}

enum sotto_status sotto_drive_stop(struct sotto_drive *drive, const char *name,
                                   struct sotto_fault *fault)
{
    struct sotto_round_event event = {.kind = SOTTO_ROUND_BROKEN,
                                      .at_ms = now_ms(drive),
                                      .bytes =
                                          sotto_view_text("an administrator stopped the campaign")};
    struct sotto_campaign campaign;

    if (sotto_campaigns_find(drive->setup.ledger, name, &campaign) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND, "there is no campaign called %s", name);
    if (campaign.state != SOTTO_CAMPAIGN_RUNNING)
        return sotto_fault_set(fault, SOTTO_UNEXPECTED, "campaign %s is not running: it is %s",
                               name, sotto_campaign_state_name(campaign.state));
    sotto_drive_submit(drive, NULL, 0, &event, NULL);
    drive->is_stored = false;
    return sotto_campaigns_set(drive->setup.ledger, name, SOTTO_CAMPAIGN_STOPPED,
                               "an administrator stopped the campaign", now_ms(drive), fault);
}

void sotto_drive_revoke(struct sotto_drive *drive, uint32_t site)
{
    struct sotto_round_event event = {
        .kind = SOTTO_ROUND_LEAVE, .at_ms = now_ms(drive), .site = site};

    sotto_drive_submit(drive, NULL, 0, &event, NULL);
}

struct sotto_live *sotto_drive_live(struct sotto_drive *drive)
{
    return drive->live;
}

/* The round that the journal left open, told again; then the loop takes over. */
static enum sotto_status campaign_resume(struct sotto_drive *drive, struct sotto_fault *fault)
{
    struct sotto_live_setup setup = live_setup(drive);
    struct sotto_campaign campaign;
    struct sotto_round_row row;
    enum sotto_status status = sotto_campaigns_newest(drive->setup.ledger, &campaign);

    if (status != SOTTO_OK)
        return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
    sotto_epilogue_read(&drive->epilogue, drive->setup.ledger, campaign.name);
    status = sotto_rounds_newest(drive->setup.ledger, campaign.name, &row);
    if (status != SOTTO_OK || row.mail_length > 0)
        return status;
    status = sotto_live_open(&drive->live, &setup, &row, fault);
    if (status == SOTTO_OK)
        status = sotto_live_replay(drive->live, fault);
    if (status == SOTTO_OK)
        phase_log(drive);
    return status;
}

static void restart_grace(struct sotto_drive *drive)
{
    uint64_t soonest_ms = now_ms(drive) + RESTART_GRACE_MS;

    if (drive->live != NULL && drive->live->deadline_ms != 0 && !drive->live->is_complete &&
        drive->live->deadline_ms < soonest_ms)
        drive->live->deadline_ms = soonest_ms;
}

enum sotto_status sotto_drive_open(struct sotto_drive **out, const struct sotto_drive_setup *setup,
                                   struct sotto_fault *fault)
{
    struct sotto_drive *drive = calloc(1, sizeof *drive);
    enum sotto_status status;

    *out = NULL;
    if (drive == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the coordinator");
    drive->setup = *setup;
    status = campaign_resume(drive, fault);
    if (status != SOTTO_OK) {
        if (drive->live != NULL)
            sotto_live_close(drive->live);
        free(drive);
        return status;
    }
    restart_grace(drive);
    drive->check.data = drive;
    drive->timer.data = drive;
    drive->handles_open = 2;
    uv_check_init(setup->loop, &drive->check);
    uv_timer_init(setup->loop, &drive->timer);
    uv_check_start(&drive->check, on_check);
    *out = drive;
    return SOTTO_OK;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct sotto_drive *drive = handle->data;
    void (*closed)(void *context) = drive->closed;
    void *context = drive->closed_context;

    if (--drive->handles_open > 0)
        return;
    free(drive);
    closed(context);
}

static void close_finish(struct sotto_drive *drive)
{
    if (!drive->is_closing || (drive->live != NULL && sotto_jobs_is_busy(drive->live->jobs)))
        return;
    if (drive->live != NULL)
        sotto_live_close(drive->live);
    drive->live = NULL;
    uv_close((uv_handle_t *)&drive->check, on_handle_closed);
    uv_close((uv_handle_t *)&drive->timer, on_handle_closed);
}

void sotto_drive_close(struct sotto_drive *drive, void (*closed)(void *context), void *context)
{
    drive->is_closing = true;
    drive->closed = closed;
    drive->closed_context = context;
    close_finish(drive);
}
