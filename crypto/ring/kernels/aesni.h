/*
 * Masks with AES-NI: 8 cipher blocks in flight, added to the words from registers.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_AESNI_H
#define SOTTO_CRYPTO_RING_KERNELS_AESNI_H

#include "crypto/ring/kernels/kernel.h"

extern const struct sotto_mask_kernel sotto_mask_aesni;

#endif
