#include "participant/ledger/history.h"

#include <string.h>

#include "crypto/privacy/accountant.h"

enum {
    CAMPAIGN_NONE = SOTTO_HISTORY_CAMPAIGNS_MAX,
    GAP_GROUP_BITS = 7,
    GAP_LOW_BITS = 0x7f,
    GAP_GOES_ON = 0x80,
    GAP_BYTES_MAX = 5,
};

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

static size_t gap_write(uint8_t *out, uint32_t gap)
{
    size_t length = 0;

    while (gap > GAP_LOW_BITS) {
        out[length++] = (uint8_t)(gap | GAP_GOES_ON);
        gap >>= GAP_GROUP_BITS;
    }
    out[length++] = (uint8_t)gap;
    return length;
}

static size_t gap_read(uint32_t *gap, const uint8_t *in)
{
    size_t length = 0;
    unsigned shift = 0;

    *gap = 0;
    while (in[length] & GAP_GOES_ON) {
        *gap |= (uint32_t)(in[length++] & GAP_LOW_BITS) << shift;
        shift += GAP_GROUP_BITS;
    }
    *gap |= (uint32_t)in[length++] << shift;
    return length;
}

static size_t members_length(const struct sotto_record *record)
{
    uint8_t gap[GAP_BYTES_MAX];
    size_t length = 0;

    for (size_t i = 0; i < record->member_count; i++)
        length += gap_write(gap, record->members[i] - (i > 0 ? record->members[i - 1] : 0));
    return length;
}

static struct sotto_history_reveal *reveal_at(struct sotto_history *history, size_t number)
{
    return &history->reveals[number % SOTTO_HISTORY_REVEALS_MAX];
}

/* The oldest give way: the pool is written round and round. */
static void room_make(struct sotto_history *history, size_t length)
{
    if (history->reveal_count - history->reveal_first == SOTTO_HISTORY_REVEALS_MAX)
        history->reveal_first++;
    if (history->pool_used + length > SOTTO_HISTORY_POOL_BYTES) {
        while (history->reveal_first < history->reveal_count &&
               reveal_at(history, history->reveal_first)->at >= history->pool_used)
            history->reveal_first++;
        history->pool_used = 0;
    }
    while (history->reveal_first < history->reveal_count &&
           reveal_at(history, history->reveal_first)->at >= history->pool_used &&
           reveal_at(history, history->reveal_first)->at < history->pool_used + length)
        history->reveal_first++;
}

static void reveal_add(struct sotto_history *history, size_t campaign,
                       const struct sotto_record *record)
{
    size_t length = members_length(record);
    struct sotto_history_reveal *reveal;

    room_make(history, length);
    reveal = reveal_at(history, history->reveal_count++);
    *reveal = (struct sotto_history_reveal){.campaign = campaign,
                                            .start = record->start,
                                            .member_count = record->member_count,
                                            .at = history->pool_used,
                                            .length = length};
    for (size_t i = 0; i < record->member_count; i++)
        history->pool_used += gap_write(history->pool + history->pool_used,
                                        record->members[i] - (i > 0 ? record->members[i - 1] : 0));
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
static size_t distance(const struct sotto_history *history,
                       const struct sotto_history_reveal *reveal,
                       const struct sotto_history_cohort *cohort)
{
    const uint8_t *at = history->pool + reveal->at;
    size_t shared = 0;
    size_t right = 0;
    uint32_t member = 0;

    for (size_t left = 0; left < reveal->member_count; left++) {
        uint32_t gap;

        at += gap_read(&gap, at);
        member += gap;
        while (right < cohort->member_count && cohort->members[right] < member)
            right++;
        shared += right < cohort->member_count && cohort->members[right] == member;
    }
    return reveal->member_count + cohort->member_count - 2 * shared;
}

bool sotto_history_is_close(const struct sotto_history *history,
                            const struct sotto_history_cohort *cohort, uint32_t distance_min,
                            bool is_strict)
{
    size_t campaign = campaign_find(history, cohort->campaign);

    for (size_t number = history->reveal_first; number < history->reveal_count; number++) {
        const struct sotto_history_reveal *reveal =
            &history->reveals[number % SOTTO_HISTORY_REVEALS_MAX];
        bool counts = sotto_digest_equal(&reveal->start, &cohort->start) ||
                      (is_strict && reveal->campaign == campaign);
        size_t apart = counts ? distance(history, reveal, cohort) : 0;

        if (apart >= 1 && apart < distance_min)
            return true;
    }
    return false;
}
