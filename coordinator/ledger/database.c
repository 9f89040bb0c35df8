#include "coordinator/ledger/database.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char schema[] =
    "CREATE TABLE events (sequence INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,"
    " campaign TEXT NOT NULL, round INTEGER NOT NULL, site INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, digest BLOB NOT NULL, bytes BLOB NOT NULL, hash BLOB NOT NULL)"
    " STRICT;"
    "CREATE INDEX events_of_round ON events (campaign, round);"
    "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " organisation TEXT NOT NULL, identity BLOB NOT NULL, certificate BLOB NOT NULL UNIQUE,"
    " enrolled_ms INTEGER NOT NULL, revoked_ms INTEGER) STRICT;"
    "CREATE UNIQUE INDEX sites_active ON sites (name) WHERE revoked_ms IS NULL;"
    "CREATE TABLE tokens (secret_digest BLOB PRIMARY KEY, site TEXT NOT NULL,"
    " organisation TEXT NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER) STRICT;"
    "CREATE TABLE endorsements (epoch INTEGER PRIMARY KEY, roster BLOB NOT NULL,"
    " authority BLOB NOT NULL, signature BLOB NOT NULL, kept_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE campaigns (name TEXT PRIMARY KEY, definition TEXT NOT NULL, state TEXT NOT NULL,"
    " reason TEXT NOT NULL, created_ms INTEGER NOT NULL) STRICT;"
    "CREATE TABLE rounds (campaign TEXT NOT NULL, round INTEGER NOT NULL, plan BLOB NOT NULL,"
    " signature BLOB NOT NULL, opened_ms INTEGER NOT NULL, is_last INTEGER NOT NULL,"
    " outcome TEXT NOT NULL, reason TEXT NOT NULL, mail BLOB, ended_ms INTEGER,"
    " cohort INTEGER NOT NULL, survivors INTEGER NOT NULL, adapter BLOB NOT NULL,"
    " phases BLOB NOT NULL, chi2_sum REAL, PRIMARY KEY (campaign, round)) STRICT;"
    "CREATE TABLE round_sites (campaign TEXT NOT NULL, round INTEGER NOT NULL, site INTEGER NOT "
    "NULL,"
    " bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL, answered INTEGER NOT NULL,"
    " survived INTEGER NOT NULL, chi2 REAL, PRIMARY KEY (campaign, round, site)) STRICT;"
    "CREATE TABLE versions (campaign TEXT NOT NULL, round INTEGER NOT NULL, adapter BLOB NOT NULL,"
    " layout BLOB NOT NULL, weight_sum INTEGER NOT NULL, mean_norm REAL NOT NULL,"
    " signature BLOB NOT NULL, PRIMARY KEY (campaign, round)) STRICT;"
    "PRAGMA user_version = 3;";

/* The one that the schema sets; 0 is SQLite's for a file that never had tables of ours. */
enum { FORMAT_NONE = 0, FORMAT = 3 };

static const char pragmas[] = "PRAGMA journal_mode = WAL;"
                              "PRAGMA synchronous = FULL;"
                              "PRAGMA trusted_schema = OFF;";

struct sotto_bind sotto_bind_null(void)
{
    return (struct sotto_bind){.kind = SOTTO_BIND_NULL};
}

struct sotto_bind sotto_bind_number(uint64_t number)
{
    return (struct sotto_bind){.kind = SOTTO_BIND_NUMBER, .number = number};
}

struct sotto_bind sotto_bind_real(double real)
{
    return (struct sotto_bind){.kind = SOTTO_BIND_REAL, .real = real};
}

struct sotto_bind sotto_bind_text(const char *text)
{
    return (struct sotto_bind){.kind = SOTTO_BIND_TEXT, .bytes = sotto_view_text(text)};
}

struct sotto_bind sotto_bind_bytes(struct sotto_view bytes)
{
    return (struct sotto_bind){.kind = SOTTO_BIND_BYTES, .bytes = bytes};
}

struct sotto_bind sotto_bind_digest(const struct sotto_digest *digest)
{
    return sotto_bind_bytes(sotto_view_digest(digest));
}

static enum sotto_status fault_of(const struct sotto_database *database, struct sotto_fault *fault)
{
    int code = sqlite3_errcode(database->connection);
    const char *said = sqlite3_errmsg(database->connection);

    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s is damaged (%s): restore it from a backup together with HEAD",
                               database->path, said);
    if (code == SQLITE_FULL)
        return sotto_fault_set(fault, SOTTO_IO,
                               "%s: the disk is full; free some room and start again",
                               database->path);
    if (code == SQLITE_IOERR || code == SQLITE_READONLY || code == SQLITE_CANTOPEN)
        return sotto_fault_set(fault, SOTTO_IO,
                               "%s: %s: check that its disk has room and works, and its mode",
                               database->path, said);
    if (code == SQLITE_ERROR)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "%s is no journal (%s): restore it from a backup together with HEAD",
                               database->path, said);
    return sotto_fault_set(fault, SOTTO_IO, "%s: %s", database->path, said);
}

static enum sotto_status script_run(struct sotto_database *database, const char *sql,
                                    struct sotto_fault *fault)
{
    if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) != SQLITE_OK)
        return fault_of(database, fault);
    return SOTTO_OK;
}

static enum sotto_status format_check(struct sotto_database *database, struct sotto_fault *fault)
{
    struct sotto_rows rows;
    uint64_t format = FORMAT_NONE;
    enum sotto_status status =
        sotto_rows_open(&rows, database, "PRAGMA user_version", NULL, 0, fault);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, fault);
    if (status == SOTTO_OK)
        format = sotto_rows_number(&rows, 0);
    sotto_rows_close(&rows);
    if (status == SOTTO_OK && format != FORMAT && format != FORMAT_NONE)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "%s was made by another version of this program (format %" PRIu64
                               ", this one has %d): run that version, or make a new coordinator",
                               database->path, format, FORMAT);
    return status;
}

enum sotto_status sotto_database_open(struct sotto_database *database, const char *path,
                                      bool create, struct sotto_fault *fault)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (create ? SQLITE_OPEN_CREATE : 0);
    enum sotto_status status;

    *database = (struct sotto_database){0};
    snprintf(database->path, sizeof database->path, "%s", path);
    if (sqlite3_open_v2(path, &database->connection, flags, NULL) != SQLITE_OK) {
        status = sotto_fault_set(fault, create ? SOTTO_IO : SOTTO_NOT_FOUND, "%s does not open: %s",
                                 path, sqlite3_errmsg(database->connection));
        sotto_database_close(database);
        return status;
    }
    status = script_run(database, pragmas, fault);
    if (status == SOTTO_OK && create)
        status = script_run(database, schema, fault);
    if (status == SOTTO_OK)
        status = format_check(database, fault);
    if (status == SOTTO_OK && create && chmod(path, 0600) != 0)
        status = sotto_fault_set(fault, SOTTO_IO, "%s: its mode cannot be set", path);
    if (status != SOTTO_OK)
        sotto_database_close(database);
    return status;
}

void sotto_database_close(struct sotto_database *database)
{
    sqlite3_close(database->connection);
    *database = (struct sotto_database){0};
}

static int value_bind(sqlite3_stmt *statement, int place, const struct sotto_bind *value)
{
    const char *at = value->bytes.at == NULL ? "" : (const char *)value->bytes.at;
    int length = (int)value->bytes.length;

    switch (value->kind) {
    case SOTTO_BIND_NULL: return sqlite3_bind_null(statement, place);
    case SOTTO_BIND_NUMBER:
        return sqlite3_bind_int64(statement, place, (sqlite3_int64)value->number);
    case SOTTO_BIND_REAL: return sqlite3_bind_double(statement, place, value->real);
    case SOTTO_BIND_TEXT: return sqlite3_bind_text(statement, place, at, length, SQLITE_TRANSIENT);
    case SOTTO_BIND_BYTES: return sqlite3_bind_blob(statement, place, at, length, SQLITE_TRANSIENT);
    }
    return SQLITE_MISUSE;
}

enum sotto_status sotto_rows_open(struct sotto_rows *rows, struct sotto_database *database,
                                  const char *sql, const struct sotto_bind *binds, size_t count,
                                  struct sotto_fault *fault)
{
    *rows = (struct sotto_rows){.database = database};
    if (sqlite3_prepare_v2(database->connection, sql, -1, &rows->statement, NULL) != SQLITE_OK)
        return fault_of(database, fault);
    for (size_t i = 0; i < count; i++)
        if (value_bind(rows->statement, (int)i + 1, &binds[i]) != SQLITE_OK)
            return fault_of(database, fault);
    return SOTTO_OK;
}

enum sotto_status sotto_rows_step(struct sotto_rows *rows, struct sotto_fault *fault)
{
    switch (sqlite3_step(rows->statement)) {
    case SQLITE_ROW: return SOTTO_OK;
    case SQLITE_DONE: return SOTTO_NOT_FOUND;
    }
    return fault_of(rows->database, fault);
}

void sotto_rows_close(struct sotto_rows *rows)
{
    sqlite3_finalize(rows->statement);
    rows->statement = NULL;
}

enum sotto_status sotto_database_change(struct sotto_database *database, const char *sql,
                                        const struct sotto_bind *binds, size_t count,
                                        struct sotto_fault *fault)
{
    struct sotto_rows rows;
    enum sotto_status status = SOTTO_OK;

    if (!database->in_transaction)
        status = script_run(database, "BEGIN IMMEDIATE", fault);
    if (status != SOTTO_OK)
        return status;
    database->in_transaction = true;
    status = sotto_rows_open(&rows, database, sql, binds, count, fault);
    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, fault);
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}

enum sotto_status sotto_database_commit(struct sotto_database *database, struct sotto_fault *fault)
{
    enum sotto_status status;

    if (!database->in_transaction)
        return SOTTO_OK;
    status = script_run(database, "COMMIT", fault);
    if (status != SOTTO_OK)
        sqlite3_exec(database->connection, "ROLLBACK", NULL, NULL, NULL);
    database->in_transaction = false;
    return status;
}

bool sotto_rows_is_null(const struct sotto_rows *rows, int column)
{
    return sqlite3_column_type(rows->statement, column) == SQLITE_NULL;
}

uint64_t sotto_rows_number(const struct sotto_rows *rows, int column)
{
    return (uint64_t)sqlite3_column_int64(rows->statement, column);
}

double sotto_rows_real(const struct sotto_rows *rows, int column)
{
    return sqlite3_column_double(rows->statement, column);
}

struct sotto_view sotto_rows_bytes(const struct sotto_rows *rows, int column)
{
    const void *at = sqlite3_column_blob(rows->statement, column);

    return sotto_view_of(at, (size_t)sqlite3_column_bytes(rows->statement, column));
}

void sotto_rows_text(const struct sotto_rows *rows, int column, char *out, size_t capacity)
{
    const unsigned char *text = sqlite3_column_text(rows->statement, column);

    snprintf(out, capacity, "%s", text == NULL ? "" : (const char *)text);
}

void sotto_rows_exact(const struct sotto_rows *rows, int column, uint8_t *out, size_t length)
{
    struct sotto_view bytes = sotto_rows_bytes(rows, column);

    memset(out, 0, length);
    if (bytes.length == length)
        memcpy(out, bytes.at, length);
}
