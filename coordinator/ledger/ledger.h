/*
 * The journal of a coordinator: what was acknowledged, in order, each entry carrying the hash of
 * the one before. It is the state; every other table is its shadow, changed in the same
 * transaction.
 *
 *     hash_n = SHA-256("sotto/1 entry" || hash_{n-1} || numbers || SHA-256(kind) ||
 *     SHA-256(campaign) || digest
 *              || SHA-256(bytes))
 *
 * Append, change tables, commit, and only then acknowledge. Commit is durable: SQLite's own
 * synchronisation, then HEAD. Any number of entries share one commit.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_LEDGER_H
#define SOTTO_COORDINATOR_LEDGER_LEDGER_H

#include "coordinator/ledger/database.h"
#include "coordinator/ledger/head.h"

struct sotto_ledger {
    struct sotto_database database;
    struct sotto_ledger_head head; /* with what was appended since the last commit */
    struct sotto_ledger_head written;
    char head_path[SOTTO_DATABASE_PATH_MAX];
    int lock;
};

struct sotto_ledger_entry {
    uint64_t sequence; /* out */
    uint64_t at_ms;
    const char *kind;     /* "advert", "site-enrolled" and so on */
    const char *campaign; /* "" where none is meant */
    uint32_t round;
    uint32_t site;
    uint32_t reason;
    struct sotto_digest digest;
    struct sotto_view bytes;
};

/* An empty journal in `folder`, which exists. SOTTO_IO. */
SOTTO_CHECKED enum sotto_status sotto_ledger_create(const char *folder, struct sotto_fault *fault);

/*
 * Takes the folder's lock, opens the journal, checks the whole chain and compares it with HEAD.
 *
 * SOTTO_BUSY: another coordinator runs on this folder; SOTTO_NOT_FOUND: none was made here;
 * SOTTO_FORGED: an entry does not hash to what it says, or acknowledged entries are gone;
 * SOTTO_MALFORMED, SOTTO_IO. Nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_open(struct sotto_ledger *ledger, const char *folder,
                                                  struct sotto_fault *fault);
/*
 * Like open, but takes an unbroken chain as it is, whatever HEAD says, and writes HEAD anew. For an
 * operator who knows that acknowledged entries are lost: the running round must be abandoned after
 * it.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_recover(struct sotto_ledger *ledger,
                                                     const char *folder, struct sotto_fault *fault);
/* What was not committed is gone. */
void sotto_ledger_close(struct sotto_ledger *ledger);

SOTTO_CHECKED enum sotto_status sotto_ledger_append(struct sotto_ledger *ledger,
                                                    struct sotto_ledger_entry *entry,
                                                    struct sotto_fault *fault);
/*
 * After SOTTO_OK everything so far is durable. After a failure nobody knows: the process has to
 * end, and the next start reads what is there.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_commit(struct sotto_ledger *ledger,
                                                    struct sotto_fault *fault);

/*
 * Entries of one round, oldest first; `visit` borrows the entry. A status other than SOTTO_OK ends
 * the walk.
 */
SOTTO_CHECKED enum sotto_status sotto_ledger_replay(
    struct sotto_ledger *ledger, const char *campaign, uint32_t round,
    enum sotto_status (*visit)(void *context, const struct sotto_ledger_entry *entry),
    void *context);

#endif
