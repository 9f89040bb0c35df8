/*
 * What a campaign with noise has cost the privacy of a site that took part in all of it, and what
 * it will have cost at its end. Told to administrators; the sites keep accounts of their own.
 */
#ifndef SOTTO_COORDINATOR_API_SPENDING_H
#define SOTTO_COORDINATOR_API_SPENDING_H

#include <jansson.h>

#include "coordinator/drive/live.h"
#include "coordinator/ledger/campaigns.h"

struct sotto_spending {
    double noise_multiplier;
    double delta;
    uint32_t rounds; /* that came to uploads: finished, abandoned later, or running */
    double rho;
    double epsilon;     /* of those */
    double epsilon_end; /* when the rounds of the definition have finished, too */
};

/* SOTTO_NOT_FOUND: a campaign without noise. `live` may be NULL. */
SOTTO_CHECKED enum sotto_status sotto_spending_of(struct sotto_spending *spending,
                                                  struct sotto_ledger *ledger,
                                                  const struct sotto_campaign *campaign,
                                                  const struct sotto_live *live);

/* As JSON; null without noise. */
json_t *sotto_spending_report(struct sotto_ledger *ledger, const struct sotto_campaign *campaign,
                              const struct sotto_live *live);

#endif
