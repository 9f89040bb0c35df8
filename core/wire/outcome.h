/* How a round ended, signed: a new adapter version, or an abandonment with its reason. */
#ifndef SOTTO_CORE_WIRE_OUTCOME_H
#define SOTTO_CORE_WIRE_OUTCOME_H

#include "core/wire/plan.h"

enum sotto_outcome_kind { SOTTO_OUTCOME_FINISHED = 1, SOTTO_OUTCOME_ABANDONED = 2 };

struct sotto_outcome {
    enum sotto_outcome_kind kind;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    bool is_last;                /* the campaign is over */
    struct sotto_digest adapter; /* the version that now holds */
    struct sotto_digest layout;
    uint32_t survivors;
    char reason[160]; /* empty if finished */
};

enum { SOTTO_OUTCOME_BYTES_MAX = 512 };

/* SOTTO_OVER_LIMIT: out is too small. */
SOTTO_CHECKED enum sotto_status sotto_outcome_encode(struct sotto_buffer *out,
                                                     const struct sotto_outcome *outcome);

/*
 * A finished outcome has no reason and at least 3 survivors. SOTTO_MALFORMED, SOTTO_OVER_LIMIT,
 * SOTTO_UNSUPPORTED (of another version), SOTTO_NO_MEMORY: outcome untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_outcome_decode(struct sotto_outcome *outcome,
                                                     struct sotto_view bytes);

#endif
