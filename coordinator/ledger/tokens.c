#include "coordinator/ledger/tokens.h"

#include <stdio.h>

#include "crypto/primitives/hash.h"

static void secret_digest(struct sotto_digest *out, const uint8_t secret[32])
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 token"), sotto_view_of(secret, 32)};

    sotto_hash(out, parts, 2);
}

enum sotto_status sotto_tokens_issue(struct sotto_ledger *ledger, const struct sotto_token *token,
                                     uint64_t at_ms, struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry = {.at_ms = at_ms, .kind = "token-issued", .campaign = ""};
    char told[sizeof token->site + sizeof token->organisation + 4];
    enum sotto_status status;

    snprintf(told, sizeof told, "%s of %s", token->site, token->organisation);
    entry.bytes = sotto_view_text(told);
    secret_digest(&entry.digest, token->secret);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(&ledger->database, "INSERT INTO tokens VALUES (?, ?, ?, ?, NULL)",
                                 (struct sotto_bind[]){sotto_bind_digest(&entry.digest),
                                                       sotto_bind_text(token->site),
                                                       sotto_bind_text(token->organisation),
                                                       sotto_bind_number(token->expires_s * 1000)},
                                 4, fault);
}

/* What is known of a token. */
struct token_row {
    struct sotto_invitation invitation;
    uint64_t expires_ms;
    uint64_t used_ms;
};

static enum sotto_status token_find(struct sotto_ledger *ledger, const struct sotto_digest *digest,
                                    struct token_row *row)
{
    struct sotto_bind binds[] = {sotto_bind_digest(digest)};
    struct sotto_rows rows;
    enum sotto_status status = sotto_rows_open(
        &rows, &ledger->database,
        "SELECT site, organisation, expires_ms, used_ms FROM tokens WHERE secret_digest = ?", binds,
        1, NULL);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK) {
        sotto_rows_text(&rows, 0, row->invitation.site, sizeof row->invitation.site);
        sotto_rows_text(&rows, 1, row->invitation.organisation,
                        sizeof row->invitation.organisation);
        row->expires_ms = sotto_rows_number(&rows, 2);
        row->used_ms = sotto_rows_number(&rows, 3);
    }
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_tokens_check(struct sotto_ledger *ledger,
                                     struct sotto_invitation *invitation, const uint8_t secret[32],
                                     uint64_t at_ms, struct sotto_fault *fault)
{
    struct sotto_digest digest;
    struct token_row row;
    enum sotto_status status;

    secret_digest(&digest, secret);
    status = token_find(ledger, &digest, &row);
    if (status == SOTTO_NOT_FOUND)
        return sotto_fault_set(fault, SOTTO_REFUSED,
                               "no token has this secret: check that it was copied whole, or ask "
                               "the administrator for another");
    if (status != SOTTO_OK)
        return status;
    if (row.used_ms != 0)
        return sotto_fault_set(fault, SOTTO_REFUSED,
                               "the token for %s has been used: ask the administrator for another",
                               row.invitation.site);
    if (row.expires_ms <= at_ms)
        return sotto_fault_set(fault, SOTTO_REFUSED,
                               "the token for %s has expired: ask the administrator for another",
                               row.invitation.site);
    *invitation = row.invitation;
    return SOTTO_OK;
}

enum sotto_status sotto_tokens_use(struct sotto_ledger *ledger, const uint8_t secret[32],
                                   uint64_t at_ms, struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry = {.at_ms = at_ms, .kind = "token-used", .campaign = ""};
    enum sotto_status status;

    secret_digest(&entry.digest, secret);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "UPDATE tokens SET used_ms = ? WHERE secret_digest = ?",
        (struct sotto_bind[]){sotto_bind_number(at_ms), sotto_bind_digest(&entry.digest)}, 2,
        fault);
}
