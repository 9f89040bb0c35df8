#include "participant/ledger/history.h"

#include <string.h>

#include "crypto/privacy/accountant.h"

enum { CAMPAIGN_NONE = SOTTO_HISTORY_CAMPAIGNS_MAX };

static size_t campaign_find(const struct sotto_history *history, const char *name)
{
    for (size_t index = 0; index < history->campaign_count; index++)
        if (strcmp(history->campaigns[index].name, name) == 0)
            return index;
    return CAMPAIGN_NONE;
}

static size_t campaign_place(struct sotto_history *history, const char *name)
{
    size_t index = campaign_find(history, name);

    if (index != CAMPAIGN_NONE || history->campaign_count == SOTTO_HISTORY_CAMPAIGNS_MAX)
        return index;
    index = history->campaign_count++;
    memset(&history->campaigns[index], 0, sizeof history->campaigns[index]);
    memcpy(history->campaigns[index].name, name, strnlen(name, SOTTO_CAMPAIGN_NAME_MAX));
    return index;
}

static void reveal_add(struct sotto_history *history, size_t campaign,
                       const struct sotto_record *record)
{
    struct sotto_history_reveal *reveal =
        &history->reveals[history->reveal_count++ % SOTTO_HISTORY_REVEALS_MAX];

    reveal->campaign = campaign;
    reveal->start = record->start;
    reveal->member_count = record->member_count;
    memcpy(reveal->members, record->members, record->member_count * sizeof *record->members);
}

static void raise_to(uint32_t *round, uint32_t reached)
{
    if (*round < reached)
        *round = reached;
}

static void refusal_add(struct sotto_history *history, const struct sotto_record *record)
{
    history->refusal_count++;
    history->refused =
        (struct sotto_history_refusal){.round = record->round, .refusal = record->refusal};
    memcpy(history->refused.campaign, record->campaign, sizeof record->campaign);
}

static void charge_add(struct sotto_history *history, const struct sotto_record *record)
{
    if (record->charge > 0)
        history->rho = sotto_accountant_add(history->rho, record->charge);
    else
        history->plain_count++;
}

void sotto_history_add(struct sotto_history *history, const struct sotto_record *record)
{
    size_t campaign = CAMPAIGN_NONE;

    if (record->kind == SOTTO_RECORD_REFUSED) {
        refusal_add(history, record);
        return;
    }
    if (record->roster_epoch > history->roster_epoch)
        history->roster_epoch = record->roster_epoch;
    if (record->kind == SOTTO_RECORD_UPLOADED)
        charge_add(history, record);
    campaign = campaign_place(history, record->campaign);
    if (campaign == CAMPAIGN_NONE)
        return;
    switch (record->kind) {
    case SOTTO_RECORD_JOINED:
    case SOTTO_RECORD_ANSWERED:
    case SOTTO_RECORD_UPLOADED: break;
    case SOTTO_RECORD_REVEALED: reveal_add(history, campaign, record); break;
    case SOTTO_RECORD_ADOPTED:
        raise_to(&history->campaigns[campaign].adopted, record->round);
        return;
    case SOTTO_RECORD_REFUSED:
    case SOTTO_RECORD_KIND_COUNT: return;
    }
    raise_to(&history->campaigns[campaign].round, record->round);
}

bool sotto_history_is_new_round(const struct sotto_history *history, const char *campaign,
                                uint32_t round)
{
    size_t index = campaign_find(history, campaign);

    if (index == CAMPAIGN_NONE)
        return history->campaign_count < SOTTO_HISTORY_CAMPAIGNS_MAX;
    return round > history->campaigns[index].round;
}

bool sotto_history_is_new_adapter(const struct sotto_history *history, const char *campaign,
                                  uint32_t round)
{
    size_t index = campaign_find(history, campaign);

    if (index == CAMPAIGN_NONE)
        return history->campaign_count < SOTTO_HISTORY_CAMPAIGNS_MAX;
    return round > history->campaigns[index].adopted;
}

bool sotto_history_wants_refusal(const struct sotto_history *history,
                                 const struct sotto_history_refusal *refusal)
{
    const struct sotto_history_refusal *last = &history->refused;

    if (history->refusal_count >= SOTTO_HISTORY_REFUSALS_MAX)
        return false;
    return history->refusal_count == 0 || last->refusal != refusal->refusal ||
           last->round != refusal->round || strcmp(last->campaign, refusal->campaign) != 0;
}

/* Members of exactly one of the two; both ascend. */
static size_t distance(const struct sotto_history_reveal *reveal,
                       const struct sotto_history_cohort *cohort)
{
    size_t left = 0;
    size_t right = 0;
    size_t apart = 0;

    while (left < reveal->member_count && right < cohort->member_count) {
        uint32_t low = reveal->members[left];
        uint32_t high = cohort->members[right];

        apart += low != high;
        left += low <= high;
        right += high <= low;
    }
    return apart + (reveal->member_count - left) + (cohort->member_count - right);
}

bool sotto_history_is_close(const struct sotto_history *history,
                            const struct sotto_history_cohort *cohort, uint32_t distance_min,
                            bool is_strict)
{
    size_t campaign = campaign_find(history, cohort->campaign);
    size_t held = history->reveal_count < SOTTO_HISTORY_REVEALS_MAX ? history->reveal_count
                                                                    : SOTTO_HISTORY_REVEALS_MAX;

    for (size_t index = 0; index < held; index++) {
        const struct sotto_history_reveal *reveal = &history->reveals[index];
        bool counts = sotto_digest_equal(&reveal->start, &cohort->start) ||
                      (is_strict && reveal->campaign == campaign);
        size_t apart = counts ? distance(reveal, cohort) : 0;

        if (apart >= 1 && apart < distance_min)
            return true;
    }
    return false;
}
