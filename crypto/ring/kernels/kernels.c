#include "crypto/ring/kernels/kernels.h"

#include "crypto/ring/kernels/evp.h"
#if defined(__x86_64__)
#include "crypto/ring/kernels/aesni.h"
#include "crypto/ring/kernels/evp_avx2.h"
#include "crypto/ring/kernels/vaes256.h"
#include "crypto/ring/kernels/vaes512.h"
#endif

static const struct sotto_mask_kernel *const kernels[] = {
#if defined(__x86_64__)
    &sotto_mask_vaes512, &sotto_mask_vaes256, &sotto_mask_aesni, &sotto_mask_evp_avx2,
#endif
    &sotto_mask_evp,
};

enum { KERNEL_COUNT = sizeof kernels / sizeof *kernels };

const struct sotto_mask_kernel *sotto_mask_kernel_at(size_t index)
{
    return index < KERNEL_COUNT ? kernels[index] : NULL;
}

bool sotto_mask_kernel_fits(const struct sotto_mask_kernel *kernel, unsigned features)
{
    return (kernel->needs & ~features) == 0;
}

const struct sotto_mask_kernel *sotto_mask_kernel_best(unsigned features)
{
    size_t index = 0;

    while (!sotto_mask_kernel_fits(kernels[index], features))
        index++;
    return kernels[index];
}
