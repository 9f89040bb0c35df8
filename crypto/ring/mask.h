/*
 * Masks: the stream of a key, read as lanes and added to a vector or taken off it again.
 *
 *     lane e of key k = the e-th little-endian word of AES-256-CTR(k, IV = 0), mod 2^w
 *     a word is 16 bits where w <= 16, else 32
 *
 * The stream is added where it is made, in registers or in tiles that never leave the L1 cache, so
 * that the vector is read and written once per key and nothing else is. Which of the kernels below
 * crypto/ring/kernels does it is decided when a masking is opened. Any window of the stream can be
 * reached at once, so windows may be given to any number of threads, each with its own masking, in
 * any order, with the same sum.
 */
#ifndef SOTTO_CRYPTO_RING_MASK_H
#define SOTTO_CRYPTO_RING_MASK_H

#include "crypto/ring/kernels/kernel.h"

/* What masks are made with. */
struct sotto_masking {
    const struct sotto_mask_kernel *kernel;
    struct sotto_prg prg;
};

/* With the fastest kernel of this processor. SOTTO_NO_MEMORY: safe to close. */
SOTTO_CHECKED enum sotto_status sotto_masking_open(struct sotto_masking *masking);
/* With one that this processor can run; lanes are the same with any. SOTTO_NO_MEMORY as above. */
SOTTO_CHECKED enum sotto_status sotto_masking_open_with(struct sotto_masking *masking,
                                                        const struct sotto_mask_kernel *kernel);
void sotto_masking_close(struct sotto_masking *masking);

/* lanes[0 .. count) stand for lanes first .. first + count of the stream. */
struct sotto_lane_window {
    size_t first; /* a multiple of 8, so that it begins a cipher block whatever the word */
    size_t count;
};

/*
 * lanes[e] <- lanes[e] + mask[window.first + e]   (mod 2^32, of which mod 2^w is a quotient)
 *
 *   lanes      inout  [window.count]
 *   key        in     the mask key; secret
 *   ring_bits  in     w, 1 .. 32
 *   masking    inout  open
 *
 * Work: one stream of window.count words and one addition a lane. No allocation. Many keys are
 * added fastest window by window, with about 32 Ki lanes each, so that the lanes stay in the cache
 * from key to key. Constant time in the key and the lanes. What was in memory of the key schedule
 * and the stream is wiped.
 */
void sotto_mask_add(uint32_t *lanes, struct sotto_lane_window window,
                    const struct sotto_secret *key, unsigned ring_bits,
                    struct sotto_masking *masking);

/* lanes[e] <- lanes[e] - mask[window.first + e]: undoes sotto_mask_add, and as that otherwise. */
void sotto_mask_subtract(uint32_t *lanes, struct sotto_lane_window window,
                         const struct sotto_secret *key, unsigned ring_bits,
                         struct sotto_masking *masking);

/*
 * For w <= 16: the same for sums of masks mod 2^16, which are added to the lanes afterwards, once
 * for many keys (sotto_lanes_add_narrow). Half the memory of lanes, and nothing to widen for each
 * key.
 *
 *   sums  inout  [window.count]
 */
void sotto_mask_add_narrow(uint16_t *sums, struct sotto_lane_window window,
                           const struct sotto_secret *key, struct sotto_masking *masking);
void sotto_mask_subtract_narrow(uint16_t *sums, struct sotto_lane_window window,
                                const struct sotto_secret *key, struct sotto_masking *masking);

#endif
