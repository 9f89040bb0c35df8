/* Senders who wait until their events are durable. */
#ifndef SOTTO_COORDINATOR_DRIVE_OUTBOX_H
#define SOTTO_COORDINATOR_DRIVE_OUTBOX_H

#include <stdbool.h>

#include "core/base/status.h"

/* A sender waits with this for the verdict; the memory is the sender's until `done` or forget. */
struct sotto_receipt {
    void (*done)(struct sotto_receipt *receipt);
    void *context;
    enum sotto_status verdict; /* SOTTO_NOT_FOUND: no such round is running */
    struct sotto_receipt *next;
};

struct sotto_outbox {
    struct sotto_receipt *oldest;
    struct sotto_receipt *newest;
};

/* Borrows the receipt until it is answered or forgotten. */
void sotto_outbox_add(struct sotto_outbox *outbox, struct sotto_receipt *receipt);
/* One that is not there is let be. */
void sotto_outbox_forget(struct sotto_outbox *outbox, const struct sotto_receipt *receipt);
/* In the order in which they came. */
void sotto_outbox_answer(struct sotto_outbox *outbox);

#endif
