/*
 * The masks of one vector: a list of mask keys, each added or subtracted.
 *
 *     y_i = x_i + PRG(p_i) + sum_{j > i} PRG(s_ij) - sum_{j < i} PRG(s_ij)      (mod 2^w)
 *
 * The coordinator applies those that did not cancel, with opposite signs.
 * Source: Bonawitz et al., CCS 2017, Fig. 4, Round 2.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_STREAMS_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_STREAMS_H

#include "crypto/ring/mask.h"

enum sotto_stream_use { SOTTO_STREAM_UNUSED = 0, SOTTO_STREAM_ADDED, SOTTO_STREAM_SUBTRACTED };

struct sotto_stream {
    struct sotto_secret key;
    enum sotto_stream_use use;
};

/*
 * Applies every stream to lanes [window.first, window.first + window.count), block by block, so
 * that a block of the vector stays in the cache while all streams pass over it.
 *
 *   lanes      inout  [window.count]
 *   streams    in     [stream_count]
 *   ring_bits  in     w, 1 .. 32
 *
 * Work: stream_count * window.count words of AES-256-CTR. Constant time in the keys; their count is
 * public. SOTTO_NO_MEMORY: lanes untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_streams_apply(uint32_t *lanes,
                                                    struct sotto_lane_window window,
                                                    const struct sotto_stream *streams,
                                                    size_t stream_count, unsigned ring_bits);

/* The same with an open masking, so that its kernel can be chosen. */
void sotto_streams_apply_with(struct sotto_masking *masking, uint32_t *lanes,
                              struct sotto_lane_window window, const struct sotto_stream *streams,
                              size_t stream_count, unsigned ring_bits);

#endif
