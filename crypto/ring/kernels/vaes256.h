/*
 * Masks with VAES and AVX2: 16 cipher blocks in flight, added to the words from registers.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_VAES256_H
#define SOTTO_CRYPTO_RING_KERNELS_VAES256_H

#include "crypto/ring/kernels/kernel.h"

extern const struct sotto_mask_kernel sotto_mask_vaes256;

#endif
