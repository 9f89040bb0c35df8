/*
 * How many of a cohort may belong to one organisation, counted while adverts come in. A participant
 * counts for itself: what the coordinator seats beyond the cap ends the round, so that one
 * organisation's late sites must not cost everybody theirs.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_QUOTA_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_QUOTA_H

#include "core/base/arena.h"
#include "crypto/secagg/terms.h"

struct sotto_quota {
    uint32_t most;     /* 0: no cap */
    uint32_t *members; /* [roster->entry_count] seated, by number of organisation */
};

/*
 *   roster  in  every entry's organisation is below entry_count
 *
 * SOTTO_NO_MEMORY
 */
SOTTO_CHECKED enum sotto_status sotto_quota_init(struct sotto_quota *quota,
                                                 struct sotto_arena *arena,
                                                 const struct sotto_roster *roster, uint32_t most);

/* Has the organisation of this entry as many members as it may? */
bool sotto_quota_is_full(const struct sotto_quota *quota, const struct sotto_roster_entry *entry);

/* A member of the organisation takes a seat, or gives it back. */
void sotto_quota_take(struct sotto_quota *quota, const struct sotto_roster_entry *entry);
void sotto_quota_give(struct sotto_quota *quota, const struct sotto_roster_entry *entry);

#endif
