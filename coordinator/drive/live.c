#include "coordinator/drive/live.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/drive/entry.h"
#include "coordinator/ledger/campaigns.h"
#include "coordinator/ledger/shelf.h"
#include "coordinator/ledger/versions.h"
#include "core/base/file.h"
#include "crypto/ring/lanes.h"

static enum sotto_status census_open(struct sotto_live *live, const struct sotto_plan *plan,
                                     struct sotto_fault *fault)
{
    uint8_t *bytes;
    size_t length;
    enum sotto_status status = sotto_shelf_read(live->setup.folder, SOTTO_SHELF_ROSTER,
                                                &plan->roster, &bytes, &length, fault);

    if (status != SOTTO_OK)
        return status;
    status = sotto_census_read(&live->census, sotto_view_of(bytes, length));
    free(bytes);
    if (status != SOTTO_OK || !sotto_digest_equal(&live->census.digest, &plan->roster))
        return sotto_fault_set(fault, SOTTO_FORGED, "the roster of round %" PRIu32 " is damaged",
                               plan->round);
    return SOTTO_OK;
}

static enum sotto_status spool_open(struct sotto_live *live, const struct sotto_plan *plan,
                                    struct sotto_fault *fault)
{
    char folder[SOTTO_SPOOL_PATH_MAX];
    char name[SOTTO_CAMPAIGN_NAME_MAX + 32];

    snprintf(name, sizeof name, "spool/%s/%" PRIu32, plan->campaign, plan->round);
    if (sotto_path_join(folder, sizeof folder, live->setup.folder, name) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_OVER_LIMIT, "%s: the path is too long",
                               live->setup.folder);
    return sotto_spool_open(&live->spool, folder,
                            sotto_lanes_packed_bytes(plan->lane_count, plan->ring_bits), fault);
}

static enum sotto_status round_open(struct sotto_live *live, const struct sotto_plan *plan,
                                    struct sotto_fault *fault)
{
    struct sotto_round_setup setup = {.protocol = live->setup.protocol,
                                      .plan_bytes =
                                          sotto_view_of(live->row.plan, live->row.plan_length),
                                      .plan_signature = live->row.signature,
                                      .roster = &live->census.roster,
                                      .signing = &live->setup.keys->signing,
                                      .opened_ms = live->row.opened_ms,
                                      .is_last = live->row.is_last};
    struct sotto_round_effects effects;
    enum sotto_status status =
        sotto_arena_open(&live->arena, sotto_round_bytes(setup.protocol, plan, setup.roster));

    if (status == SOTTO_OK)
        status = sotto_round_open(&live->round, &live->arena, &setup, &effects);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "round %" PRIu32 " of %s cannot be opened: %s",
                               plan->round, plan->campaign, sotto_status_name(status));
    live->deadline_ms = effects.deadline_ms;
    return SOTTO_OK;
}

static enum sotto_status jobs_open(struct sotto_live *live, struct sotto_fault *fault)
{
    struct sotto_jobs_setup setup = {.loop = live->setup.loop,
                                     .protocol = live->setup.protocol,
                                     .round = live->round,
                                     .spool = &live->spool,
                                     .folder = live->setup.folder,
                                     .layout = sotto_view_of(live->layout, live->layout_length),
                                     .definition = &live->definition,
                                     .start_round = live->start_round,
                                     .range_count = live->setup.range_count,
                                     .done = live->setup.done,
                                     .context = live->setup.context};

    if (sotto_jobs_open(&live->jobs, &setup) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the sum of a round");
    return SOTTO_OK;
}

static enum sotto_status definition_read(struct sotto_live *live, const struct sotto_plan *plan,
                                         struct sotto_fault *fault)
{
    struct sotto_campaign campaign;
    struct sotto_fault cause = {0};
    enum sotto_status status = sotto_campaigns_find(live->setup.ledger, plan->campaign, &campaign);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "campaign %s of the running round cannot be read",
                               plan->campaign);
    status =
        sotto_definition_decode(&live->definition, sotto_view_text(campaign.definition), &cause);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "campaign %s has a round running, and %.300s; sotto-coordinator "
                               "recover gives the round up and pauses the campaign",
                               plan->campaign, cause.text);
    return SOTTO_OK;
}

/* A round that is open has made no version yet: the newest is the one that it started from. */
static enum sotto_status start_read(struct sotto_live *live, const struct sotto_plan *plan,
                                    struct sotto_fault *fault)
{
    struct sotto_version version;
    struct sotto_signature signature;
    enum sotto_status status =
        sotto_versions_newest(live->setup.ledger, plan->campaign, &version, &signature);

    if (status == SOTTO_OK)
        live->start_round = version.round;
    if (status == SOTTO_OK || status == SOTTO_NOT_FOUND)
        return SOTTO_OK;
    return sotto_fault_set(fault, status, "the versions of %s cannot be read", plan->campaign);
}

enum sotto_status sotto_live_open(struct sotto_live **out, const struct sotto_live_setup *setup,
                                  const struct sotto_round_row *row, struct sotto_fault *fault)
{
    struct sotto_live *live = calloc(1, sizeof *live);
    struct sotto_plan plan;
    enum sotto_status status;

    *out = NULL;
    if (live == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a round");
    live->setup = *setup;
    live->row = *row;
    status = sotto_plan_decode(&plan, sotto_view_of(row->plan, row->plan_length));
    if (status != SOTTO_OK)
        sotto_fault_set(fault, status, "the plan of round %" PRIu32 " does not parse", row->round);
    if (status == SOTTO_OK)
        status = census_open(live, &plan, fault);
    if (status == SOTTO_OK)
        status = sotto_shelf_read(setup->folder, SOTTO_SHELF_LAYOUT, &plan.layout, &live->layout,
                                  &live->layout_length, fault);
    if (status == SOTTO_OK)
        status = definition_read(live, &plan, fault);
    if (status == SOTTO_OK)
        status = start_read(live, &plan, fault);
    if (status == SOTTO_OK)
        status = spool_open(live, &plan, fault);
    if (status == SOTTO_OK)
        status = round_open(live, &plan, fault);
    if (status == SOTTO_OK)
        status = jobs_open(live, fault);
    if (status == SOTTO_OK)
        *out = live;
    else
        sotto_live_close(live);
    return status;
}

bool sotto_live_is_over(const struct sotto_live *live)
{
    enum sotto_round_phase phase = sotto_round_phase(live->round);

    return phase == SOTTO_ROUND_FINISHED || phase == SOTTO_ROUND_ABANDONED;
}

void sotto_live_close(struct sotto_live *live)
{
    if (live->jobs != NULL)
        sotto_jobs_close(live->jobs);
    if (live->round != NULL && sotto_live_is_over(live))
        sotto_spool_remove(&live->spool);
    sotto_spool_close(&live->spool);
    if (live->round != NULL)
        sotto_round_wipe(live->round);
    sotto_arena_close(&live->arena);
    free(live->layout);
    free(live);
}

/* What both a fresh and a replayed event lead to. */
static void effects_keep(struct sotto_live *live, const struct sotto_round_event *event,
                         const struct sotto_round_effects *effects)
{
    if (effects->deadline_ms != 0) {
        live->deadline_ms = effects->deadline_ms;
        live->is_complete = effects->deadline_ms == event->at_ms;
    }
    if (effects->verdict == SOTTO_OK && event->kind == SOTTO_ROUND_UPLOAD)
        sotto_spool_acknowledge(&live->spool, event->site, &event->digest);
    if (sotto_live_is_over(live))
        sotto_jobs_drop(live->jobs);
    else if (effects->job != SOTTO_ROUND_JOB_NONE)
        sotto_jobs_push(live->jobs, effects->job, effects->job_site, &event->digest);
}

static enum sotto_status entry_visit(void *context, const struct sotto_ledger_entry *entry)
{
    struct sotto_live *live = context;
    struct sotto_round_event event;
    struct sotto_round_effects effects;

    if (sotto_entry_decode(&event, entry) != SOTTO_OK)
        return SOTTO_OK;
    sotto_round_step(live->round, &event, &effects);
    if (!effects.store)
        return SOTTO_MISMATCH;
    effects_keep(live, &event, &effects);
    return SOTTO_OK;
}

enum sotto_status sotto_live_replay(struct sotto_live *live, struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    enum sotto_status status =
        sotto_ledger_replay(live->setup.ledger, plan->campaign, plan->round, entry_visit, live);

    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status,
                               "round %" PRIu32 " of %s cannot be told again from the journal: was "
                               "it written by another version? Give it up with 'sotto-coordinator "
                               "recover'",
                               plan->round, plan->campaign);
    return SOTTO_OK;
}

void sotto_live_count(struct sotto_live *live, uint32_t site, uint64_t bytes_in, uint64_t bytes_out)
{
    const struct sotto_roster_entry *entry = sotto_roster_find(&live->census.roster, site);

    if (entry == NULL)
        return;
    live->traffic[entry - live->census.entries].bytes_in += bytes_in;
    live->traffic[entry - live->census.entries].bytes_out += bytes_out;
}

static enum sotto_status sites_note(struct sotto_live *live, struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    const struct sotto_collector *collector = sotto_round_collector(live->round);
    bool has_cohort = sotto_round_phase_began_ms(live->round, SOTTO_ROUND_SHARING) != 0;
    bool has_survivors = sotto_round_phase_began_ms(live->round, SOTTO_ROUND_INCLUDING) != 0;
    bool is_sharing = sotto_round_phase(live->round) == SOTTO_ROUND_SHARING;
    enum sotto_status status = SOTTO_OK;

    for (size_t i = 0; i < live->census.roster.entry_count && status == SOTTO_OK; i++) {
        uint32_t id = live->census.entries[i].id;
        struct sotto_round_site site = {.site = id,
                                        .bytes_in = live->traffic[i].bytes_in,
                                        .bytes_out = live->traffic[i].bytes_out};

        site.answered = is_sharing && live->setup.protocol->collector_expects(collector, id);
        site.survived =
            has_cohort && has_survivors && live->setup.protocol->collector_survived(collector, id);
        live->traffic[i] = (struct sotto_traffic){0};
        status =
            sotto_rounds_note_site(live->setup.ledger, plan->campaign, plan->round, &site, fault);
    }
    return status;
}

static enum sotto_status ending_store(struct sotto_live *live, uint64_t at_ms,
                                      struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    uint8_t body_bytes[SOTTO_OUTCOME_BYTES_MAX], mail_bytes[sizeof live->row.mail];
    struct sotto_buffer body = sotto_buffer_of(body_bytes, sizeof body_bytes);
    struct sotto_buffer out = sotto_buffer_of(mail_bytes, sizeof mail_bytes);
    struct sotto_round_ending ending = {.outcome = sotto_round_phase(live->round),
                                        .reason = sotto_round_reason(live->round),
                                        .ended_ms = at_ms,
                                        .survivors = sotto_round_survivor_count(live->round)};
    struct sotto_outcome outcome;
    struct sotto_mail mail;
    enum sotto_status status = sotto_round_mail(live->round, 0, SOTTO_MAIL_NONE, &mail, &body);

    if (status == SOTTO_OK)
        status = sotto_mail_encode(&out, &mail);
    if (status == SOTTO_OK)
        status = sotto_outcome_decode(&outcome, mail.body);
    if (status != SOTTO_OK)
        return sotto_fault_set(fault, status, "the outcome of round %" PRIu32 " cannot be written",
                               plan->round);
    ending.mail = sotto_view_buffer(&out);
    ending.adapter = outcome.adapter;
    if (sotto_round_phase_began_ms(live->round, SOTTO_ROUND_SHARING) != 0)
        ending.cohort =
            live->setup.protocol->collector_cohort_count(sotto_round_collector(live->round));
    return sotto_rounds_end(live->setup.ledger, plan->campaign, plan->round, &ending, fault);
}

static enum sotto_status phase_store(struct sotto_live *live, uint64_t at_ms,
                                     struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    uint64_t began_ms[SOTTO_ROUND_PHASE_COUNT];
    enum sotto_status status;

    for (size_t i = 0; i < SOTTO_ROUND_PHASE_COUNT; i++)
        began_ms[i] = sotto_round_phase_began_ms(live->round, (enum sotto_round_phase)i);
    status =
        sotto_rounds_note_phases(live->setup.ledger, plan->campaign, plan->round, began_ms, fault);
    if (status == SOTTO_OK)
        status = sites_note(live, fault);
    if (status == SOTTO_OK && sotto_live_is_over(live))
        status = ending_store(live, at_ms, fault);
    return status;
}

enum sotto_status sotto_live_step(struct sotto_live *live, const struct sotto_round_event *event,
                                  struct sotto_round_effects *effects, struct sotto_fault *fault)
{
    struct sotto_ledger_entry entry;
    enum sotto_status status;

    sotto_round_step(live->round, event, effects);
    if (!effects->store)
        return SOTTO_OK;
    sotto_entry_encode(&entry, sotto_round_plan(live->round), event);
    status = sotto_ledger_append(live->setup.ledger, &entry, fault);
    if (status == SOTTO_OK && effects->mail)
        status = phase_store(live, event->at_ms, fault);
    effects_keep(live, event, effects);
    return status;
}

/* A walk over the sites, for those of the roster that are revoked. */
struct excuse {
    struct sotto_live *live;
    struct sotto_fault *fault;
    enum sotto_status status;
};

static void revoked_leave(void *context, const struct sotto_site *site)
{
    struct excuse *excuse = context;
    struct sotto_round_event event = {
        .kind = SOTTO_ROUND_LEAVE, .at_ms = excuse->live->row.opened_ms, .site = site->id};
    struct sotto_round_effects effects;

    if (site->revoked_ms == 0 || excuse->status != SOTTO_OK ||
        sotto_roster_find(&excuse->live->census.roster, site->id) == NULL)
        return;
    excuse->status = sotto_live_step(excuse->live, &event, &effects, excuse->fault);
}

enum sotto_status sotto_live_excuse(struct sotto_live *live, struct sotto_fault *fault)
{
    struct excuse excuse = {.live = live, .fault = fault};
    enum sotto_status status = sotto_sites_walk(live->setup.ledger, revoked_leave, &excuse);

    return status == SOTTO_OK ? excuse.status : status;
}

static enum sotto_status version_note(struct sotto_live *live, const struct sotto_applied *applied,
                                      struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    struct sotto_version version = {.campaign = plan->campaign,
                                    .round = plan->round,
                                    .adapter = applied->adapter,
                                    .layout = plan->layout,
                                    .weight_sum = applied->weight_sum,
                                    .mean_norm = applied->mean_norm};
    struct sotto_signature signature;

    sotto_version_sign(&signature, &version, &live->setup.keys->signing);
    return sotto_versions_add(live->setup.ledger, &version, &signature, fault);
}

enum sotto_status sotto_live_note(struct sotto_live *live, const struct sotto_job_result *result,
                                  struct sotto_fault *fault)
{
    const struct sotto_plan *plan = sotto_round_plan(live->round);
    struct sotto_round_site site = {.site = result->site, .has_chi2 = true, .chi2 = result->chi2};

    switch (result->kind) {
    case SOTTO_ROUND_JOB_NONE: return SOTTO_OK;
    case SOTTO_ROUND_JOB_ADD:
        return sotto_rounds_note_site(live->setup.ledger, plan->campaign, plan->round, &site,
                                      fault);
    case SOTTO_ROUND_JOB_UNMASK:
        return sotto_rounds_note_chi2(live->setup.ledger, plan->campaign, plan->round, result->chi2,
                                      fault);
    case SOTTO_ROUND_JOB_APPLY: break;
    }
    if (sotto_round_phase(live->round) != SOTTO_ROUND_APPLYING)
        return SOTTO_OK;
    return version_note(live, &result->applied, fault);
}
