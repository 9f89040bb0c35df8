#include "coordinator/api/spending.h"

#include <string.h>

#include "coordinator/schedule/definition.h"
#include "crypto/privacy/accountant.h"

struct tally {
    const char *campaign;
    const struct sotto_live *live;
    uint32_t charged;
    uint32_t finished;
};

static bool is_uploading(const struct sotto_live *live, const char *campaign, uint32_t round)
{
    const struct sotto_plan *plan;

    if (live == NULL)
        return false;
    plan = sotto_round_plan(live->round);
    return plan->round == round && strcmp(plan->campaign, campaign) == 0 &&
           sotto_round_phase_began_ms(live->round, SOTTO_ROUND_UPLOADING) != 0;
}

static void round_count(void *context, const struct sotto_round_row *row)
{
    struct tally *tally = context;
    bool is_finished = strcmp(row->outcome, "finished") == 0;

    tally->finished += is_finished;
    tally->charged += is_finished || row->began_ms[SOTTO_ROUND_UPLOADING] != 0 ||
                      is_uploading(tally->live, tally->campaign, row->round);
}

static double rho_of(uint32_t rounds, double noise_multiplier)
{
    double rho = 0;

    for (uint32_t round = 0; round < rounds; round++)
        rho = sotto_accountant_add(rho, sotto_accountant_charge(noise_multiplier));
    return rho;
}

enum sotto_status sotto_spending_of(struct sotto_spending *spending, struct sotto_ledger *ledger,
                                    const struct sotto_campaign *campaign,
                                    const struct sotto_live *live)
{
    struct sotto_definition definition;
    struct tally tally = {.campaign = campaign->name, .live = live};
    uint32_t left;
    enum sotto_status status =
        sotto_definition_decode(&definition, sotto_view_text(campaign->definition), NULL);

    if (status == SOTTO_OK && definition.noise_multiplier == 0)
        status = SOTTO_NOT_FOUND;
    if (status == SOTTO_OK)
        status = sotto_rounds_walk(ledger, campaign->name, round_count, &tally);
    if (status != SOTTO_OK)
        return status;
    left = definition.rounds > tally.finished ? definition.rounds - tally.finished : 0;
    *spending = (struct sotto_spending){.noise_multiplier = definition.noise_multiplier,
                                        .delta = definition.privacy_delta,
                                        .rounds = tally.charged,
                                        .rho = rho_of(tally.charged, definition.noise_multiplier)};
    spending->epsilon = sotto_accountant_epsilon(spending->rho, spending->delta);
    spending->epsilon_end = sotto_accountant_epsilon(
        rho_of(tally.charged + left, definition.noise_multiplier), spending->delta);
    return SOTTO_OK;
}

json_t *sotto_spending_report(struct sotto_ledger *ledger, const struct sotto_campaign *campaign,
                              const struct sotto_live *live)
{
    struct sotto_spending spending;

    if (sotto_spending_of(&spending, ledger, campaign, live) != SOTTO_OK)
        return json_null();
    return json_pack("{s:f, s:f, s:I, s:f, s:f, s:f}", "noise_multiplier",
                     spending.noise_multiplier, "delta", spending.delta, "rounds",
                     (json_int_t)spending.rounds, "rho", spending.rho, "epsilon", spending.epsilon,
                     "epsilon_end", spending.epsilon_end);
}
