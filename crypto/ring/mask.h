/*
 * Masks: the stream of a key, read as lanes and added to a vector or taken off it again.
 *
 *     lane e of key k = the e-th little-endian word of AES-256-CTR(k, IV = 0), mod 2^w
 *     a word is 16 bits where w <= 16, else 32
 *
 * The stream is made in tiles of 16 KiB that never leave the L1 cache, so that the vector is read
 * and written once per key and nothing else is. Any window of the stream can be reached at once, so
 * windows may be given to any number of threads, each with its own prg, in any order, with the same
 * sum.
 */
#ifndef SOTTO_CRYPTO_RING_MASK_H
#define SOTTO_CRYPTO_RING_MASK_H

#include "crypto/primitives/prg.h"

enum { SOTTO_MASK_TILE_BYTES = 16 * 1024 };

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
 *   prg        inout  open; re-keyed, and left at the end of the window
 *
 * Work: one stream of window.count words and one addition a lane. No allocation. Many keys are
 * added fastest window by window, with 32 Ki to 256 Ki lanes each, so that the lanes stay in the L2
 * cache from key to key. Constant time in the key and the lanes. The tile is wiped.
 */
void sotto_mask_add(uint32_t *lanes, struct sotto_lane_window window,
                    const struct sotto_secret *key, unsigned ring_bits, struct sotto_prg *prg);

/* lanes[e] <- lanes[e] - mask[window.first + e]: undoes sotto_mask_add, and as that otherwise. */
void sotto_mask_subtract(uint32_t *lanes, struct sotto_lane_window window,
                         const struct sotto_secret *key, unsigned ring_bits, struct sotto_prg *prg);

#endif
