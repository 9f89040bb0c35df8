/*
 * What a mask kernel is: the key stream made and added to lanes in one pass, as one kind of
 * processor does it best. All give the same lanes; crypto/ring/mask.h says which.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_KERNEL_H
#define SOTTO_CRYPTO_RING_KERNELS_KERNEL_H

#include "crypto/primitives/prg.h"

/* One window of words under one key. */
struct sotto_mask_pass {
    void *words; /* [word_count] uint16_t if is_narrow, else uint32_t, aligned as those */
    size_t word_count;
    uint64_t block_first; /* the cipher block that words[0] begins with */
    bool is_narrow;
    bool is_subtracted; /* else added */
};

struct sotto_mask_kernel {
    const char *name;
    unsigned needs; /* enum sotto_processor_feature, ored */
    /*
     * words[e] <- words[e] + or - word e of the stream of `key`, mod 2^16 or 2^32. Constant time in
     * key and words; the key schedule and the pieces of stream in memory are wiped. `prg` is open,
     * and re-keyed by those kernels that go through it.
     */
    void (*apply)(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                  struct sotto_prg *prg);
};

#endif
