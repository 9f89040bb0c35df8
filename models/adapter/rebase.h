/*
 * Another pair of factors of the same products.
 *     B A = U S V^T,   A' = V^T,   B' = U S
 * over the rank of the pair: the rows of A' are orthonormal, the columns of B' orthogonal and
 * ordered by falling length. Source: Lee et al., FedSVD, NeurIPS 2025, Algorithm 1, there by an SVD
 * of the whole product. Here, since the product has the rank of its factors, by two problems of
 * size [rank, rank]: A = L Q with the rows of Q orthonormal, and W^T (B L)^T (B L) W = S^2 by
 * Jacobi rotations; A' = W^T Q, B' = B L W.
 *
 * The rows of A' span what those of A do: a frozen A keeps its subspace. What changes is the basis
 * in it, and with it what an optimiser that works lane by lane makes of B.
 */
#ifndef SOTTO_MODELS_ADAPTER_REBASE_H
#define SOTTO_MODELS_ADAPTER_REBASE_H

#include "models/adapter/layout.h"

/*
 * Rebases every pair of an adapter in place. A pair whose A has linearly dependent rows, or more
 * rows than columns, stays as it is.
 *
 *   lanes  inout  [layout->lane_count]
 *
 * Work: (in + out) * rank^2 for each pair. The same bits on every machine of one instruction set.
 *
 * SOTTO_NO_MEMORY: the lanes are untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_adapter_rebase(float *lanes,
                                                     const struct sotto_layout *layout);

#endif
