/*
 * The AES-256 key schedule with AES-NI, in constant time: no table is looked up.
 * Source: FIPS 197, section 5.2, Nk = 8.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_SCHEDULE_H
#define SOTTO_CRYPTO_RING_KERNELS_SCHEDULE_H

#include "core/base/bytes.h"

enum { SOTTO_AES256_ROUND_KEYS = 15, SOTTO_AES_BLOCK_BYTES = 16 };

/* Secret; wiped by its owner. */
struct sotto_aes_schedule {
    _Alignas(64) uint8_t round_keys[SOTTO_AES256_ROUND_KEYS][SOTTO_AES_BLOCK_BYTES];
};

/* Only where the processor has SOTTO_PROCESSOR_AESNI. */
void sotto_aes_schedule_expand(struct sotto_aes_schedule *schedule, const struct sotto_secret *key);

enum { SOTTO_AES_RUN_BLOCKS_MAX = 32 };

/*
 * Block i holds the number i, most significant byte last, as counters have it: xored into the
 * counter of a multiple of 32 it gives that of the i-th block after it.
 */
extern const uint8_t sotto_aes_offsets[SOTTO_AES_RUN_BLOCKS_MAX][SOTTO_AES_BLOCK_BYTES];

#endif
