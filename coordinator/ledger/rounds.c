#include "coordinator/ledger/rounds.h"

#include <stdio.h>
#include <string.h>

static const char round_columns[] =
    "SELECT round, plan, signature, opened_ms, is_last, outcome, reason, mail, ended_ms, cohort, "
    "survivors, adapter, phases, chi2_sum FROM rounds WHERE campaign = ? ";

enum { PHASES_BYTES = SOTTO_ROUND_PHASE_COUNT * 8 };

enum sotto_status sotto_rounds_open(struct sotto_ledger *ledger,
                                    const struct sotto_round_opening *opening,
                                    struct sotto_fault *fault)
{
    static const struct sotto_digest none;
    static const uint8_t phases[PHASES_BYTES];
    struct sotto_ledger_entry entry = {.at_ms = opening->opened_ms,
                                       .kind = "round-opened",
                                       .campaign = opening->campaign,
                                       .round = opening->round,
                                       .bytes = opening->plan};
    enum sotto_status status = sotto_ledger_append(ledger, &entry, fault);

    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database,
        "INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?, 'running', '', NULL, NULL, 0, 0, ?, ?, NULL)",
        (struct sotto_bind[]){sotto_bind_text(opening->campaign), sotto_bind_number(opening->round),
                              sotto_bind_bytes(opening->plan),
                              sotto_bind_bytes(sotto_view_of(opening->signature, 64)),
                              sotto_bind_number(opening->opened_ms),
                              sotto_bind_number(opening->is_last), sotto_bind_digest(&none),
                              sotto_bind_bytes(sotto_view_of(phases, sizeof phases))},
        8, fault);
}

enum sotto_status sotto_rounds_end(struct sotto_ledger *ledger, const char *campaign,
                                   uint32_t round, const struct sotto_round_ending *ending,
                                   struct sotto_fault *fault)
{
    char kind[32];
    struct sotto_ledger_entry entry = {.at_ms = ending->ended_ms,
                                       .kind = kind,
                                       .campaign = campaign,
                                       .round = round,
                                       .digest = ending->adapter,
                                       .bytes = sotto_view_text(ending->reason)};
    const char *outcome = sotto_round_phase_name(ending->outcome);
    enum sotto_status status;

    snprintf(kind, sizeof kind, "round-%s", outcome);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database,
        "UPDATE rounds SET outcome = ?, reason = ?, mail = ?, ended_ms = ?, cohort = ?, "
        "survivors = ?, adapter = ? WHERE campaign = ? AND round = ?",
        (struct sotto_bind[]){sotto_bind_text(outcome), sotto_bind_text(ending->reason),
                              sotto_bind_bytes(ending->mail), sotto_bind_number(ending->ended_ms),
                              sotto_bind_number(ending->cohort),
                              sotto_bind_number(ending->survivors),
                              sotto_bind_digest(&ending->adapter), sotto_bind_text(campaign),
                              sotto_bind_number(round)},
        9, fault);
}

enum sotto_status sotto_rounds_note_phases(struct sotto_ledger *ledger, const char *campaign,
                                           uint32_t round,
                                           const uint64_t began_ms[SOTTO_ROUND_PHASE_COUNT],
                                           struct sotto_fault *fault)
{
    uint8_t phases[PHASES_BYTES];

    for (size_t i = 0; i < SOTTO_ROUND_PHASE_COUNT; i++)
        sotto_store_u64(phases + 8 * i, began_ms[i]);
    return sotto_database_change(
        &ledger->database, "UPDATE rounds SET phases = ? WHERE campaign = ? AND round = ?",
        (struct sotto_bind[]){sotto_bind_bytes(sotto_view_of(phases, sizeof phases)),
                              sotto_bind_text(campaign), sotto_bind_number(round)},
        3, fault);
}

enum sotto_status sotto_rounds_note_chi2(struct sotto_ledger *ledger, const char *campaign,
                                         uint32_t round, double chi2_sum, struct sotto_fault *fault)
{
    return sotto_database_change(
        &ledger->database, "UPDATE rounds SET chi2_sum = ? WHERE campaign = ? AND round = ?",
        (struct sotto_bind[]){sotto_bind_real(chi2_sum), sotto_bind_text(campaign),
                              sotto_bind_number(round)},
        3, fault);
}

enum sotto_status sotto_rounds_note_site(struct sotto_ledger *ledger, const char *campaign,
                                         uint32_t round, const struct sotto_round_site *site,
                                         struct sotto_fault *fault)
{
    return sotto_database_change(
        &ledger->database,
        "INSERT INTO round_sites VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "bytes_in = bytes_in + excluded.bytes_in, bytes_out = bytes_out + excluded.bytes_out, "
        "answered = answered | excluded.answered, survived = survived | excluded.survived, "
        "chi2 = coalesce(excluded.chi2, chi2)",
        (struct sotto_bind[]){sotto_bind_text(campaign), sotto_bind_number(round),
                              sotto_bind_number(site->site), sotto_bind_number(site->bytes_in),
                              sotto_bind_number(site->bytes_out), sotto_bind_number(site->answered),
                              sotto_bind_number(site->survived),
                              site->has_chi2 ? sotto_bind_real(site->chi2) : sotto_bind_null()},
        8, fault);
}

/* At most `capacity` bytes; what is longer was not written here. */
static size_t bytes_read(const struct sotto_rows *rows, int column, uint8_t *out, size_t capacity)
{
    struct sotto_view bytes = sotto_rows_bytes(rows, column);

    if (bytes.length == 0 || bytes.length > capacity)
        return 0;
    memcpy(out, bytes.at, bytes.length);
    return bytes.length;
}

static void round_read(struct sotto_round_row *row, const struct sotto_rows *rows)
{
    uint8_t phases[PHASES_BYTES];

    *row = (struct sotto_round_row){.round = (uint32_t)sotto_rows_number(rows, 0),
                                    .opened_ms = sotto_rows_number(rows, 3),
                                    .is_last = sotto_rows_number(rows, 4) != 0,
                                    .ended_ms = sotto_rows_number(rows, 8),
                                    .cohort = (uint32_t)sotto_rows_number(rows, 9),
                                    .survivors = (uint32_t)sotto_rows_number(rows, 10),
                                    .has_chi2 = !sotto_rows_is_null(rows, 13),
                                    .chi2_sum = sotto_rows_real(rows, 13)};
    row->plan_length = bytes_read(rows, 1, row->plan, sizeof row->plan);
    sotto_rows_exact(rows, 2, row->signature, sizeof row->signature);
    sotto_rows_text(rows, 5, row->outcome, sizeof row->outcome);
    sotto_rows_text(rows, 6, row->reason, sizeof row->reason);
    row->mail_length = bytes_read(rows, 7, row->mail, sizeof row->mail);
    sotto_rows_exact(rows, 11, row->adapter.bytes, sizeof row->adapter.bytes);
    sotto_rows_exact(rows, 12, phases, sizeof phases);
    for (size_t i = 0; i < SOTTO_ROUND_PHASE_COUNT; i++)
        row->began_ms[i] = sotto_load_u64(phases + 8 * i);
}

static enum sotto_status round_find(struct sotto_ledger *ledger, const char *campaign,
                                    const char *which, struct sotto_round_row *row)
{
    struct sotto_bind binds[] = {sotto_bind_text(campaign)};
    char sql[320];
    struct sotto_rows rows;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%s%s", round_columns, which);
    status = sotto_rows_open(&rows, &ledger->database, sql, binds, 1, NULL);
    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK)
        round_read(row, &rows);
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_rounds_newest(struct sotto_ledger *ledger, const char *campaign,
                                      struct sotto_round_row *row)
{
    return round_find(ledger, campaign, "ORDER BY round DESC LIMIT 1", row);
}

enum sotto_status sotto_rounds_newest_ended(struct sotto_ledger *ledger, const char *campaign,
                                            struct sotto_round_row *row)
{
    return round_find(ledger, campaign, "AND mail IS NOT NULL ORDER BY round DESC LIMIT 1", row);
}

enum sotto_status sotto_rounds_walk(struct sotto_ledger *ledger, const char *campaign,
                                    void (*visit)(void *context, const struct sotto_round_row *row),
                                    void *context)
{
    struct sotto_bind binds[] = {sotto_bind_text(campaign)};
    char sql[320];
    struct sotto_rows rows;
    struct sotto_round_row row;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%sORDER BY round", round_columns);
    status = sotto_rows_open(&rows, &ledger->database, sql, binds, 1, NULL);

    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, NULL)) == SOTTO_OK) {
        round_read(&row, &rows);
        visit(context, &row);
    }
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}

enum sotto_status sotto_rounds_walk_sites(
    struct sotto_ledger *ledger, const char *campaign, uint32_t round,
    void (*visit)(void *context, const struct sotto_round_site *site), void *context)
{
    struct sotto_bind binds[] = {sotto_bind_text(campaign), sotto_bind_number(round)};
    struct sotto_rows rows;
    enum sotto_status status = sotto_rows_open(
        &rows, &ledger->database,
        "SELECT site, bytes_in, bytes_out, answered, survived, chi2 FROM round_sites "
        "WHERE campaign = ? AND round = ? ORDER BY site",
        binds, 2, NULL);

    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, NULL)) == SOTTO_OK) {
        struct sotto_round_site site = {.site = (uint32_t)sotto_rows_number(&rows, 0),
                                        .bytes_in = sotto_rows_number(&rows, 1),
                                        .bytes_out = sotto_rows_number(&rows, 2),
                                        .answered = sotto_rows_number(&rows, 3) != 0,
                                        .survived = sotto_rows_number(&rows, 4) != 0,
                                        .has_chi2 = !sotto_rows_is_null(&rows, 5),
                                        .chi2 = sotto_rows_real(&rows, 5)};
        visit(context, &site);
    }
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}
