#include "models/data/csv.h"

#include <string.h>

struct sotto_csv sotto_csv_of(struct sotto_view bytes)
{
    return (struct sotto_csv){sotto_view_after_mark(bytes), 1};
}

static bool begins_with(const struct sotto_csv *csv, uint8_t byte)
{
    return csv->rest.length > 0 && csv->rest.at[0] == byte;
}

static void skip(struct sotto_csv *csv, size_t length)
{
    csv->rest = sotto_view_after(csv->rest, length);
}

/* Takes one end of a line; false: there is none here. */
static bool take_line_end(struct sotto_csv *csv)
{
    size_t length = begins_with(csv, '\r') && csv->rest.length > 1 && csv->rest.at[1] == '\n' ? 2
                    : begins_with(csv, '\n')                                                  ? 1
                                                                                              : 0;

    skip(csv, length);
    csv->line += length > 0;
    return length > 0;
}

static enum sotto_status take_quoted(struct sotto_csv *csv, struct sotto_text *out)
{
    skip(csv, 1);
    for (;;) {
        const uint8_t *quote =
            csv->rest.length == 0 ? NULL : memchr(csv->rest.at, '"', csv->rest.length);
        size_t length = quote == NULL ? 0 : (size_t)(quote - csv->rest.at);

        if (quote == NULL)
            return SOTTO_MALFORMED;
        for (size_t i = 0; i < length; i++)
            csv->line += csv->rest.at[i] == '\n';
        sotto_text_add(out, sotto_view_of(csv->rest.at, length));
        skip(csv, length + 1);
        if (!begins_with(csv, '"'))
            return SOTTO_OK;
        sotto_text_add(out, sotto_view_text("\""));
        skip(csv, 1);
    }
}

static bool ends_field(uint8_t byte)
{
    return byte == ',' || byte == '"' || byte == '\r' || byte == '\n';
}

static enum sotto_status take_field(struct sotto_csv *csv, struct sotto_text *out)
{
    size_t length = 0;

    if (begins_with(csv, '"'))
        return take_quoted(csv, out);
    while (length < csv->rest.length && !ends_field(csv->rest.at[length]))
        length++;
    sotto_text_add(out, sotto_view_of(csv->rest.at, length));
    skip(csv, length);
    return begins_with(csv, '"') ? SOTTO_MALFORMED : SOTTO_OK;
}

static enum sotto_status take_record(struct sotto_csv *csv, struct sotto_csv_record *record)
{
    for (;;) {
        enum sotto_status status;

        if (record->count == SOTTO_CSV_COLUMNS_MAX)
            return SOTTO_OVER_LIMIT;
        status = take_field(csv, &record->bytes);
        if (status != SOTTO_OK)
            return status;
        record->starts[++record->count] = record->bytes.length;
        if (csv->rest.length == 0 || take_line_end(csv))
            return record->bytes.is_short ? SOTTO_NO_MEMORY : SOTTO_OK;
        if (!begins_with(csv, ','))
            return SOTTO_MALFORMED;
        skip(csv, 1);
    }
}

enum sotto_status sotto_csv_next(struct sotto_csv *csv, struct sotto_csv_record *record)
{
    sotto_text_clear(&record->bytes);
    record->count = 0;
    record->starts[0] = 0;
    while (take_line_end(csv))
        continue;
    record->line = csv->line;
    return csv->rest.length == 0 ? SOTTO_OK : take_record(csv, record);
}

void sotto_csv_record_close(struct sotto_csv_record *record)
{
    sotto_text_close(&record->bytes);
    *record = (struct sotto_csv_record){0};
}

struct sotto_view sotto_csv_field(const struct sotto_csv_record *record, size_t column)
{
    size_t length = record->starts[column + 1] - record->starts[column];

    if (length == 0)
        return sotto_view_text("");
    return sotto_view_of(record->bytes.at + record->starts[column], length);
}
