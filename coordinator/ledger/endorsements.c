#include "coordinator/ledger/endorsements.h"

#include <string.h>

enum { STATEMENT_BYTES = sizeof(struct sotto_ed25519_public) + sizeof(struct sotto_signature) };

enum sotto_status sotto_endorsements_keep(struct sotto_ledger *ledger,
                                          const struct sotto_endorsement *endorsement,
                                          struct sotto_fault *fault)
{
    struct sotto_view authority =
        sotto_view_of(endorsement->authority.bytes, sizeof endorsement->authority.bytes);
    struct sotto_view signature =
        sotto_view_of(endorsement->signature.bytes, sizeof endorsement->signature.bytes);
    uint8_t statement[STATEMENT_BYTES];
    struct sotto_ledger_entry entry = {.at_ms = endorsement->kept_ms,
                                       .kind = "roster-endorsed",
                                       .campaign = "",
                                       .digest = endorsement->endorsed.roster,
                                       .bytes = sotto_view_of(statement, sizeof statement)};
    enum sotto_status status;

    memcpy(statement, authority.at, authority.length);
    memcpy(statement + authority.length, signature.at, signature.length);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status == SOTTO_OK)
        status =
            sotto_database_change(&ledger->database, "DELETE FROM endorsements", NULL, 0, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "INSERT INTO endorsements VALUES (?, ?, ?, ?, ?)",
        (struct sotto_bind[]){sotto_bind_number(endorsement->endorsed.epoch),
                              sotto_bind_digest(&endorsement->endorsed.roster),
                              sotto_bind_bytes(authority), sotto_bind_bytes(signature),
                              sotto_bind_number(endorsement->kept_ms)},
        5, fault);
}

enum sotto_status sotto_endorsements_newest(struct sotto_ledger *ledger,
                                            struct sotto_endorsement *endorsement)
{
    struct sotto_rows rows;
    enum sotto_status status = sotto_rows_open(
        &rows, &ledger->database,
        "SELECT epoch, roster, authority, signature, kept_ms FROM endorsements", NULL, 0, NULL);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK) {
        struct sotto_endorsed *endorsed = &endorsement->endorsed;

        endorsed->epoch = sotto_rows_number(&rows, 0);
        sotto_rows_exact(&rows, 1, endorsed->roster.bytes, sizeof endorsed->roster.bytes);
        sotto_rows_exact(&rows, 2, endorsement->authority.bytes,
                         sizeof endorsement->authority.bytes);
        sotto_rows_exact(&rows, 3, endorsement->signature.bytes,
                         sizeof endorsement->signature.bytes);
        endorsement->kept_ms = sotto_rows_number(&rows, 4);
    }
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_endorsements_release(struct sotto_ledger *ledger, uint64_t at_ms,
                                             struct sotto_fault *fault)
{
    struct sotto_endorsement held;
    struct sotto_ledger_entry entry = {.at_ms = at_ms, .kind = "roster-released", .campaign = ""};
    enum sotto_status status = sotto_endorsements_newest(ledger, &held);

    if (status == SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, status, "no signed roster is held");
    if (status != SOTTO_OK)
        return status;
    entry.digest = held.endorsed.roster;
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(&ledger->database, "DELETE FROM endorsements", NULL, 0, fault);
}
