#include "crypto/ring/mask.h"

#include <assert.h>
#include <string.h>

#include "crypto/ring/kernels/kernels.h"
#include "crypto/ring/kernels/processor.h"
#include "crypto/ring/lanes.h"

enum { BLOCK_BYTES = 16, TILE_LANES = 4 * 1024 };

enum sotto_status sotto_masking_open(struct sotto_masking *masking)
{
    return sotto_masking_open_with(masking, sotto_mask_kernel_best(sotto_processor_features()));
}

enum sotto_status sotto_masking_open_with(struct sotto_masking *masking,
                                          const struct sotto_mask_kernel *kernel)
{
    masking->kernel = kernel;
    return sotto_prg_open(&masking->prg);
}

void sotto_masking_close(struct sotto_masking *masking)
{
    sotto_prg_close(&masking->prg);
}

static void apply(struct sotto_mask_pass *pass, struct sotto_lane_window window,
                  const struct sotto_secret *key, struct sotto_masking *masking)
{
    const size_t word_bytes = pass->is_narrow ? sizeof(uint16_t) : sizeof(uint32_t);

    assert(window.first % 8 == 0);
    pass->word_count = window.count;
    pass->block_first = (uint64_t)window.first * word_bytes / BLOCK_BYTES;
    masking->kernel->apply(pass, key, &masking->prg);
}

void sotto_mask_add_narrow(uint16_t *sums, struct sotto_lane_window window,
                           const struct sotto_secret *key, struct sotto_masking *masking)
{
    struct sotto_mask_pass pass = {.words = sums, .is_narrow = true};

    apply(&pass, window, key, masking);
}

void sotto_mask_subtract_narrow(uint16_t *sums, struct sotto_lane_window window,
                                const struct sotto_secret *key, struct sotto_masking *masking)
{
    struct sotto_mask_pass pass = {.words = sums, .is_narrow = true, .is_subtracted = true};

    apply(&pass, window, key, masking);
}

typedef void combine_narrow(uint32_t *lanes, const uint16_t *other, size_t lane_count);

/* Lanes take the mask mod 2^16 as it is, so it is made apart from them. */
static void tiles_apply(combine_narrow *combine, uint32_t *lanes, struct sotto_lane_window window,
                        const struct sotto_secret *key, struct sotto_masking *masking)
{
    _Alignas(64) uint16_t tile[TILE_LANES];

    for (size_t done = 0; done < window.count; done += TILE_LANES) {
        size_t left = window.count - done;
        struct sotto_lane_window part = {window.first + done,
                                         left < TILE_LANES ? left : TILE_LANES};

        memset(tile, 0, sizeof tile);
        sotto_mask_add_narrow(tile, part, key, masking);
        combine(lanes + done, tile, part.count);
    }
    sotto_wipe(tile, sizeof tile);
}

void sotto_mask_add(uint32_t *lanes, struct sotto_lane_window window,
                    const struct sotto_secret *key, unsigned ring_bits,
                    struct sotto_masking *masking)
{
    struct sotto_mask_pass pass = {.words = lanes};

    assert(ring_bits >= 1 && ring_bits <= 32);
    if (ring_bits <= 16)
        tiles_apply(sotto_lanes_add_narrow, lanes, window, key, masking);
    else
        apply(&pass, window, key, masking);
}

void sotto_mask_subtract(uint32_t *lanes, struct sotto_lane_window window,
                         const struct sotto_secret *key, unsigned ring_bits,
                         struct sotto_masking *masking)
{
    struct sotto_mask_pass pass = {.words = lanes, .is_subtracted = true};

    assert(ring_bits >= 1 && ring_bits <= 32);
    if (ring_bits <= 16)
        tiles_apply(sotto_lanes_subtract_narrow, lanes, window, key, masking);
    else
        apply(&pass, window, key, masking);
}
