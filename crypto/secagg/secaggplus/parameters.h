/*
 * What follows from the size of a cohort. Every participant computes it alone and accepts nobody
 * else's figures.
 *
 * Up to SOTTO_COMPLETE_MAX participants, everybody is everybody's neighbour:
 *
 *     k = n - 1,  c = max(1, ceil(gamma n)),  t = floor((k + c) / 2) + 1
 *
 * Above, they stand in a ring and have k / 2 neighbours on each side (graph/ring.h):
 *
 *     G = max(1, floor(gamma n)) colluders, D = floor(delta n) dropouts, s = security bits
 *     c  = the smallest x with Pr[Hyp(n - 1, G, k) > x]     <= 2^-(s + 1) / n
 *     c' = the smallest x with Pr[Hyp(n - 1, G, k / 2) > x] <= 2^-((s + 1) / 2) / n
 *     t  = the smallest with  2t > k + c,  t > k / 2 + c',  and survivors_min <= max(t + 1,
 *          ((n - k) m - G (t - m)) / (k - t + m)),  m = t - min(k - t + c', k / 2) / 2 - 1
 *     k  = the smallest even with Pr[Hyp(n - 1, D, k) > k - t] <= 2^-20 / n
 *
 * and where no k below n - 1 will do, everybody is everybody's neighbour after all.
 *
 * 2t > k + c: of k holders, c of whom answer both questions, t cannot tell one share and another t
 * the other, so that nobody learns a participant's self mask and its pairwise masks. t > k/2 + c':
 * the holders on one side of a participant do not suffice, so that the ring cannot be cut. The last
 * condition on t keeps the floor even if sites far from one another are told other sets. Source:
 * the malicious variant of Bell et al., CCS 2020; what is different is argued in docs/protocol.md.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_PARAMETERS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_PARAMETERS_H

#include "crypto/secagg/terms.h"

enum {
    SOTTO_COMPLETE_MAX = 128,
    SOTTO_NEIGHBOURS_MAX = 1022,
    SOTTO_SECURITY_BITS = 40, /* a cohort that falls out unluckily has a chance of 2^-40 */
    SOTTO_GRINDING_BITS = 64, /* the coordinator may try 2^64 cohorts before it shows one */
    SOTTO_LIVENESS_BITS = 20, /* a round that loses D participants fails with a chance of 2^-20 */
};

struct sotto_parameters {
    uint32_t cohort;     /* n */
    uint32_t neighbours; /* k */
    uint32_t corrupt;    /* c: at most so many of one participant's neighbours collude */
    uint32_t threshold;  /* t */
};

/* What they are computed from. */
struct sotto_parameters_wish {
    uint32_t cohort;         /* n, SOTTO_COHORT_MIN .. SOTTO_COHORT_MAX */
    double corrupt_fraction; /* gamma, [0, 1) */
    double dropout_fraction; /* delta, [0, 1) */
    uint32_t survivors_min;
    unsigned security_bits; /* s: SOTTO_SECURITY_BITS + SOTTO_GRINDING_BITS for a real cohort */
};

/*
 * Work: below 10 ms, below 1 ms for k up to 200.
 *
 * SOTTO_MISMATCH: no k up to SOTTO_NEIGHBOURS_MAX will do; out untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_parameters_solve(struct sotto_parameters *out,
                                                       const struct sotto_parameters_wish *wish);

/* The same for a cohort of `cohort` participants under these terms. */
SOTTO_CHECKED enum sotto_status sotto_parameters_of(struct sotto_parameters *out, uint32_t cohort,
                                                    const struct sotto_terms *terms);

/*
 * SOTTO_MISMATCH: the terms are out of bounds, or the smallest or the largest cohort that they
 * allow, or one of up to SOTTO_COMPLETE_MAX, would need more holders than it has or than
 * SOTTO_NEIGHBOURS_MAX.
 */
SOTTO_CHECKED enum sotto_status sotto_parameters_check(const struct sotto_terms *terms);

/* What the cohorts that the terms allow may need, for whoever sets memory aside. */
struct sotto_extent {
    uint32_t cohort;     /* at most n */
    uint32_t neighbours; /* at most k */
    size_t cells;        /* at most n k */
};

/*
 * For a roster of `roster_count`, at least 1. Where k was not computed it is reckoned with some
 * room above its neighbours': a cohort that needs more all the same is refused like one that is too
 * large. The terms have passed sotto_parameters_check.
 */
void sotto_parameters_extent(struct sotto_extent *out, const struct sotto_terms *terms,
                             size_t roster_count);

/* Everybody is everybody's neighbour. */
bool sotto_parameters_is_complete(const struct sotto_parameters *parameters);

/*
 * How many may drop out after the keys are shared: any so many of a complete graph; in a ring any
 * so many that do not know their places, but for a chance of 2^-20.
 */
uint32_t sotto_parameters_dropouts(const struct sotto_parameters *parameters);

/*
 * Fewest participants that a sum can be of, whatever the coordinator tells to whom: survivors_min,
 * and t holders besides the owner of a share.
 */
uint32_t sotto_parameters_floor(const struct sotto_parameters *parameters, uint32_t survivors_min);

#endif
