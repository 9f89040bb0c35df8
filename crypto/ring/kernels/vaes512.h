/*
 * Masks with VAES and AVX-512: 32 cipher blocks in flight, added to the words from registers. All
 * round keys stay in registers as well.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_VAES512_H
#define SOTTO_CRYPTO_RING_KERNELS_VAES512_H

#include "crypto/ring/kernels/kernel.h"

extern const struct sotto_mask_kernel sotto_mask_vaes512;

#endif
