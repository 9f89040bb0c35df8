/*
 * The cipher and the addition in one pass over the words, the same for every width of vector: a
 * source file defines its vectors, then includes this.
 *
 *     typedef ... vector;               some cipher blocks
 *     enum { VECTORS };                 so many are in flight, to hide the latency of the rounds
 *     vector_spread(block)              a block in each place
 *     vector_load, vector_xor, vector_round, vector_round_last
 *     vector_combine(words, other, is_narrow, is_subtracted)
 *
 * Counters are made by one xor a vector: a run begins with a multiple of its blocks, so that they
 * differ from the first one's in five bits of the last byte.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_FUSED_H
#define SOTTO_CRYPTO_RING_KERNELS_FUSED_H

#include "crypto/ring/kernels/combine.h"
#include "crypto/ring/kernels/schedule.h"

enum {
    VECTOR_BLOCKS = sizeof(vector) / SOTTO_AES_BLOCK_BYTES,
    RUN_BLOCKS = VECTORS * VECTOR_BLOCKS,
    RUN_BYTES = VECTORS * sizeof(vector),
    LAST = SOTTO_AES256_ROUND_KEYS - 1,
};

_Static_assert(RUN_BYTES <= sizeof sotto_aes_offsets, "a run has more blocks than offsets");

/* Each round's key in every block of a vector. */
struct keys {
    vector rounds[SOTTO_AES256_ROUND_KEYS];
};

static void keys_expand(struct keys *keys, const struct sotto_secret *key)
{
    struct sotto_aes_schedule schedule;

    sotto_aes_schedule_expand(&schedule, key);
    for (size_t round = 0; round <= LAST; round++)
        keys->rounds[round] =
            vector_spread(_mm_load_si128((const void *)schedule.round_keys[round]));
    sotto_wipe(&schedule, sizeof schedule);
}

/* The stream of blocks [block, block + RUN_BLOCKS); `block` is a multiple of RUN_BLOCKS. */
static INLINED void run_make(vector run[VECTORS], const struct keys *keys, uint64_t block)
{
    const __m128i counter = _mm_set_epi64x((long long)__builtin_bswap64(block), 0);
    const vector first = vector_xor(keys->rounds[0], vector_spread(counter));

    for (size_t i = 0; i < VECTORS; i++)
        run[i] = vector_xor(first, vector_load(sotto_aes_offsets[i * VECTOR_BLOCKS]));
    for (size_t round = 1; round < LAST; round++)
        for (size_t i = 0; i < VECTORS; i++)
            run[i] = vector_round(run[i], keys->rounds[round]);
    for (size_t i = 0; i < VECTORS; i++)
        run[i] = vector_round_last(run[i], keys->rounds[LAST]);
}

/* Where a window stands. */
struct place {
    uint8_t *words;
    size_t left; /* bytes of words */
    uint64_t block;
};

/* All whole runs. Inlined with constants for the two flags. */
static INLINED void runs_apply(struct place *place, const struct keys *keys, bool is_narrow,
                               bool is_subtracted)
{
    for (; place->left >= RUN_BYTES; place->left -= RUN_BYTES) {
        vector run[VECTORS];

        run_make(run, keys, place->block);
        for (size_t i = 0; i < VECTORS; i++)
            vector_combine(place->words + i * sizeof run[i], run[i], is_narrow, is_subtracted);
        place->words += RUN_BYTES;
        place->block += RUN_BLOCKS;
    }
}

/* What there is of the run in whose middle a window begins or ends. */
static void part_apply(struct place *place, const struct sotto_mask_pass *pass,
                       const struct keys *keys)
{
    const size_t word_bytes = sotto_mask_word_bytes(pass);
    const size_t done = pass->word_count * word_bytes - place->left;
    const size_t skipped = place->block % RUN_BLOCKS * SOTTO_AES_BLOCK_BYTES;
    const size_t length = RUN_BYTES - skipped < place->left ? RUN_BYTES - skipped : place->left;
    vector run[VECTORS];

    run_make(run, keys, place->block / RUN_BLOCKS * RUN_BLOCKS);
    sotto_combine(pass, done / word_bytes, length / word_bytes, (const uint8_t *)run + skipped);
    sotto_wipe(run, sizeof run);
    place->words += length;
    place->left -= length;
    place->block = (place->block / RUN_BLOCKS + 1) * RUN_BLOCKS;
}

static void fused_apply(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                        struct sotto_prg *prg)
{
    struct place place = {.words = pass->words,
                          .left = pass->word_count * sotto_mask_word_bytes(pass),
                          .block = pass->block_first};
    struct keys keys;

    (void)prg;
    keys_expand(&keys, key);
    if (place.block % RUN_BLOCKS != 0)
        part_apply(&place, pass, &keys);
    if (pass->is_narrow && pass->is_subtracted)
        runs_apply(&place, &keys, true, true);
    else if (pass->is_narrow)
        runs_apply(&place, &keys, true, false);
    else if (pass->is_subtracted)
        runs_apply(&place, &keys, false, true);
    else
        runs_apply(&place, &keys, false, false);
    if (place.left > 0)
        part_apply(&place, pass, &keys);
    sotto_wipe(&keys, sizeof keys);
}

#endif
