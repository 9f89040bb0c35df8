#include "coordinator/ledger/campaigns.h"

#include <stdio.h>
#include <string.h>

static const char campaign_columns[] =
    "SELECT name, definition, state, reason, created_ms FROM campaigns ";

static const char *const state_names[SOTTO_CAMPAIGN_STATE_COUNT] = {"created", "running", "paused",
                                                                    "stopped", "finished"};

const char *sotto_campaign_state_name(enum sotto_campaign_state state)
{
    return state < SOTTO_CAMPAIGN_STATE_COUNT ? state_names[state] : "unknown";
}

static enum sotto_campaign_state state_of_name(const char *name)
{
    for (size_t i = 0; i < SOTTO_CAMPAIGN_STATE_COUNT; i++)
        if (strcmp(state_names[i], name) == 0)
            return (enum sotto_campaign_state)i;
    return SOTTO_CAMPAIGN_STOPPED;
}

static void campaign_read(struct sotto_campaign *campaign, const struct sotto_rows *rows)
{
    char state[16];

    sotto_rows_text(rows, 0, campaign->name, sizeof campaign->name);
    sotto_rows_text(rows, 1, campaign->definition, sizeof campaign->definition);
    sotto_rows_text(rows, 2, state, sizeof state);
    sotto_rows_text(rows, 3, campaign->reason, sizeof campaign->reason);
    campaign->state = state_of_name(state);
    campaign->created_ms = sotto_rows_number(rows, 4);
}

static enum sotto_status campaign_find(struct sotto_ledger *ledger, const char *where,
                                       struct sotto_bind wanted, struct sotto_campaign *campaign)
{
    char sql[256];
    struct sotto_rows rows;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%s%s", campaign_columns, where);
    status = sotto_rows_open(&rows, &ledger->database, sql, &wanted, 1, NULL);
    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK)
        campaign_read(campaign, &rows);
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_campaigns_find(struct sotto_ledger *ledger, const char *name,
                                       struct sotto_campaign *campaign)
{
    return campaign_find(ledger, "WHERE name = ?", sotto_bind_text(name), campaign);
}

enum sotto_status sotto_campaigns_running(struct sotto_ledger *ledger,
                                          struct sotto_campaign *campaign)
{
    return campaign_find(ledger, "WHERE state = ?",
                         sotto_bind_text(state_names[SOTTO_CAMPAIGN_RUNNING]), campaign);
}

enum sotto_status sotto_campaigns_newest(struct sotto_ledger *ledger,
                                         struct sotto_campaign *campaign)
{
    return campaign_find(ledger,
                         "WHERE name = (SELECT campaign FROM rounds WHERE round > ? "
                         "ORDER BY opened_ms DESC, round DESC LIMIT 1)",
                         sotto_bind_number(0), campaign);
}

enum sotto_status sotto_campaigns_started_ms(struct sotto_ledger *ledger, const char *name,
                                             uint64_t *at_ms)
{
    struct sotto_bind binds[] = {sotto_bind_text(name)};
    struct sotto_rows rows;
    enum sotto_status status =
        sotto_rows_open(&rows, &ledger->database,
                        "SELECT max(at_ms) FROM events WHERE campaign = ? AND round = 0 AND "
                        "kind = 'campaign-running'",
                        binds, 1, NULL);

    if (status == SOTTO_OK)
        status = sotto_rows_step(&rows, NULL);
    if (status == SOTTO_OK)
        *at_ms = sotto_rows_number(&rows, 0);
    sotto_rows_close(&rows);
    return status;
}

enum sotto_status sotto_campaigns_walk(struct sotto_ledger *ledger,
                                       void (*visit)(void *context,
                                                     const struct sotto_campaign *campaign),
                                       void *context)
{
    char sql[256];
    struct sotto_rows rows;
    struct sotto_campaign campaign;
    enum sotto_status status;

    snprintf(sql, sizeof sql, "%sORDER BY created_ms, name", campaign_columns);
    status = sotto_rows_open(&rows, &ledger->database, sql, NULL, 0, NULL);
    while (status == SOTTO_OK && (status = sotto_rows_step(&rows, NULL)) == SOTTO_OK) {
        campaign_read(&campaign, &rows);
        visit(context, &campaign);
    }
    sotto_rows_close(&rows);
    return status == SOTTO_NOT_FOUND ? SOTTO_OK : status;
}

enum sotto_status sotto_campaigns_add(struct sotto_ledger *ledger,
                                      const struct sotto_campaign *campaign,
                                      struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry = {.at_ms = campaign->created_ms,
                                       .kind = "campaign-created",
                                       .campaign = campaign->name,
                                       .bytes = sotto_view_text(campaign->definition)};
    struct sotto_campaign taken;
    enum sotto_status status = sotto_campaigns_find(ledger, campaign->name, &taken);

    if (status == SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "there is a campaign called %s already: choose another name",
                               campaign->name);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "INSERT INTO campaigns VALUES (?, ?, ?, '', ?)",
        (struct sotto_bind[]){sotto_bind_text(campaign->name),
                              sotto_bind_text(campaign->definition),
                              sotto_bind_text(state_names[SOTTO_CAMPAIGN_CREATED]),
                              sotto_bind_number(campaign->created_ms)},
        4, fault);
}

enum sotto_status sotto_campaigns_set(struct sotto_ledger *ledger, const char *name,
                                      enum sotto_campaign_state state, const char *reason,
                                      uint64_t at_ms, struct sotto_fault *fault)
{
    char kind[32];
    struct sotto_ledger_entry entry = {
        .at_ms = at_ms, .kind = kind, .campaign = name, .bytes = sotto_view_text(reason)};
    enum sotto_status status;

    snprintf(kind, sizeof kind, "campaign-%s", state_names[state]);
    status = sotto_ledger_append(ledger, &entry, fault);
    if (status != SOTTO_OK)
        return status;
    return sotto_database_change(
        &ledger->database, "UPDATE campaigns SET state = ?, reason = ? WHERE name = ?",
        (struct sotto_bind[]){sotto_bind_text(state_names[state]), sotto_bind_text(reason),
                              sotto_bind_text(name)},
        3, fault);
}
