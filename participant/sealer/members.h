/*
 * What a site thinks of the members of a cohort, beyond what the protocol checks of their keys: how
 * many are of one organisation, and how many it knows. Pure.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_MEMBERS_H
#define SOTTO_PARTICIPANT_SEALER_MEMBERS_H

#include "participant/sealer/judgement.h"

/* A cohort that the protocol's role has accepted. */
struct sotto_members {
    const uint32_t *ids; /* [count] ascending, this site's among them */
    size_t count;
    size_t sum_min; /* the others may drop out before a sum is opened */
};

/*
 * SOTTO_REFUSAL_ORGANISATION  more of one organisation than the plan allows
 * SOTTO_REFUSAL_KNOWN_MEMBERS fewer than the policy's known_min other members whose identity is in
 *                             its list would be left if count - sum_min of them dropped out
 * SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN  an id that is not in the roster
 */
enum sotto_refusal sotto_judge_members(const struct sotto_members *members,
                                       const struct sotto_roster *roster,
                                       const struct sotto_plan *plan,
                                       const struct sotto_site_view *site);

#endif
