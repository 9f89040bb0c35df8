#include "crypto/ring/kernels/evp_avx2.h"

#include "crypto/ring/kernels/combine_avx2.h"
#include "crypto/ring/kernels/evp.h"
#include "crypto/ring/kernels/processor.h"

static void apply(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                  struct sotto_prg *prg)
{
    sotto_mask_evp_apply(pass, key, prg, sotto_combine_avx2);
}

const struct sotto_mask_kernel sotto_mask_evp_avx2 = {
    .name = "evp-avx2", .needs = SOTTO_PROCESSOR_AVX2, .apply = apply};
