#include "models/answer/cache.h"

#include <assert.h>

#include "models/arch/embedding.h"

/* Floats that a block keeps of a token. */
static size_t kept_width(const struct sotto_network *network)
{
    return 2 * sotto_block_key_width(&network->blocks[0].spec);
}

enum sotto_status sotto_cache_take(struct sotto_cache *cache, const struct sotto_network *network,
                                   struct sotto_cache_room room, struct sotto_workspace *workspace)
{
    /* The last block has an adapter if any has, and all that do are of the same ranks. */
    const struct sotto_block *block = &network->blocks[network->arch->block_count - 1];
    struct sotto_device_arena *device = &workspace->device;
    size_t kept = (size_t)network->arch->block_count * room.length_max * kept_width(network);
    struct sotto_block_shape largest = {
        .batch = 1, .length_max = room.row_max, .known = room.length_max - room.row_max};
    enum sotto_status status;

    assert(room.row_max >= 1 && room.row_max <= room.length_max);
    *cache = (struct sotto_cache){.room = room};
    if (!sotto_device_floats_take(&cache->kept, device, kept) ||
        !sotto_device_floats_take(&cache->streams, device,
                                  (size_t)2 * room.row_max * network->arch->width) ||
        !sotto_device_floats_take(&cache->rows.mean, device, room.row_max) ||
        !sotto_device_floats_take(&cache->rows.inverse_std, device, room.row_max))
        return SOTTO_NO_MEMORY;
    status = sotto_block_pass_take(&cache->pass, block, largest, device);
    if (status == SOTTO_OK)
        status = sotto_block_scratch_take(&cache->scratch, block, largest, device);
    return status;
}

void sotto_cache_extend(struct sotto_cache *cache, const struct sotto_network *network,
                        struct sotto_device_float *features, const uint32_t *tokens, uint32_t count)
{
    size_t width = network->arch->width;
    size_t kept = (size_t)cache->room.length_max * kept_width(network);
    struct sotto_device_float *x = cache->streams;
    struct sotto_device_float *y = cache->streams + cache->room.row_max * width;
    struct sotto_norm norm = sotto_network_final_norm(network);
    struct sotto_block_shape shape = {
        .batch = 1, .starts = cache->starts, .length_max = count, .known = cache->length};

    assert(count >= 1 && count <= cache->room.row_max);
    assert(count <= cache->room.length_max - cache->length);
    cache->starts[1] = count;
    sotto_embed_text(network, x, y, cache->rows, tokens, count);
    for (uint32_t i = 0; i < network->arch->block_count; i++) {
        struct sotto_device_float *read = x;

        cache->pass.kept = cache->kept + i * kept;
        sotto_block_forward(&network->blocks[i], &cache->pass, &cache->scratch, y, x, shape);
        x = y;
        y = read;
    }
    sotto_norm_forward(network->kernels, &norm, sotto_matrix_of(features, 1, width), cache->rows,
                       sotto_matrix_view_of(x + (count - 1) * width, 1, width));
    cache->length += count;
}
