/*
 * HEAD: the last journal entry that may have been acknowledged, in a file of its own. SQLite alone
 * cannot tell that a shortened write-ahead log lost rows; this can.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_HEAD_H
#define SOTTO_COORDINATOR_LEDGER_HEAD_H

#include "core/base/bytes.h"

struct sotto_ledger_head {
    uint64_t sequence; /* 0: an empty journal */
    struct sotto_digest hash;
};

/* Durable when it returns. */
SOTTO_CHECKED enum sotto_status sotto_ledger_head_write(const char *path,
                                                        const struct sotto_ledger_head *head,
                                                        struct sotto_fault *fault);
/* SOTTO_NOT_FOUND, SOTTO_MALFORMED, SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_ledger_head_read(struct sotto_ledger_head *head,
                                                       const char *path, struct sotto_fault *fault);

#endif
