/*
 * sotto_combine with AVX2, eight lanes at a time.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_COMBINE_AVX2_H
#define SOTTO_CRYPTO_RING_KERNELS_COMBINE_AVX2_H

#include "crypto/ring/kernels/kernel.h"

/* As sotto_combine; only where the processor has SOTTO_PROCESSOR_AVX2. */
void sotto_combine_avx2(const struct sotto_mask_pass *pass, size_t first, size_t count,
                        const uint8_t *stream);

#endif
