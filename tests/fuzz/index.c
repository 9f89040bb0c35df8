#include "models/weights/index.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Files of an accepted index are named once, in order, in its own folder; each entry has one. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_index index;
    struct sotto_view json = sotto_view_of(bytes, length);

    if (sotto_index_decode(&index, json, "index.json", NULL) != SOTTO_OK)
        return 0;
    if (index.shard_count < 1 || index.shard_count > SOTTO_SHARDS_MAX || index.entry_count < 1)
        abort();
    for (size_t i = 0; i < index.shard_count; i++) {
        if (strchr(index.shards[i], '/') != NULL ||
            (i > 0 && strcmp(index.shards[i - 1], index.shards[i]) >= 0))
            abort();
    }
    for (size_t i = 0; i < index.entry_count; i++) {
        if (index.entries[i].shard >= index.shard_count)
            abort();
    }
    sotto_index_close(&index);
    return 0;
}
