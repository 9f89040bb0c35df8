/*
 * What a plan makes of this site's update: the mechanism that turns it into lanes, and what
 * quantising took from earlier ones.
 */
#ifndef SOTTO_PARTICIPANT_ENCODING_ENCODING_H
#define SOTTO_PARTICIPANT_ENCODING_ENCODING_H

#include "core/base/arena.h"
#include "core/wire/plan.h"
#include "crypto/privacy/mechanism.h"

/* A flaw: the plan is to be refused. */
SOTTO_CHECKED enum sotto_mechanism_flaw sotto_encoding_of(struct sotto_mechanism *mechanism,
                                                          const struct sotto_plan *plan);

/* What is kept of the rounds that train one part of an adapter. */
struct sotto_rest_part {
    size_t value_count; /* 0: nothing */
    float *values;
};

/*
 * Error feedback: what rounding and saturating took from the last update of a campaign, for the
 * next one of the same trained part. In memory only, each at most the clip norm long. Source: Seide
 * et al., Interspeech 2014; Karimireddy et al., ICML 2019.
 */
struct sotto_rest {
    struct sotto_arena *arena; /* its own; NULL: no plan with feedback is accepted */
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* "": nothing is kept */
    struct sotto_digest layout;
    struct sotto_rest_part parts[SOTTO_PLAN_TRAINED_MAX + 1];
};

/* Room for a plan of so many lanes? */
bool sotto_rest_has_room(const struct sotto_rest *rest, uint32_t lane_count);

/* values <- values + what is kept for the plan's campaign, layout and trained part. */
void sotto_rest_add(const struct sotto_rest *rest, float *values, const struct sotto_plan *plan);

/*
 * Keeps the values instead of what was kept of this part; of other parts as long as there is room.
 * For a plan for which there is room.
 */
void sotto_rest_keep(struct sotto_rest *rest, const float *values, const struct sotto_plan *plan);

/* Unless what is kept is of this campaign. NULL: whatever it is of. */
void sotto_rest_wipe_other(struct sotto_rest *rest, const char *campaign);

#endif
