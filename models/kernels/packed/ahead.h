/*
 * Weights that the next panel of a product will read, fetched while this one is multiplied: they
 * come from main memory. In shares, one after each tile, so that fetches do not queue up.
 */
#ifndef SOTTO_MODELS_KERNELS_PACKED_AHEAD_H
#define SOTTO_MODELS_KERNELS_PACKED_AHEAD_H

#include <stddef.h>

enum { SOTTO_CACHE_LINE = 64, SOTTO_AHEAD_LINES = 8 /* fetched at once */ };

/* Pieces of memory at equal distances. */
struct sotto_ahead {
    const char *at;
    size_t count;  /* of pieces; 0: nothing */
    size_t bytes;  /* of a piece */
    size_t stride; /* bytes from one piece to the next */
};

/* On the way through them, some lines at a time. */
struct sotto_fetching {
    struct sotto_ahead ahead; /* those left */
    size_t done;              /* bytes of the first of them */
    size_t share;             /* times SOTTO_AHEAD_LINES lines */
};

static inline struct sotto_fetching sotto_fetching_of(struct sotto_ahead ahead, size_t shares)
{
    const size_t bytes = SOTTO_AHEAD_LINES * SOTTO_CACHE_LINE;
    size_t steps = ahead.count * ((ahead.bytes + bytes - 1) / bytes);

    return (struct sotto_fetching){ahead, 0, (steps + shares - 1) / shares};
}

static inline void sotto_fetching_go_on(struct sotto_fetching *fetching)
{
    struct sotto_ahead *ahead = &fetching->ahead;

    for (size_t i = 0; i < fetching->share && ahead->count > 0; i++) {
        const size_t first = fetching->done;

        for (size_t line = 0;
             line < SOTTO_AHEAD_LINES && first + line * SOTTO_CACHE_LINE < ahead->bytes; line++)
            __builtin_prefetch(ahead->at + first + line * SOTTO_CACHE_LINE, 0, 3);
        fetching->done += SOTTO_AHEAD_LINES * SOTTO_CACHE_LINE;
        if (fetching->done >= ahead->bytes) {
            fetching->done = 0;
            ahead->at += ahead->stride;
            ahead->count--;
        }
    }
}

#endif
