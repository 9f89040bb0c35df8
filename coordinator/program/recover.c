#include "coordinator/program/recover.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "coordinator/enrol/keys.h"
#include "coordinator/ledger/campaigns.h"
#include "coordinator/ledger/rounds.h"
#include "core/base/clock.h"

static const char reason[] = "given up by an operator after the journal lost entries";

/* The outcome that sites of the lost round will hear. */
static enum sotto_status outcome_write(struct sotto_buffer *out, const struct sotto_plan *plan,
                                       const struct sotto_secret *signing)
{
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer body = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_outcome outcome = {.kind = SOTTO_OUTCOME_ABANDONED,
                                    .round = plan->round,
                                    .adapter = plan->adapter,
                                    .layout = plan->layout};
    struct sotto_mail mail = {.kind = SOTTO_MAIL_OUTCOME, .round = plan->round};
    struct sotto_signature signature;
    enum sotto_status status;

    memcpy(outcome.campaign, plan->campaign, sizeof outcome.campaign);
    memcpy(mail.campaign, plan->campaign, sizeof mail.campaign);
    memcpy(outcome.reason, reason, sizeof reason);
    status = sotto_outcome_encode(&body, &outcome);
    if (status != SOTTO_OK)
        return status;
    mail.body = sotto_view_buffer(&body);
    sotto_sign(&signature, signing, "sotto/1 outcome", mail.body);
    memcpy(mail.signature, signature.bytes, sizeof mail.signature);
    return sotto_mail_encode(out, &mail);
}

static enum sotto_status round_give_up(struct sotto_ledger *ledger,
                                       const struct sotto_round_row *row,
                                       const struct sotto_secret *signing, uint64_t at_ms,
                                       struct sotto_fault *fault)
{
    uint8_t bytes[sizeof row->mail];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_round_ending ending = {
        .outcome = SOTTO_ROUND_ABANDONED, .reason = reason, .ended_ms = at_ms};
    struct sotto_plan plan;
    enum sotto_status status = sotto_plan_decode(&plan, sotto_view_of(row->plan, row->plan_length));

    if (status == SOTTO_OK)
        status = outcome_write(&out, &plan, signing);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the outcome of round %" PRIu32 " cannot be written",
                               row->round);
    ending.mail = sotto_view_buffer(&out);
    ending.adapter = plan.adapter;
    return sotto_rounds_end(ledger, plan.campaign, plan.round, &ending, fault);
}

static enum sotto_status journal_mend(struct sotto_ledger *ledger, const struct sotto_keys *keys,
                                      const struct sotto_log *log, struct sotto_fault *fault)
{
    struct sotto_campaign campaign;
    struct sotto_round_row row;
    struct sotto_clock clock;
    enum sotto_status status = SOTTO_OK;

    sotto_clock_init_system(&clock);
    if (sotto_campaigns_running(ledger, &campaign) != SOTTO_OK)
        return SOTTO_OK;
    if (sotto_rounds_newest(ledger, campaign.name, &row) == SOTTO_OK && row.mail_length == 0) {
        sotto_log_write(log, SOTTO_LOG_WARNING, "round %" PRIu32 " of %s is given up", row.round,
                        campaign.name);
        status = round_give_up(ledger, &row, &keys->signing, sotto_clock_wall_ms(&clock), fault);
    }
    if (status == SOTTO_OK)
        status = sotto_campaigns_set(ledger, campaign.name, SOTTO_CAMPAIGN_PAUSED, reason,
                                     sotto_clock_wall_ms(&clock), fault);
    return status == SOTTO_OK ? sotto_ledger_commit(ledger, fault) : status;
}

enum sotto_status sotto_recover_run(const char *folder, const struct sotto_log *log,
                                    struct sotto_fault *fault)
{
    struct sotto_ledger ledger;
    struct sotto_keys keys;
    enum sotto_status status = sotto_ledger_recover(&ledger, folder, fault);

    if (status != SOTTO_OK)
        return status;
    sotto_log_write(log, SOTTO_LOG_INFO, "the journal holds %" PRIu64 " entries",
                    ledger.head.sequence);
    status = sotto_keys_read(&keys, folder, fault);
    if (status == SOTTO_OK) {
        status = journal_mend(&ledger, &keys, log, fault);
        sotto_keys_wipe(&keys);
    }
    sotto_ledger_close(&ledger);
    return status;
}
