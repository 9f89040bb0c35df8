#include "models/arch/arch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What decode accepts holds the promises that every computation over a shape relies on. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_arch arch;

    if (sotto_arch_decode(&arch, sotto_view_of(bytes, length), "config.json", NULL) != SOTTO_OK)
        return 0;
    if (arch.width < 1 || arch.mlp_width < 1 || arch.block_count < 1 ||
        arch.width % arch.head_count != 0 || arch.image_side % arch.patch_side != 0 ||
        sotto_arch_token_count(&arch) < 2 || !(arch.norm_epsilon > 0.0))
        abort();
    return 0;
}
