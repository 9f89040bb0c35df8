#include "coordinator/api/report.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/api/spending.h"
#include "coordinator/ledger/campaigns.h"
#include "coordinator/ledger/sites.h"

static void site_add(void *context, const struct sotto_site *site)
{
    json_t *sites = context;
    char certificate[SOTTO_DIGEST_HEX], identity[SOTTO_DIGEST_HEX];

    sotto_digest_hex(certificate, &site->certificate);
    sotto_hex_encode(identity, sotto_view_of(site->identity, sizeof site->identity));
    json_array_append_new(
        sites, json_pack("{s:I, s:s, s:s, s:s, s:s, s:I, s:b}", "id", (json_int_t)site->id, "name",
                         site->name, "organisation", site->organisation, "identity", identity,
                         "certificate", certificate, "enrolled_ms", (json_int_t)site->enrolled_ms,
                         "revoked", site->revoked_ms != 0));
}

json_t *sotto_report_sites(struct sotto_ledger *ledger)
{
    json_t *sites = json_array();

    if (sotto_sites_walk(ledger, site_add, sites) != SOTTO_OK) {
        json_decref(sites);
        return NULL;
    }
    return json_pack("{s:o}", "sites", sites);
}

/* Where a walk over rounds and their sites puts what it finds. */
struct report {
    struct sotto_ledger *ledger;
    const struct sotto_live *live;
    const char *campaign;
    uint64_t now_ms;
    json_t *list;
};

static void round_site_add(void *context, const struct sotto_round_site *row)
{
    struct report *report = context;
    struct sotto_site site;
    json_t *chi2 = row->has_chi2 ? json_real(row->chi2) : json_null();

    if (sotto_sites_by_id(report->ledger, row->site, &site) != SOTTO_OK)
        memset(&site, 0, sizeof site);
    json_array_append_new(report->list,
                          json_pack("{s:s, s:I, s:I, s:b, s:b, s:o}", "name", site.name, "bytes_in",
                                    (json_int_t)row->bytes_in, "bytes_out",
                                    (json_int_t)row->bytes_out, "answered", row->answered,
                                    "survived", row->survived, "chi2", chi2));
}

/* From the beginning of each phase to that of the next one; the last goes on until now. */
static json_t *phase_seconds(const struct sotto_round_row *row, uint64_t now_ms)
{
    json_t *seconds = json_object();

    for (size_t phase = 0; phase < SOTTO_ROUND_FINISHED; phase++) {
        uint64_t until_ms = row->ended_ms != 0 ? row->ended_ms : now_ms;

        if (row->began_ms[phase] == 0)
            continue;
        for (size_t next = phase + 1; next < SOTTO_ROUND_PHASE_COUNT; next++)
            if (row->began_ms[next] != 0) {
                until_ms = row->began_ms[next];
                break;
            }
        if (until_ms < row->began_ms[phase])
            until_ms = row->began_ms[phase];
        json_object_set_new(seconds, sotto_round_phase_name((enum sotto_round_phase)phase),
                            json_real((double)(until_ms - row->began_ms[phase]) / 1000));
    }
    return seconds;
}

static bool is_live(const struct sotto_live *live, const char *campaign, uint32_t round)
{
    const struct sotto_plan *plan;

    if (live == NULL)
        return false;
    plan = sotto_round_plan(live->round);
    return plan->round == round && strcmp(plan->campaign, campaign) == 0;
}

/* A round that runs shows what the machine knows now. */
static void live_overlay(struct sotto_round_row *row, const struct sotto_live *live)
{
    for (size_t phase = 0; phase < SOTTO_ROUND_PHASE_COUNT; phase++)
        row->began_ms[phase] =
            sotto_round_phase_began_ms(live->round, (enum sotto_round_phase)phase);
    if (row->began_ms[SOTTO_ROUND_SHARING] != 0)
        row->cohort =
            live->setup.protocol->collector_cohort_count(sotto_round_collector(live->round));
    row->survivors = sotto_round_survivor_count(live->round);
}

static uint32_t plan_lane_count(const struct sotto_round_row *row)
{
    struct sotto_plan plan;

    if (sotto_plan_decode(&plan, sotto_view_of(row->plan, row->plan_length)) != SOTTO_OK)
        return 0;
    return plan.lane_count;
}

static void round_add(void *context, const struct sotto_round_row *kept)
{
    struct report *report = context;
    struct sotto_round_row row = *kept;
    struct report sites = *report;
    const char *phase = row.outcome;
    char adapter[SOTTO_DIGEST_HEX];

    sites.list = json_array();
    if (is_live(report->live, report->campaign, row.round)) {
        live_overlay(&row, report->live);
        phase = sotto_round_phase_name(sotto_round_phase(report->live->round));
    }
    (void)!sotto_rounds_walk_sites(report->ledger, report->campaign, row.round, round_site_add,
                                   &sites);
    sotto_digest_hex(adapter, &row.adapter);
    json_array_append_new(
        report->list, json_pack("{s:I, s:s, s:s, s:s, s:I, s:I, s:s, s:o, s:o, s:o, s:I}", "round",
                                (json_int_t)row.round, "outcome", row.outcome, "phase", phase,
                                "reason", row.reason, "cohort", (json_int_t)row.cohort, "survivors",
                                (json_int_t)row.survivors, "adapter", adapter, "phase_seconds",
                                phase_seconds(&row, report->now_ms), "sites", sites.list,
                                "chi2_sum", row.has_chi2 ? json_real(row.chi2_sum) : json_null(),
                                "lane_count", (json_int_t)plan_lane_count(&row)));
}

json_t *sotto_report_campaign(struct sotto_ledger *ledger, const struct sotto_live *live,
                              const char *name, uint64_t now_ms)
{
    struct sotto_campaign campaign;
    struct report report = {.ledger = ledger, .live = live, .campaign = name, .now_ms = now_ms};

    if (sotto_campaigns_find(ledger, name, &campaign) != SOTTO_OK)
        return NULL;
    report.list = json_array();
    (void)!sotto_rounds_walk(ledger, name, round_add, &report);
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o}", "name", campaign.name, "state",
                     sotto_campaign_state_name(campaign.state), "reason", campaign.reason,
                     "definition", json_loads(campaign.definition, 0, NULL), "privacy",
                     sotto_spending_report(ledger, &campaign, live), "rounds", report.list);
}

static void campaign_add(void *context, const struct sotto_campaign *campaign)
{
    json_array_append_new(context, json_pack("{s:s, s:s, s:s}", "name", campaign->name, "state",
                                             sotto_campaign_state_name(campaign->state), "reason",
                                             campaign->reason));
}

static void active_count(void *context, const struct sotto_site *site)
{
    json_int_t *count = context;

    *count += site->revoked_ms == 0;
}

static json_t *round_brief(const struct sotto_live *live)
{
    const struct sotto_plan *plan;

    if (live == NULL)
        return json_null();
    plan = sotto_round_plan(live->round);
    return json_pack("{s:s, s:I, s:s}", "campaign", plan->campaign, "round",
                     (json_int_t)plan->round, "phase",
                     sotto_round_phase_name(sotto_round_phase(live->round)));
}

json_t *sotto_report_status(struct sotto_ledger *ledger, const struct sotto_live *live)
{
    json_t *campaigns = json_array();
    json_int_t sites = 0;

    (void)!sotto_campaigns_walk(ledger, campaign_add, campaigns);
    (void)!sotto_sites_walk(ledger, active_count, &sites);
    return json_pack("{s:s, s:I, s:I, s:o, s:o}", "status", "serving", "sites", sites,
                     "journal_entries", (json_int_t)ledger->head.sequence, "round",
                     round_brief(live), "campaigns", campaigns);
}
