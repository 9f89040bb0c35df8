/*
 * Adds a piece of key stream that is in memory to words, or takes it off.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_COMBINE_H
#define SOTTO_CRYPTO_RING_KERNELS_COMBINE_H

#include "crypto/ring/kernels/kernel.h"

/*
 * pass->words[first + i] <- the same + or - word i of `stream`, for i below `count`. Constant time
 * in words and stream.
 *
 *   stream  in  [count] little-endian words of the pass's width
 */
void sotto_combine(const struct sotto_mask_pass *pass, size_t first, size_t count,
                   const uint8_t *stream);

/* 2 or 4 */
size_t sotto_mask_word_bytes(const struct sotto_mask_pass *pass);

#endif
