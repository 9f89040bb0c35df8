#include "crypto/secagg/secaggplus/streams.h"

#include "crypto/ring/lanes.h"

/*
 * Small enough for the second-level cache, large enough that re-keying costs little beside its
 * stream.
 */
enum { BLOCK_LANES = 32 * 1024 };

static void apply_wide(uint32_t *lanes, struct sotto_lane_window block,
                       const struct sotto_stream *stream, unsigned ring_bits,
                       struct sotto_masking *masking)
{
    switch (stream->use) {
    case SOTTO_STREAM_UNUSED: break;
    case SOTTO_STREAM_ADDED: sotto_mask_add(lanes, block, &stream->key, ring_bits, masking); break;
    case SOTTO_STREAM_SUBTRACTED:
        sotto_mask_subtract(lanes, block, &stream->key, ring_bits, masking);
        break;
    }
}

static void apply_narrow(uint16_t *sums, struct sotto_lane_window block,
                         const struct sotto_stream *stream, struct sotto_masking *masking)
{
    switch (stream->use) {
    case SOTTO_STREAM_UNUSED: break;
    case SOTTO_STREAM_ADDED: sotto_mask_add_narrow(sums, block, &stream->key, masking); break;
    case SOTTO_STREAM_SUBTRACTED:
        sotto_mask_subtract_narrow(sums, block, &stream->key, masking);
        break;
    }
}

/* The masks of narrow lanes are summed up apart, and added to the lanes once. */
static void block_narrow(uint32_t *lanes, struct sotto_lane_window block,
                         const struct sotto_stream *streams, size_t stream_count,
                         struct sotto_masking *masking)
{
    _Alignas(64) uint16_t sums[BLOCK_LANES] = {0};

    for (size_t i = 0; i < stream_count; i++)
        apply_narrow(sums, block, &streams[i], masking);
    sotto_lanes_add_narrow(lanes, sums, block.count);
    sotto_wipe(sums, sizeof sums);
}

void sotto_streams_apply_with(struct sotto_masking *masking, uint32_t *lanes,
                              struct sotto_lane_window window, const struct sotto_stream *streams,
                              size_t stream_count, unsigned ring_bits)
{
    for (size_t done = 0; done < window.count; done += BLOCK_LANES) {
        size_t left = window.count - done;
        struct sotto_lane_window block = {.first = window.first + done,
                                          .count = left < BLOCK_LANES ? left : BLOCK_LANES};

        if (ring_bits <= 16)
            block_narrow(lanes + done, block, streams, stream_count, masking);
        for (size_t i = 0; i < stream_count && ring_bits > 16; i++)
            apply_wide(lanes + done, block, &streams[i], ring_bits, masking);
    }
}

enum sotto_status sotto_streams_apply(uint32_t *lanes, struct sotto_lane_window window,
                                      const struct sotto_stream *streams, size_t stream_count,
                                      unsigned ring_bits)
{
    struct sotto_masking masking;
    enum sotto_status status = sotto_masking_open(&masking);

    if (status != SOTTO_OK)
        return status;
    sotto_streams_apply_with(&masking, lanes, window, streams, stream_count, ring_bits);
    sotto_masking_close(&masking);
    return SOTTO_OK;
}
