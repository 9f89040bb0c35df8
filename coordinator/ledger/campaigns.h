/* Campaigns as an administrator made them, and where each stands. */
#ifndef SOTTO_COORDINATOR_LEDGER_CAMPAIGNS_H
#define SOTTO_COORDINATOR_LEDGER_CAMPAIGNS_H

#include "coordinator/ledger/ledger.h"
#include "core/wire/plan.h"

enum { SOTTO_DEFINITION_TEXT_MAX = 8 * 1024, SOTTO_CAMPAIGN_REASON_MAX = 255 };

enum sotto_campaign_state {
    SOTTO_CAMPAIGN_CREATED,
    SOTTO_CAMPAIGN_RUNNING,
    SOTTO_CAMPAIGN_PAUSED,
    SOTTO_CAMPAIGN_STOPPED,
    SOTTO_CAMPAIGN_FINISHED,
    SOTTO_CAMPAIGN_STATE_COUNT
};

/* "created" and so on; never NULL. */
const char *sotto_campaign_state_name(enum sotto_campaign_state state);

struct sotto_campaign {
    char name[SOTTO_CAMPAIGN_NAME_MAX + 1];
    char definition[SOTTO_DEFINITION_TEXT_MAX + 1]; /* JSON */
    enum sotto_campaign_state state;
    char reason[SOTTO_CAMPAIGN_REASON_MAX + 1]; /* why paused; "" else */
    uint64_t created_ms;
};

/* SOTTO_MISMATCH: the name is taken. */
SOTTO_CHECKED enum sotto_status sotto_campaigns_add(struct sotto_ledger *ledger,
                                                    const struct sotto_campaign *campaign,
                                                    struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_campaigns_set(struct sotto_ledger *ledger, const char *name,
                                                    enum sotto_campaign_state state,
                                                    const char *reason, uint64_t at_ms,
                                                    struct sotto_fault *fault);
SOTTO_CHECKED enum sotto_status sotto_campaigns_find(struct sotto_ledger *ledger, const char *name,
                                                     struct sotto_campaign *campaign);
/* The one that runs, or SOTTO_NOT_FOUND. */
SOTTO_CHECKED enum sotto_status sotto_campaigns_running(struct sotto_ledger *ledger,
                                                        struct sotto_campaign *campaign);
/* The one with the newest round, running or not. */
SOTTO_CHECKED enum sotto_status sotto_campaigns_newest(struct sotto_ledger *ledger,
                                                       struct sotto_campaign *campaign);
/* When it was last started by hand; 0: never. */
SOTTO_CHECKED enum sotto_status sotto_campaigns_started_ms(struct sotto_ledger *ledger,
                                                           const char *name, uint64_t *at_ms);
SOTTO_CHECKED enum sotto_status sotto_campaigns_walk(
    struct sotto_ledger *ledger,
    void (*visit)(void *context, const struct sotto_campaign *campaign), void *context);

#endif
