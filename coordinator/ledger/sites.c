#include "coordinator/ledger/sites.h"

#include <stdio.h>

static const char site_columns[] =
    "SELECT id, name, organisation, identity, certificate, enrolled_ms, revoked_ms FROM sites ";

static void site_read(struct sotto_site *site, const struct sotto_rows *rows)
{
    *site = (struct sotto_site){.id = (uint32_t)sotto_rows_number(rows, 0),
                                .enrolled_ms = sotto_rows_number(rows, 5),
                                .revoked_ms = sotto_rows_number(rows, 6)};
    sotto_rows_text(rows, 1, site->name, sizeof site->name);
    sotto_rows_text(rows, 2, site->organisation, sizeof site->organisation);
    sotto_rows_exact(rows, 3, site->identity, sizeof site->identity);
    sotto_rows_exact(rows, 4, site->certificate.bytes, sizeof site->certificate.bytes);
}

static enum sotto_status site_find(struct sotto_ledger *ledger, const char *where,
                                   struct sotto_bind wanted, struct sotto_site *site)
{
    char sql[256];
    struct sotto_rows rows;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%s%s", site_columns, where);
    status = sotto_rows_open(&rows, &ledger->database, sql, &wanted, 1, NULL);
    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK)
        site_read(site, &rows);
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_sites_by_certificate(struct sotto_ledger *ledger,
                                             const struct sotto_digest *certificate,
                                             struct sotto_site *site)
{
    return site_find(ledger, "WHERE certificate = ?", sotto_bind_digest(certificate), site);
}

enum sotto_status sotto_sites_by_id(struct sotto_ledger *ledger, uint32_t id,
                                    struct sotto_site *site)
{
    return site_find(ledger, "WHERE id = ?", sotto_bind_number(id), site);
}

enum sotto_status sotto_sites_by_name(struct sotto_ledger *ledger, const char *name,
                                      struct sotto_site *site)
{
    return site_find(ledger, "WHERE name = ? AND revoked_ms IS NULL", sotto_bind_text(name), site);
}

enum sotto_status sotto_sites_walk(struct sotto_ledger *ledger,
                                   void (*visit)(void *context, const struct sotto_site *site),
                                   void *context)
{
    char sql[256];
    struct sotto_rows rows;
    struct sotto_site site;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%sORDER BY id", site_columns);
    status = sotto_rows_open(&rows, &ledger->database, sql, NULL, 0, NULL);
    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, NULL)) == SOTTO_OK) {
        site_read(&site, &rows);
        visit(context, &site);
    }
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}

/* One row, two numbers. */
static enum sotto_status site_counts(struct sotto_ledger *ledger, uint64_t *enrolled,
                                     uint64_t *revoked)
{
    struct sotto_rows rows;
    enum sotto_status status = sotto_rows_open(
        &rows, &ledger->database, "SELECT count(*), count(revoked_ms) FROM sites", NULL, 0, NULL);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK) {
        *enrolled = sotto_rows_number(&rows, 0);
        *revoked = sotto_rows_number(&rows, 1);
    }
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_sites_epoch(struct sotto_ledger *ledger, uint64_t *epoch)
{
    uint64_t enrolled, revoked;
    enum sotto_status status = site_counts(ledger, &enrolled, &revoked);

    if (status == SOTTO_OK)
        *epoch = enrolled + revoked;
    return status;
}

enum sotto_status sotto_sites_active(struct sotto_ledger *ledger, uint64_t *count)
{
    uint64_t enrolled, revoked;
    enum sotto_status status = site_counts(ledger, &enrolled, &revoked);

    if (status == SOTTO_OK)
        *count = enrolled - revoked;
    return status;
}

enum sotto_status sotto_sites_add(struct sotto_ledger *ledger, struct sotto_site *site,
                                  struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry = {.at_ms = site->enrolled_ms,
                                       .kind = "site-enrolled",
                                       .campaign = "",
                                       .digest = site->certificate};
    char told[sizeof site->name + sizeof site->organisation + 4];
    struct sotto_site active;
    uint64_t enrolled, revoked;
    enum sotto_status status = site_counts(ledger, &enrolled, &revoked);

    if (status != SOTTO_OK)
        return status;
    if (enrolled - revoked >= SOTTO_ROSTER_MAX)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT,
                               "a coordinator holds at most %d sites: revoke one that is gone",
                               SOTTO_ROSTER_MAX);
    if (sotto_sites_by_name(ledger, site->name, &active) == SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "site %s is enrolled already: revoke it before it enrols anew",
                               site->name);
    site->id = (uint32_t)enrolled + 1;
    entry.site = site->id;
    snprintf(told, sizeof told, "%s of %s", site->name, site->organisation);
    entry.bytes = sotto_view_text(told);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?, NULL)",
        (struct sotto_bind[]){
            sotto_bind_number(site->id), sotto_bind_text(site->name),
            sotto_bind_text(site->organisation),
            sotto_bind_bytes(sotto_view_of(site->identity, sizeof site->identity)),
            sotto_bind_digest(&site->certificate), sotto_bind_number(site->enrolled_ms)},
        6, fault);
}

enum sotto_status sotto_sites_revoke(struct sotto_ledger *ledger, const char *name, uint64_t at_ms,
                                     struct sotto_site *site, struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry = {
        .at_ms = at_ms, .kind = "site-revoked", .campaign = "", .bytes = sotto_view_text(name)};
    enum sotto_status status = sotto_sites_by_name(ledger, name, site);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "there is no active site called %s", name);
    entry.site = site->id;
    entry.digest = site->certificate;
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "UPDATE sites SET revoked_ms = ? WHERE id = ?",
        (struct sotto_bind[]){sotto_bind_number(at_ms), sotto_bind_number(site->id)}, 2, fault);
}
