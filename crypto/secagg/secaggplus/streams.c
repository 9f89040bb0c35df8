#include "crypto/secagg/secaggplus/streams.h"

enum { TILE_LANES = SOTTO_MASK_TILE_BYTES / 4 };

static void apply_tile(uint32_t *lanes, struct sotto_lane_window tile,
                       const struct sotto_stream *stream, unsigned ring_bits, struct sotto_prg *prg)
{
    switch (stream->use) {
    case SOTTO_STREAM_UNUSED: break;
    case SOTTO_STREAM_ADDED: sotto_mask_add(lanes, tile, &stream->key, ring_bits, prg); break;
    case SOTTO_STREAM_SUBTRACTED:
        sotto_mask_subtract(lanes, tile, &stream->key, ring_bits, prg);
        break;
    }
}

enum sotto_status sotto_streams_apply(uint32_t *lanes, struct sotto_lane_window window,
                                      const struct sotto_stream *streams, size_t stream_count,
                                      unsigned ring_bits)
{
    struct sotto_prg prg;
    enum sotto_status status = sotto_prg_open(&prg);

    if (status != SOTTO_OK)
        return status;
    for (size_t done = 0; done < window.count; done += TILE_LANES) {
        size_t left = window.count - done;
        struct sotto_lane_window tile = {.first = window.first + done,
                                         .count = left < TILE_LANES ? left : TILE_LANES};

        for (size_t i = 0; i < stream_count; i++)
            apply_tile(lanes + done, tile, &streams[i], ring_bits, &prg);
    }
    sotto_prg_close(&prg);
    return SOTTO_OK;
}
