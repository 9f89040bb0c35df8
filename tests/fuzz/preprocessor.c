#include "models/arch/preprocessor.h"

#include <math.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* What decode accepts maps every pixel to a finite number. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct sotto_arch arch = {.image_side = 8, .patch_side = 4, .channels = 3};
    struct sotto_pixel_map map;

    if (sotto_preprocessor_decode(&map, &arch, sotto_view_of(bytes, length), "preprocessor",
                                  NULL) != SOTTO_OK)
        return 0;
    for (size_t channel = 0; channel < arch.channels; channel++) {
        if (!isfinite(255.0f * map.scale[channel] + map.shift[channel]))
            abort();
    }
    return 0;
}
