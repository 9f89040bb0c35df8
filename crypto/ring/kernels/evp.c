#include "crypto/ring/kernels/evp.h"

#include "crypto/ring/kernels/combine.h"

/* Beside as much of zeros, that EVP reads, and of words, it leaves room in the L1 cache. */
enum { TILE_BYTES = 8 * 1024, BLOCK_BYTES = 16 };

void sotto_mask_evp_apply(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                          struct sotto_prg *prg,
                          void (*combine)(const struct sotto_mask_pass *pass, size_t first,
                                          size_t count, const uint8_t *stream))
{
    const size_t word_bytes = sotto_mask_word_bytes(pass);
    const size_t tile_words = TILE_BYTES / word_bytes;
    _Alignas(64) uint8_t tile[TILE_BYTES];

    sotto_prg_seek(prg, key, pass->block_first * BLOCK_BYTES);
    for (size_t done = 0; done < pass->word_count; done += tile_words) {
        size_t left = pass->word_count - done;
        size_t count = left < tile_words ? left : tile_words;

        sotto_prg_next(prg, tile, count * word_bytes);
        combine(pass, done, count, tile);
    }
    sotto_wipe(tile, sizeof tile);
}

static void apply(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                  struct sotto_prg *prg)
{
    sotto_mask_evp_apply(pass, key, prg, sotto_combine);
}

const struct sotto_mask_kernel sotto_mask_evp = {.name = "evp", .needs = 0, .apply = apply};
