/*
 * Drives the running campaign: steps its round with what the gate lets through and carries the
 * effects out in one order: store, send, arm a timer, run a job. Nothing is told to anybody before
 * it is stored; what arrives in one turn of the loop shares one commit.
 */
#ifndef SOTTO_COORDINATOR_DRIVE_DRIVE_H
#define SOTTO_COORDINATOR_DRIVE_DRIVE_H

#include "coordinator/drive/epilogue.h"
#include "coordinator/drive/live.h"
#include "coordinator/drive/outbox.h"
#include "coordinator/ledger/campaigns.h"
#include "core/base/clock.h"
#include "core/base/log.h"

struct sotto_drive;

struct sotto_drive_setup {
    uv_loop_t *loop;
    const char *folder;
    struct sotto_ledger *ledger;
    const struct sotto_keys *keys;
    const struct sotto_protocol *protocol;
    const struct sotto_clock *clock;
    struct sotto_entropy *entropy;
    const struct sotto_log *log;
    unsigned range_count;
    /* Stored messages may be waiting for sites. */
    void (*on_mail)(void *context);
    /* The journal cannot be written: the process has to end. Nothing is answered any more. */
    void (*on_broken)(void *context);
    void *context;
};

/*
 * Takes up the running campaign where the journal left it; sotto_drive_settle then sets it going.
 */
SOTTO_CHECKED enum sotto_status sotto_drive_open(struct sotto_drive **drive,
                                                 const struct sotto_drive_setup *setup,
                                                 struct sotto_fault *fault);
/*
 * No job begins any more; `closed` runs on the loop when the last has ended and everything is
 * freed.
 */
void sotto_drive_close(struct sotto_drive *drive, void (*closed)(void *context), void *context);

/*
 * Steps the running round; `done` is called when the event is durable, or was refused. `receipt`
 * may be NULL.
 *
 *   campaign, round  in  what the sender means; NULL: whatever runs
 */
void sotto_drive_submit(struct sotto_drive *drive, const char *campaign, uint32_t round,
                        const struct sotto_round_event *event, struct sotto_receipt *receipt);
/* `done` is called with SOTTO_OK when everything that was submitted before is durable. */
void sotto_drive_await(struct sotto_drive *drive, struct sotto_receipt *receipt);
/* The sender is gone. */
void sotto_drive_forget(struct sotto_drive *drive, const struct sotto_receipt *receipt);

/*
 * Makes durable what is pending and carries the rest out; also for changes that others made in the
 * ledger.
 */
SOTTO_CHECKED enum sotto_status sotto_drive_settle(struct sotto_drive *drive);

/*
 * The encoded mail for a site, appended to `out` (SOTTO_MAIL_BYTES_MAX and more). SOTTO_NOT_FOUND:
 * nothing (yet).
 */
SOTTO_CHECKED enum sotto_status sotto_drive_mail(struct sotto_drive *drive, uint32_t site,
                                                 const struct sotto_mail_seen *seen,
                                                 struct sotto_buffer *out);

/*
 *   is_renewed  in  the server optimiser's moments begin anew, whatever there is of them
 *
 * SOTTO_NOT_FOUND, SOTTO_UNEXPECTED (another campaign runs, this one has finished, or it has no
 * moments to renew), and the statuses of sotto_course_renew; the fault says.
 */
SOTTO_CHECKED enum sotto_status sotto_drive_start(struct sotto_drive *drive, const char *campaign,
                                                  bool is_renewed, struct sotto_fault *fault);
/* A running round is abandoned. */
SOTTO_CHECKED enum sotto_status sotto_drive_stop(struct sotto_drive *drive, const char *campaign,
                                                 struct sotto_fault *fault);
/* A site was revoked: nobody waits for it. */
void sotto_drive_revoke(struct sotto_drive *drive, uint32_t site);

/* The running round; NULL: none. */
struct sotto_live *sotto_drive_live(struct sotto_drive *drive);

#endif
