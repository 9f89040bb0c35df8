#include "models/data/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* No bytes make the decoders leave their memory, in either form. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t out[3 * 16 * 16];
    struct sotto_picture_form form = {length % 2 == 0 ? 1 : 3, 16};

    if (sotto_picture_decode(out, form, sotto_view_of(bytes, length), "fuzz", NULL) != SOTTO_OK)
        return 0;
    return 0;
}
