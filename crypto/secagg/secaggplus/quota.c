#include "crypto/secagg/secaggplus/quota.h"

#include <assert.h>

enum sotto_status sotto_quota_init(struct sotto_quota *quota, struct sotto_arena *arena,
                                   const struct sotto_roster *roster, uint32_t most)
{
    quota->most = most;
    quota->members = sotto_arena_take(arena, roster->entry_count, sizeof *quota->members);
    return quota->members != NULL ? SOTTO_OK : SOTTO_NO_MEMORY;
}

bool sotto_quota_is_full(const struct sotto_quota *quota, const struct sotto_roster_entry *entry)
{
    return quota->most != 0 && quota->members[entry->organisation] >= quota->most;
}

void sotto_quota_take(struct sotto_quota *quota, const struct sotto_roster_entry *entry)
{
    quota->members[entry->organisation]++;
}

void sotto_quota_give(struct sotto_quota *quota, const struct sotto_roster_entry *entry)
{
    assert(quota->members[entry->organisation] > 0);
    quota->members[entry->organisation]--;
}
