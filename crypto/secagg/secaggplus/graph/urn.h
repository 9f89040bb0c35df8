/*
 * Tails of the hypergeometric distribution: how many marked ones are among `drawn` that are drawn
 * without replacement from `total`, `marked` of which are marked.
 *
 * Additions, multiplications and divisions of IEEE doubles only, walked outwards from the mode by
 * the ratio of neighbouring terms: every site gets the same bits, whatever its mathematical library
 * is, and the smallest tail asked for (about 2^-120) is far from the smallest double. The relative
 * error stays below 1e-12.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_URN_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_GRAPH_URN_H

#include <stdint.h>

struct sotto_urn {
    uint32_t total;
    uint32_t marked; /* 0 .. total */
    uint32_t drawn;  /* 0 .. total */
};

/*
 * The smallest x with Pr[more than x marked ones are drawn] <= chance, 0 < chance < 1.
 * Work: three steps for each possible number of marked ones.
 */
uint32_t sotto_urn_quantile(const struct sotto_urn *urn, double chance);

#endif
