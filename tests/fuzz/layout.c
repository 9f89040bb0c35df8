#include <stdlib.h>

#include "models/adapter/layout.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* A layout has one encoding: what decode accepts, encode gives back. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_layout layout;
    uint8_t again[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(again, sizeof again);
    const struct sotto_layout_tensor *last;

    if (sotto_layout_decode(&layout, sotto_view_of(bytes, length)) != SOTTO_OK)
        return 0;
    last = &layout.tensors[layout.tensor_count - 1];
    if (last->first + (size_t)last->rows * last->columns != layout.lane_count)
        abort();
    if (sotto_layout_encode(&out, &layout) != SOTTO_OK ||
        !sotto_view_equal(sotto_view_buffer(&out), sotto_view_of(bytes, length)))
        abort();
    return 0;
}
