/*
 * Weights that the next panel of a product will read, fetched while this one is multiplied: they
 * come from main memory. In shares, one after each tile, so that fetches do not queue up.
 */
#ifndef SOTTO_MODELS_KERNELS_PACKED_AHEAD_H
#define SOTTO_MODELS_KERNELS_PACKED_AHEAD_H

#include <stddef.h>

enum { SOTTO_CACHE_LINE = 64 };

/* Pieces of memory at equal distances. */
struct sotto_ahead {
    const char *at;
    size_t count;  /* of pieces; 0: nothing */
    size_t bytes;  /* of a piece */
    size_t stride; /* bytes from one piece to the next */
};

static inline void sotto_ahead_fetch(const struct sotto_ahead *ahead, size_t share, size_t shares)
{
    size_t lines = (ahead->bytes + SOTTO_CACHE_LINE - 1) / SOTTO_CACHE_LINE;
    size_t first = ahead->count * lines * share / shares;
    size_t left = ahead->count * lines * (share + 1) / shares - first;

    for (size_t piece = lines == 0 ? 0 : first / lines; left > 0; piece++) {
        size_t line = first - piece * lines;
        size_t count = lines - line < left ? lines - line : left;
        const char *at = ahead->at + piece * ahead->stride + line * SOTTO_CACHE_LINE;

        for (size_t i = 0; i < count; i++)
            __builtin_prefetch(at + i * SOTTO_CACHE_LINE, 0, 3);
        first += count;
        left -= count;
    }
}

#endif
