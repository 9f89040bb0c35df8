/*
 * What a site remembers of earlier rounds, rebuilt from its ledger: the newest roster, the highest
 * round of each campaign, the newest adapter it kept, and the members of the sums that it helped to
 * open.
 */
#ifndef SOTTO_PARTICIPANT_LEDGER_HISTORY_H
#define SOTTO_PARTICIPANT_LEDGER_HISTORY_H

#include "participant/ledger/record.h"

enum {
    SOTTO_HISTORY_CAMPAIGNS_MAX = 256,
    SOTTO_HISTORY_REVEALS_MAX = 128,
    /* Room for as many sums of 8,000 ids that follow one another; of larger ones fewer are held. */
    SOTTO_HISTORY_POOL_BYTES = 1024 * 1024,
    SOTTO_HISTORY_REFUSALS_MAX = 65536, /* records; about 12 MiB of a ledger */
};

struct sotto_history_campaign {
    char name[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;   /* the highest it took part in */
    uint32_t adopted; /* the highest whose adapter it kept */
};

/*
 * One sum. Its members' ids stand in the pool: each as the gap after the one before, in 7-bit
 * groups, the lowest first, all but the last with the top bit set.
 */
struct sotto_history_reveal {
    size_t campaign; /* index */
    struct sotto_digest start;
    size_t member_count;
    size_t at; /* in the pool */
    size_t length;
};

/* One refusal, as it was recorded. */
struct sotto_history_refusal {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    enum sotto_refusal refusal;
};

struct sotto_history {
    size_t refusal_count;                 /* recorded in all */
    struct sotto_history_refusal refused; /* the last one */
    uint64_t roster_epoch; /* the highest of the rounds it took part in, whatever the campaign */
    double rho;            /* spent by all uploads ever, whatever the campaign */
    uint64_t plain_count;  /* uploads without noise, of which rho says nothing */
    size_t campaign_count;
    struct sotto_history_campaign campaigns[SOTTO_HISTORY_CAMPAIGNS_MAX];
    size_t reveal_count; /* in all; those from `reveal_first` on are held */
    size_t reveal_first;
    size_t pool_used; /* up to the end of the last reveal's members */
    struct sotto_history_reveal reveals[SOTTO_HISTORY_REVEALS_MAX];
    uint8_t pool[SOTTO_HISTORY_POOL_BYTES];
};

/*
 * In the order in which they were written. A record of a campaign for which there is no room only
 * counts for what is kept whatever the campaign.
 */
void sotto_history_add(struct sotto_history *history, const struct sotto_record *record);

/*
 * May the site take part? false: the number is used up, or no further campaign can be remembered.
 */
bool sotto_history_is_new_round(const struct sotto_history *history, const char *campaign,
                                uint32_t round);
bool sotto_history_is_new_adapter(const struct sotto_history *history, const char *campaign,
                                  uint32_t round);

/*
 * Is this refusal to be recorded? Not the one that was recorded last, which a coordinator can bring
 * about again and again by repeating a plan, and none after SOTTO_HISTORY_REFUSALS_MAX: whoever
 * signs plans shall not fill the disk. Refusing does not depend on it.
 */
bool sotto_history_wants_refusal(const struct sotto_history *history,
                                 const struct sotto_history_refusal *refusal);

/* A cohort, or what is left of it, about to be summed. */
struct sotto_history_cohort {
    const char *campaign;
    struct sotto_digest start;
    const uint32_t *members; /* strictly ascending */
    size_t member_count;
};

/*
 * The differencing check: is there an earlier sum whose members differ from these by 1 ..
 * distance_min - 1 members, so that the difference of the two sums would speak of very few?
 *
 *   is_strict  in  compare with every round of the campaign, else with those that trained from the
 *   same adapter
 */
bool sotto_history_is_close(const struct sotto_history *history,
                            const struct sotto_history_cohort *cohort, uint32_t distance_min,
                            bool is_strict);

#endif
