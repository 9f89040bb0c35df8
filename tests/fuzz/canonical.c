#include "tests/fuzz/canonical.h"

#include <stdlib.h>
#include <string.h>

void canonical_check(const char *codec, struct sotto_view bytes)
{
    static uint8_t again[SOTTO_PACK_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(again, sizeof again);

    for (size_t i = 0; i < CODEC_COUNT; i++) {
        if (strcmp(codecs[i].name, codec) != 0)
            continue;
        if (codecs[i].recode(&out, bytes) == SOTTO_OK &&
            !sotto_view_equal(sotto_view_buffer(&out), bytes))
            abort();
        return;
    }
    abort();
}
