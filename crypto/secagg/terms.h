/*
 * What every secure-aggregation protocol needs to know of a round. Nothing here belongs to one
 * protocol alone.
 */
#ifndef SOTTO_CRYPTO_SECAGG_TERMS_H
#define SOTTO_CRYPTO_SECAGG_TERMS_H

#include "core/base/bytes.h"
#include "crypto/primitives/ed25519.h"

enum { SOTTO_COHORT_MIN = 3, SOTTO_COHORT_MAX = 10000 };

/*
 * The part of a plan that shapes the aggregation. `context` is ctx0 = SHA-256("sotto/1 plan" ||
 * plan).
 */
struct sotto_terms {
    struct sotto_digest context;
    uint32_t lane_count; /* the weight lane included */
    unsigned ring_bits;
    uint32_t cohort_min; /* 3 <= survivors_min <= cohort_min <= cohort_max <= SOTTO_COHORT_MAX */
    uint32_t cohort_max;
    uint32_t survivors_min;
    double corrupt_fraction;   /* gamma: how many of the cohort may collude with the coordinator */
    double dropout_fraction;   /* delta: how many of the cohort may drop out */
    uint32_t organisation_max; /* members of one organisation in a cohort; 0: no cap */
};

/* One enrolled site as everybody in the round sees it. */
struct sotto_roster_entry {
    uint32_t id;
    struct sotto_ed25519_public identity;
    struct sotto_digest certificate; /* SHA-256 of the DER of its TLS certificate */
    uint32_t organisation; /* a number below the roster's size, the same for its members */
};

/* Who may take part; entries ascending by id, borrowed. */
struct sotto_roster {
    uint64_t epoch;
    const struct sotto_roster_entry *entries;
    size_t entry_count;
};

/*
 * SOTTO_MISMATCH: lane_count 0 or too large, ring_bits outside 1 .. 32, cohort bounds out of order,
 * corrupt_fraction or dropout_fraction not within [0, 1).
 */
SOTTO_CHECKED enum sotto_status sotto_terms_check(const struct sotto_terms *terms);

/* NULL: not enrolled. O(log n). */
const struct sotto_roster_entry *sotto_roster_find(const struct sotto_roster *roster, uint32_t id);

#endif
