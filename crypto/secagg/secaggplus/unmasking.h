/*
 * From revealed shares to the masks that the sum still carries.
 *
 *     sum_i y_i = sum_i x_i + sum_i PRG(p_i) + sum_{i, j} (i < j ? +1 : -1) PRG(s_ij)
 *
 * i over the survivors, j over its neighbours that shared and did not survive.
 * Source: Bonawitz et al., CCS 2017, Fig. 4, Round 4.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_UNMASKING_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_UNMASKING_H

#include "crypto/secagg/secaggplus/collection.h"
#include "crypto/secagg/secaggplus/streams.h"

/*
 * Most streams that a cohort can leave in a sum: one for each survivor, and one for each survivor
 * and neighbour that dropped out. No survivor has more than k - t of those, which is less than half
 * of its neighbours, or the sum was given up.
 */
size_t sotto_unmasking_streams_max(const struct sotto_extent *extent);

/*
 * Reconstructs a key for each participant that shared, and derives the streams that take the masks
 * off.
 *
 *   streams       out    [sotto_unmasking_streams_max]
 *   stream_count  out
 *   liars         inout  seats whose shares were wrong
 *   collection    in     with everything up to the reveals
 *
 * Work: n reconstructions; one X25519 for each survivor and neighbour of it that dropped out.
 *
 * SOTTO_NOT_FOUND: fewer than t shares of some key; SOTTO_FORGED: no t shares of some key fit what
 * its owner committed to. Streams are zeroed; liars may have grown.
 */
SOTTO_CHECKED enum sotto_status sotto_unmasking_derive(struct sotto_stream *streams,
                                                       size_t *stream_count,
                                                       struct sotto_seats *liars,
                                                       const struct sotto_collection *collection);

#endif
