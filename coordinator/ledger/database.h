/*
 * The one SQLite file of a coordinator, as its tables see it: statements with bound values, rows
 * read in order. WAL, synchronous=FULL, one writer; a transaction opens with the first change and
 * is closed by the ledger's commit.
 */
#ifndef SOTTO_COORDINATOR_LEDGER_DATABASE_H
#define SOTTO_COORDINATOR_LEDGER_DATABASE_H

#include <sqlite3.h>

#include "core/base/bytes.h"

enum { SOTTO_DATABASE_PATH_MAX = 512 };

struct sotto_database {
    sqlite3 *connection;
    char path[SOTTO_DATABASE_PATH_MAX];
    bool in_transaction;
};

/* One value of a statement, by its place. */
struct sotto_bind {
    enum {
        SOTTO_BIND_NULL,
        SOTTO_BIND_NUMBER,
        SOTTO_BIND_REAL,
        SOTTO_BIND_TEXT,
        SOTTO_BIND_BYTES
    } kind;
    uint64_t number; /* below 2^63 */
    double real;
    struct sotto_view bytes;
};

struct sotto_bind sotto_bind_null(void);
struct sotto_bind sotto_bind_number(uint64_t number);
struct sotto_bind sotto_bind_real(double real);
struct sotto_bind sotto_bind_text(const char *text); /* borrowed */
struct sotto_bind sotto_bind_bytes(struct sotto_view bytes);
struct sotto_bind sotto_bind_digest(const struct sotto_digest *digest);

/*
 * Opens the file; makes it, with its tables, only if `create`. SOTTO_IO, SOTTO_NOT_FOUND,
 * SOTTO_MALFORMED (no database), SOTTO_UNSUPPORTED (tables of another version): nothing stays open.
 */
SOTTO_CHECKED enum sotto_status sotto_database_open(struct sotto_database *database,
                                                    const char *path, bool create,
                                                    struct sotto_fault *fault);
void sotto_database_close(struct sotto_database *database);

/*
 * Runs one statement that changes something, inside the open transaction, which it begins if there
 * is none.
 */
SOTTO_CHECKED enum sotto_status sotto_database_change(struct sotto_database *database,
                                                      const char *sql,
                                                      const struct sotto_bind *binds, size_t count,
                                                      struct sotto_fault *fault);
/* SOTTO_OK with nothing open too. After a failure the transaction is rolled back. */
SOTTO_CHECKED enum sotto_status sotto_database_commit(struct sotto_database *database,
                                                      struct sotto_fault *fault);

/*
 * A question. Step while SOTTO_OK; SOTTO_NOT_FOUND ends the rows. sotto_rows_close in any case,
 * also after a failed open.
 */
struct sotto_rows {
    struct sotto_database *database;
    sqlite3_stmt *statement;
};
SOTTO_CHECKED enum sotto_status sotto_rows_open(struct sotto_rows *rows,
                                                struct sotto_database *database, const char *sql,
                                                const struct sotto_bind *binds, size_t count,
                                                struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_rows_step(struct sotto_rows *rows, struct sotto_fault *fault);
void sotto_rows_close(struct sotto_rows *rows);

bool sotto_rows_is_null(const struct sotto_rows *rows, int column);
uint64_t sotto_rows_number(const struct sotto_rows *rows, int column);
double sotto_rows_real(const struct sotto_rows *rows, int column);
/* Borrowed until the next step. */
struct sotto_view sotto_rows_bytes(const struct sotto_rows *rows, int column);
/* Copies with a terminating zero; longer text is cut. */
void sotto_rows_text(const struct sotto_rows *rows, int column, char *out, size_t capacity);
/* Exactly `length` bytes, or zeros. */
void sotto_rows_exact(const struct sotto_rows *rows, int column, uint8_t *out, size_t length);

#endif
