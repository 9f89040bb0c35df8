#include "crypto/secagg/secaggplus/streams.h"

/*
 * Small enough for the second-level cache, large enough that re-keying costs little beside its
 * stream.
 */
enum { BLOCK_BYTES = 4 * SOTTO_MASK_TILE_BYTES, BLOCK_LANES = BLOCK_BYTES / 4 };

static void apply_stream(uint32_t *lanes, struct sotto_lane_window block,
                         const struct sotto_stream *stream, unsigned ring_bits,
                         struct sotto_prg *prg)
{
    switch (stream->use) {
    case SOTTO_STREAM_UNUSED: break;
    case SOTTO_STREAM_ADDED: sotto_mask_add(lanes, block, &stream->key, ring_bits, prg); break;
    case SOTTO_STREAM_SUBTRACTED:
        sotto_mask_subtract(lanes, block, &stream->key, ring_bits, prg);
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
    for (size_t done = 0; done < window.count; done += BLOCK_LANES) {
        size_t left = window.count - done;
        struct sotto_lane_window block = {.first = window.first + done,
                                          .count = left < BLOCK_LANES ? left : BLOCK_LANES};

        for (size_t i = 0; i < stream_count; i++)
            apply_stream(lanes + done, block, &streams[i], ring_bits, &prg);
    }
    sotto_prg_close(&prg);
    return SOTTO_OK;
}
