/*
 * Comma-separated values, RFC 4180: records end with LF or CRLF, a field in quotes may hold commas,
 * line ends and doubled quotes.
 */
#ifndef SOTTO_MODELS_DATA_CSV_H
#define SOTTO_MODELS_DATA_CSV_H

#include "models/tokenise/text.h"

enum { SOTTO_CSV_COLUMNS_MAX = 256 };

struct sotto_csv {
    struct sotto_view rest;
    size_t line; /* of the next record, from 1 */
};

/* One record; all zero is empty. */
struct sotto_csv_record {
    struct sotto_text bytes; /* the fields, one after another */
    size_t starts[SOTTO_CSV_COLUMNS_MAX + 1];
    size_t count;
    size_t line; /* where it begins */
};

/* A byte order mark at the beginning is passed over. */
struct sotto_csv sotto_csv_of(struct sotto_view bytes);

/*
 * Reads the next record in place of what was in it. After the last one its count is 0. Empty lines
 * are passed over.
 *
 * SOTTO_MALFORMED: a quote inside an unquoted field, something after a closing quote, or one that
 * is missing; SOTTO_OVER_LIMIT: more than SOTTO_CSV_COLUMNS_MAX fields; SOTTO_NO_MEMORY. `record`
 * has the line, the rest is unspecified.
 */
SOTTO_CHECKED enum sotto_status sotto_csv_next(struct sotto_csv *csv,
                                               struct sotto_csv_record *record);
void sotto_csv_record_close(struct sotto_csv_record *record);

/* A field, borrowed until the next record. */
struct sotto_view sotto_csv_field(const struct sotto_csv_record *record, size_t column);

#endif
