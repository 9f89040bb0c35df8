#include "coordinator/ledger/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/file.h"
#include "crypto/primitives/hash.h"

static const char journal_name[] = "journal.sqlite";
static const char head_name[] = "HEAD";

static void entry_hash(struct sotto_digest *out, const struct sotto_digest *previous,
                       const struct sotto_ledger_entry *entry)
{
    uint8_t numbers[8 + 8 + 4 + 4 + 4];
    struct sotto_view texts[] = {sotto_view_text(entry->kind), sotto_view_text(entry->campaign),
                                 entry->bytes};
    struct sotto_digest digests[3];
    struct sotto_view parts[] = {
        sotto_view_text("sotto/1 entry"),       sotto_view_digest(previous),
        sotto_view_of(numbers, sizeof numbers), sotto_view_digest(&digests[0]),
        sotto_view_digest(&digests[1]),         sotto_view_digest(&entry->digest),
        sotto_view_digest(&digests[2])};

    sotto_store_u64(numbers, entry->sequence);
    sotto_store_u64(numbers + 8, entry->at_ms);
    sotto_store_u32(numbers + 16, entry->round);
    sotto_store_u32(numbers + 20, entry->site);
    sotto_store_u32(numbers + 24, entry->reason);
    for (size_t i = 0; i < 3; i++)
        sotto_hash(&digests[i], &texts[i], 1);
    sotto_hash(out, parts, sizeof parts / sizeof parts[0]);
}

/* A row of events with room for its texts. */
struct entry_row {
    struct sotto_ledger_entry entry;
    struct sotto_digest hash;
    char kind[32];
    char campaign[64];
};

static const char entry_columns[] =
    "SELECT sequence, at_ms, kind, campaign, round, site, reason, digest, bytes, hash FROM events ";

static void entry_read(struct entry_row *row, const struct sotto_rows *rows)
{
    sotto_rows_text(rows, 2, row->kind, sizeof row->kind);
    sotto_rows_text(rows, 3, row->campaign, sizeof row->campaign);
    row->entry = (struct sotto_ledger_entry){.sequence = sotto_rows_number(rows, 0),
                                             .at_ms = sotto_rows_number(rows, 1),
                                             .kind = row->kind,
                                             .campaign = row->campaign,
                                             .round = (uint32_t)sotto_rows_number(rows, 4),
                                             .site = (uint32_t)sotto_rows_number(rows, 5),
                                             .reason = (uint32_t)sotto_rows_number(rows, 6),
                                             .bytes = sotto_rows_bytes(rows, 8)};
    sotto_rows_exact(rows, 7, row->entry.digest.bytes, sizeof row->entry.digest.bytes);
    sotto_rows_exact(rows, 9, row->hash.bytes, sizeof row->hash.bytes);
}

enum sotto_status sotto_ledger_replay(
    struct sotto_ledger *ledger, const char *campaign, uint32_t round,
    enum sotto_status (*visit)(void *context, const struct sotto_ledger_entry *entry),
    void *context)
{
    struct sotto_bind binds[] = {sotto_bind_text(campaign), sotto_bind_number(round)};
    char sql[256];
    struct sotto_rows rows;
    struct entry_row row;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%s WHERE campaign = ? AND round = ? ORDER BY sequence",
             entry_columns);
    status = sotto_rows_open(&rows, &ledger->database, sql, binds, 2, NULL);
    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, NULL)) == SOTTO_OK) {
        entry_read(&row, &rows);
        status = visit(context, &row.entry);
    }
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}

/* What a walk over the whole chain found. */
struct chain_walk {
    struct sotto_ledger_head end;
    struct sotto_ledger_head wanted; /* in: the HEAD file's */
    bool saw_wanted; /* the entry that HEAD names stands in the chain, with its hash */
};

static enum sotto_status chain_visit(struct chain_walk *walk, const struct sotto_rows *rows,
                                     const char *path, struct sotto_fault *fault)
{
    struct entry_row row;
    struct sotto_digest hash;

    entry_read(&row, rows);
    entry_hash(&hash, &walk->end.hash, &row.entry);
    if (row.entry.sequence != walk->end.sequence + 1 || !sotto_digest_equal(&hash, &row.hash))
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "%s: entry %" PRIu64 " (%s) is not what was written: the journal is "
                               "damaged; restore it from a backup together with HEAD",
                               path, row.entry.sequence, row.kind);
    walk->end = (struct sotto_ledger_head){.sequence = row.entry.sequence, .hash = hash};
    if (walk->wanted.sequence == row.entry.sequence)
        walk->saw_wanted = sotto_digest_equal(&hash, &walk->wanted.hash);
    return SOTTO_OK;
}

static enum sotto_status chain_check(struct sotto_ledger *ledger, struct chain_walk *walk,
                                     struct sotto_fault *fault)
{
    char sql[256];
    struct sotto_rows rows;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%s ORDER BY sequence", entry_columns);
    walk->saw_wanted = walk->wanted.sequence == 0;
    status = sotto_rows_open(&rows, &ledger->database, sql, NULL, 0, fault);
    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, fault)) == SOTTO_OK)
        status = chain_visit(walk, &rows, ledger->database.path, fault);
    sotto_rows_close(&rows);
    if (status == SOTTO_NOT_FOUND) {
        ledger->head = walk->end;
        return SOTTO_OK;
    }
    return status;
}

static enum sotto_status head_compare(const struct sotto_ledger *ledger,
                                      const struct chain_walk *walk, struct sotto_fault *fault)
{
    if (walk->wanted.sequence > walk->end.sequence)
        return sotto_fault_set(
            fault, SOTTO_FORGED,
            "journal lost acknowledged events %" PRIu64 " to %" PRIu64
            ": %s or its -wal file was shortened; restore both from a backup, or give the running "
            "round up with 'sotto-coordinator recover'",
            walk->end.sequence + 1, walk->wanted.sequence, ledger->database.path);
    if (!walk->saw_wanted)
        return sotto_fault_set(fault, SOTTO_FORGED,
                               "entry %" PRIu64 " of %s is not the one that %s names: they are not "
                               "of the same moment; restore both from one backup",
                               walk->wanted.sequence, ledger->database.path, ledger->head_path);
    return SOTTO_OK;
}

/* The lock, the file and an unbroken chain. */
static enum sotto_status ledger_read(struct sotto_ledger *ledger, const char *folder,
                                     struct chain_walk *walk, struct sotto_fault *fault)
{
    char path[SOTTO_DATABASE_PATH_MAX];
    enum sotto_status status = sotto_path_join(path, sizeof path, folder, journal_name);

    if (status == SOTTO_OK)
        status = sotto_path_join(ledger->head_path, sizeof ledger->head_path, folder, head_name);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "%s: the path is too long", folder);
    if (access(path, F_OK) != 0 && errno != ENOENT && errno != ENOTDIR)
        return sotto_fault_set(fault, SOTTO_IO, "cannot use %s: %s; check who owns it and its mode",
                               path, strerror(errno));
    if (access(path, F_OK) != 0 && walk->wanted.sequence != UINT64_MAX)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "%s is missing: restore it from a backup together with HEAD", path);
    if (access(path, F_OK) != 0)
        return sotto_fault_set(fault, SOTTO_NOT_FOUND,
                               "%s holds no coordinator: make one with 'sotto-coordinator init "
                               "--state %s'",
                               folder, folder);
    status = sotto_folder_lock(&ledger->lock, folder, fault);
    if (status == SOTTO_OK)
        status = sotto_database_open(&ledger->database, path, false, fault);
    if (status == SOTTO_OK)
        status = chain_check(ledger, walk, fault);
    return status;
}

enum sotto_status sotto_ledger_open(struct sotto_ledger *ledger, const char *folder,
                                    struct sotto_fault *fault)
{
    struct chain_walk walk = {0};
    char path[SOTTO_DATABASE_PATH_MAX];
    enum sotto_status status = SOTTO_OK;

    *ledger = (struct sotto_ledger){.lock = -1};
    if (sotto_path_join(path, sizeof path, folder, head_name) == SOTTO_OK &&
        access(path, F_OK) == 0)
        status = sotto_ledger_head_read(&walk.wanted, path, fault);
    else
        walk.wanted.sequence = UINT64_MAX;
    if (status == SOTTO_OK)
        status = ledger_read(ledger, folder, &walk, fault);
    if (status == SOTTO_OK && walk.wanted.sequence == UINT64_MAX)
        status = sotto_fault_set(fault, SOTTO_NOT_FOUND,
                                 "%s is missing, so nobody can tell whether the journal is whole: "
                                 "restore it from a backup together with the journal",
                                 ledger->head_path);
    if (status == SOTTO_OK)
        status = head_compare(ledger, &walk, fault);
    ledger->written = walk.wanted;
    if (status != SOTTO_OK)
        sotto_ledger_close(ledger);
    return status;
}

enum sotto_status sotto_ledger_recover(struct sotto_ledger *ledger, const char *folder,
                                       struct sotto_fault *fault)
{
    struct chain_walk walk = {0};
    enum sotto_status status;

    *ledger = (struct sotto_ledger){.lock = -1};
    status = ledger_read(ledger, folder, &walk, fault);
    if (status == SOTTO_OK)
        status = sotto_ledger_head_write(ledger->head_path, &ledger->head, fault);
    ledger->written = ledger->head;
    if (status != SOTTO_OK)
        sotto_ledger_close(ledger);
    return status;
}

enum sotto_status sotto_ledger_create(const char *folder, struct sotto_fault *fault)
{
    struct sotto_database database;
    char path[SOTTO_DATABASE_PATH_MAX];
    char head_path[SOTTO_DATABASE_PATH_MAX];
    enum sotto_status status;

    if (sotto_path_join(path, sizeof path, folder, journal_name) != SOTTO_OK ||
        sotto_path_join(head_path, sizeof head_path, folder, head_name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long", folder);
    status = sotto_database_open(&database, path, true, fault);
    if (status != SOTTO_OK)
        return status;
    sotto_database_close(&database);
    return sotto_ledger_head_write(head_path, &(struct sotto_ledger_head){0}, fault);
}

void sotto_ledger_close(struct sotto_ledger *ledger)
{
    sotto_database_close(&ledger->database);
    if (ledger->lock >= 0)
        close(ledger->lock);
    ledger->lock = -1;
}

enum sotto_status sotto_ledger_append(struct sotto_ledger *ledger, struct sotto_ledger_entry *entry,
                                      struct sotto_fault *fault)
{
    struct sotto_ledger_head next = {.sequence = ledger->head.sequence + 1};
    enum sotto_status status;

    entry->sequence = next.sequence;
    entry_hash(&next.hash, &ledger->head.hash, entry);
    status = sotto_database_change(
        &ledger->database, "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (struct sotto_bind[]){sotto_bind_number(entry->sequence), sotto_bind_number(entry->at_ms),
                              sotto_bind_text(entry->kind), sotto_bind_text(entry->campaign),
                              sotto_bind_number(entry->round), sotto_bind_number(entry->site),
                              sotto_bind_number(entry->reason), sotto_bind_digest(&entry->digest),
                              sotto_bind_bytes(entry->bytes), sotto_bind_digest(&next.hash)},
        10, fault);
    if (status == SOTTO_OK)
        ledger->head = next;
    return status;
}

enum sotto_status sotto_ledger_commit(struct sotto_ledger *ledger, struct sotto_fault *fault)
{
    enum sotto_status status = sotto_database_commit(&ledger->database, fault);

    if (status != SOTTO_OK || ledger->written.sequence == ledger->head.sequence)
        return status;
    status = sotto_ledger_head_write(ledger->head_path, &ledger->head, fault);
    if (status == SOTTO_OK)
        ledger->written = ledger->head;
    return status;
}
