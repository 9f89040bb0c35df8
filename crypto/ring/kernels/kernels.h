/*
 * The mask kernels of this build, the fastest first.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_KERNELS_H
#define SOTTO_CRYPTO_RING_KERNELS_KERNELS_H

#include "crypto/ring/kernels/kernel.h"

/*
 * The kernel at `index`, whether or not this processor can run it; NULL beyond the last. The last
 * is sotto_mask_evp, the reference.
 */
const struct sotto_mask_kernel *sotto_mask_kernel_at(size_t index);

/* Whether a processor with `features` (processor.h) can run it. */
bool sotto_mask_kernel_fits(const struct sotto_mask_kernel *kernel, unsigned features);

/* The fastest that a processor with `features` can run; never NULL. */
const struct sotto_mask_kernel *sotto_mask_kernel_best(unsigned features);

#endif
