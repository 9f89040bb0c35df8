/*
 * The site's own rules. What a site must be able to rely on, its sealer checks against this,
 * whatever a plan says.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_POLICY_H
#define SOTTO_PARTICIPANT_SEALER_POLICY_H

#include <stdbool.h>

#include "core/wire/plan.h"
#include "crypto/primitives/ed25519.h"
#include "crypto/secagg/refusal.h"

enum { SOTTO_KNOWN_MAX = 256 };

struct sotto_policy {
    uint32_t cohort_min;         /* a plan may not allow smaller cohorts; default 8 */
    uint32_t survivors_min;      /* nor fewer survivors; default 6 */
    double corrupt_fraction_min; /* nor assume fewer colluders; default 0.05 */
    double clip_norm_max;        /* default 10 */
    uint32_t weight_max;         /* own examples are counted up to here; default 4096 */
    uint32_t epochs_max;         /* default 20 */
    uint32_t rank_max;           /* default 64 */
    uint32_t target_set;         /* layers that may be adapted, bits as in a layout; default all */
    bool has_base_model;         /* pinned: another digest is refused */
    struct sotto_digest base_model;
    bool has_roster; /* pinned: the digest of the one roster message that is accepted */
    struct sotto_digest roster;
    bool has_roster_authority; /* pinned: rosters have to be signed by this key */
    struct sotto_ed25519_public roster_authority;
    uint32_t organisation_max; /* a plan may not allow more of one organisation; 0: any number */
    uint32_t known_min; /* other members of every sum whose identity is among these; default 0 */
    uint32_t known_count;
    struct sotto_ed25519_public known[SOTTO_KNOWN_MAX];
    double
        epsilon_max; /* what all rounds may cost in all; 0: no budget, plans without noise pass */
    double epsilon_round_max; /* what one round alone may cost; 0: as much as epsilon_max lets */
    double delta;             /* at which epsilon is reckoned; default 1e-6 */
    /* Compare cohorts with every round of a campaign, not only those from the same adapter. */
    bool refuse_close_cohorts;
};

enum { SOTTO_POLICY_BYTES_MAX = 10 * 1024 };

/* The defaults. */
void sotto_policy_init(struct sotto_policy *policy);

/*
 * Every field in its own range, survivors_min <= cohort_min, known_min <= known_count.
 * SOTTO_MALFORMED: the fault names key and range.
 */
SOTTO_CHECKED enum sotto_status sotto_policy_validate(const struct sotto_policy *policy,
                                                      struct sotto_fault *fault);

/* For the way from the supervisor to the sealer. SOTTO_OVER_LIMIT. */
SOTTO_CHECKED enum sotto_status sotto_policy_encode(struct sotto_buffer *out,
                                                    const struct sotto_policy *policy);
/*
 * SOTTO_MALFORMED, also for trailing bytes and for what sotto_policy_validate finds; policy
 * untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_policy_decode(struct sotto_policy *policy,
                                                    struct sotto_view bytes);

/* Everything about a plan that can be judged before the cohort is known. */
enum sotto_refusal sotto_policy_check(const struct sotto_policy *policy,
                                      const struct sotto_plan *plan);

/*
 * What one more round costs, at the plan's noise, against what one may cost and what is left.
 *
 *   rho  in  spent by all rounds so far
 *
 * SOTTO_REFUSAL_POLICY_NOISE: the round alone would spend too much, or has no noise at all;
 * SOTTO_REFUSAL_BUDGET: with the rounds so far it would.
 */
enum sotto_refusal sotto_policy_check_budget(const struct sotto_policy *policy,
                                             const struct sotto_plan *plan, double rho);

struct sotto_layout;

/* What can be judged once the layout is there; `plan` is NULL where none is running. */
enum sotto_refusal sotto_policy_check_layout(const struct sotto_policy *policy,
                                             const struct sotto_plan *plan,
                                             const struct sotto_layout *layout);

#endif
