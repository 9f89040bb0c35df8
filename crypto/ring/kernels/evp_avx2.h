/*
 * Masks through OpenSSL's EVP with AVX2 for the addition: where AES-NI is hidden from a guest.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_EVP_AVX2_H
#define SOTTO_CRYPTO_RING_KERNELS_EVP_AVX2_H

#include "crypto/ring/kernels/kernel.h"

extern const struct sotto_mask_kernel sotto_mask_evp_avx2;

#endif
