#include "participant/sealer/members.h"

#include <string.h>

static enum sotto_refusal check_organisations(const struct sotto_members *members,
                                              const struct sotto_roster *roster,
                                              const struct sotto_plan *plan)
{
    uint32_t seated[SOTTO_ROSTER_MAX] = {0};

    for (size_t place = 0; place < members->count; place++) {
        const struct sotto_roster_entry *entry = sotto_roster_find(roster, members->ids[place]);

        if (entry == NULL)
            return SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN;
        if (++seated[entry->organisation] > plan->organisation_max && plan->organisation_max != 0)
            return SOTTO_REFUSAL_ORGANISATION;
    }
    return SOTTO_REFUSAL_NONE;
}

static bool is_known(const struct sotto_policy *policy, const struct sotto_ed25519_public *identity)
{
    for (size_t index = 0; index < policy->known_count; index++)
        if (memcmp(&policy->known[index], identity, sizeof *identity) == 0)
            return true;
    return false;
}

static size_t count_known(const struct sotto_members *members, const struct sotto_roster *roster,
                          const struct sotto_site_view *site)
{
    size_t count = 0;

    for (size_t place = 0; place < members->count; place++)
        if (members->ids[place] != site->id)
            count +=
                is_known(site->policy, &sotto_roster_find(roster, members->ids[place])->identity);
    return count;
}

/*
 * Whoever picks the dropouts may pick those that this site knows, and once its upload is out the
 * others can open the sum without it: what must hold of every sum has to hold of the cohort.
 */
enum sotto_refusal sotto_judge_members(const struct sotto_members *members,
                                       const struct sotto_roster *roster,
                                       const struct sotto_plan *plan,
                                       const struct sotto_site_view *site)
{
    enum sotto_refusal refusal = check_organisations(members, roster, plan);

    if (refusal != SOTTO_REFUSAL_NONE || site->policy->known_min == 0)
        return refusal;
    if (count_known(members, roster, site) <
        site->policy->known_min + (members->count - members->sum_min))
        return SOTTO_REFUSAL_KNOWN_MEMBERS;
    return SOTTO_REFUSAL_NONE;
}
