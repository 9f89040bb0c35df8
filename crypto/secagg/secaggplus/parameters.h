/*
 * What follows from the size of a cohort. Every participant computes it alone and accepts nobody
 * else's figures.
 *
 *     k = n - 1 (complete graph),  c = max(1, ceil(gamma n)),  t = floor((k + c) / 2) + 1
 *
 * 2t > k + c: of k holders, c of whom answer both questions, t cannot tell one share and another t
 * the other, so that nobody learns a participant's self mask and its pairwise masks. Source: the
 * malicious variant of Bell et al., CCS 2020, with k = n - 1.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_PARAMETERS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_PARAMETERS_H

#include "crypto/secagg/terms.h"

struct sotto_parameters {
    uint32_t cohort;     /* n */
    uint32_t neighbours; /* k */
    uint32_t corrupt;    /* c */
    uint32_t threshold;  /* t */
};

/*
 *   cohort            in  SOTTO_COHORT_MIN .. SOTTO_COHORT_MAX
 *   corrupt_fraction  in  gamma, [0, 1)
 */
void sotto_parameters_of(struct sotto_parameters *out, uint32_t cohort, double corrupt_fraction);

/*
 * SOTTO_MISMATCH: the terms are out of bounds, or some cohort they allow would need more holders
 * than it has.
 */
SOTTO_CHECKED enum sotto_status sotto_parameters_check(const struct sotto_terms *terms);

/*
 * Fewest participants with which a stage may go on: survivors_min, and t holders besides the owner
 * of a share.
 */
uint32_t sotto_parameters_floor(const struct sotto_parameters *parameters, uint32_t survivors_min);

#endif
