#include "models/kernels/wide/tile.h"

#if defined(__x86_64__)

#include "models/kernels/wide/vector.h"

/* The lanes of a tile's second vector. */
static SOTTO_WIDE_INLINE __mmask16 lanes_beyond(size_t columns)
{
    return sotto_wide_lanes(columns <= SOTTO_WIDE_LANES ? 0 : columns - SOTTO_WIDE_LANES);
}

static SOTTO_WIDE_INLINE void store(float *c, __m512 sum, __mmask16 mask, float alpha, float beta)
{
    __m512 result = _mm512_mul_ps(sum, _mm512_set1_ps(alpha));

    if (beta != 0.0f)
        result = _mm512_fmadd_ps(_mm512_set1_ps(beta), _mm512_maskz_loadu_ps(mask, c), result);
    _mm512_mask_storeu_ps(c, mask, result);
}

/* What row i's sums begin with, in columns `first` on. */
static SOTTO_WIDE_INLINE __m512 addend(const struct sotto_wide_tile *tile, size_t i, size_t first,
                                       __mmask16 mask)
{
    __m512 sum = _mm512_setzero_ps();

    if (tile->bias != NULL)
        sum = _mm512_maskz_loadu_ps(mask, tile->bias + first);
    if (tile->residual != NULL)
        sum = _mm512_add_ps(
            sum, _mm512_maskz_loadu_ps(mask, tile->residual + i * tile->residual_stride + first));
    return sum;
}

/* Results beyond the caches come while their sums are made. */
static SOTTO_WIDE_INLINE void fetch_results(const struct sotto_wide_tile *tile, size_t rows,
                                            size_t vectors)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < vectors; j++)
            __builtin_prefetch(tile->c + i * tile->c_stride + j * SOTTO_WIDE_LANES, 1, 3);
    }
}

/* `rows` and `vectors` are constants where this is inlined, so that the sums are registers. */
static SOTTO_WIDE_INLINE void multiply(const struct sotto_wide_tile *tile, const size_t rows,
                                       const size_t vectors)
{
    const __mmask16 mask[2] = {sotto_wide_lanes(tile->columns), lanes_beyond(tile->columns)};
    const size_t depth = tile->depth;
    const size_t stride = tile->b_stride;
    const float *a = tile->a;
    const float *b = tile->b;
    __m512 sums[SOTTO_WIDE_ROWS][2];

#pragma GCC unroll 14
    for (size_t i = 0; i < rows; i++)
        sums[i][0] = sums[i][1] = _mm512_setzero_ps();
    if (tile->bias != NULL || tile->residual != NULL) {
#pragma GCC unroll 14
        for (size_t i = 0; i < rows; i++) {
            sums[i][0] = addend(tile, i, 0, mask[0]);
            sums[i][1] = addend(tile, i, SOTTO_WIDE_LANES, mask[1]);
        }
    }
    if (tile->is_far)
        fetch_results(tile, rows, vectors);
    for (size_t k = 0; k < depth; k++) {
        __m512 low = _mm512_loadu_ps(b);
        __m512 high = vectors == 2 ? _mm512_loadu_ps(b + SOTTO_WIDE_LANES) : _mm512_setzero_ps();

#pragma GCC unroll 14
        for (size_t i = 0; i < rows; i++) {
            __m512 left = _mm512_set1_ps(a[i * SOTTO_WIDE_STRIDE]);

            sums[i][0] = _mm512_fmadd_ps(left, low, sums[i][0]);
            if (vectors == 2)
                sums[i][1] = _mm512_fmadd_ps(left, high, sums[i][1]);
        }
        a++;
        b += stride;
    }
#pragma GCC unroll 14
    for (size_t i = 0; i < rows; i++) {
        store(tile->c + i * tile->c_stride, sums[i][0], mask[0], tile->alpha, tile->beta);
        if (vectors == 2)
            store(tile->c + i * tile->c_stride + SOTTO_WIDE_LANES, sums[i][1], mask[1], tile->alpha,
                  tile->beta);
    }
}

static SOTTO_WIDE void multiply_narrow(const struct sotto_wide_tile *tile, size_t rows)
{
    switch (rows) {
    case 1: multiply(tile, 1, 1); break;
    case 2: multiply(tile, 2, 1); break;
    case 3: multiply(tile, 3, 1); break;
    case 4: multiply(tile, 4, 1); break;
    case 5: multiply(tile, 5, 1); break;
    case 6: multiply(tile, 6, 1); break;
    case 7: multiply(tile, 7, 1); break;
    case 8: multiply(tile, 8, 1); break;
    case 9: multiply(tile, 9, 1); break;
    case 10: multiply(tile, 10, 1); break;
    case 11: multiply(tile, 11, 1); break;
    case 12: multiply(tile, 12, 1); break;
    case 13: multiply(tile, 13, 1); break;
    default: multiply(tile, SOTTO_WIDE_ROWS, 1); break;
    }
}

static SOTTO_WIDE void multiply_wide(const struct sotto_wide_tile *tile, size_t rows)
{
    switch (rows) {
    case 1: multiply(tile, 1, 2); break;
    case 2: multiply(tile, 2, 2); break;
    case 3: multiply(tile, 3, 2); break;
    case 4: multiply(tile, 4, 2); break;
    case 5: multiply(tile, 5, 2); break;
    case 6: multiply(tile, 6, 2); break;
    case 7: multiply(tile, 7, 2); break;
    case 8: multiply(tile, 8, 2); break;
    case 9: multiply(tile, 9, 2); break;
    case 10: multiply(tile, 10, 2); break;
    case 11: multiply(tile, 11, 2); break;
    case 12: multiply(tile, 12, 2); break;
    case 13: multiply(tile, 13, 2); break;
    default: multiply(tile, SOTTO_WIDE_ROWS, 2); break;
    }
}

/* Tiles of heights that differ by at most one. */
void sotto_wide_tiles_multiply(struct sotto_wide_tile tile, size_t rows, struct sotto_ahead next)
{
    size_t tiles = (rows + SOTTO_WIDE_ROWS - 1) / SOTTO_WIDE_ROWS;
    size_t height = rows / tiles;
    size_t taller = rows % tiles;
    struct sotto_fetching fetching = sotto_fetching_of(next, tiles);

    for (size_t i = 0; i < tiles; i++) {
        size_t own = height + (i < taller ? 1 : 0);

        if (tile.columns <= SOTTO_WIDE_LANES)
            multiply_narrow(&tile, own);
        else
            multiply_wide(&tile, own);
        sotto_fetching_go_on(&fetching);
        tile.a += own * SOTTO_WIDE_STRIDE;
        tile.c += own * tile.c_stride;
        if (tile.residual != NULL)
            tile.residual += own * tile.residual_stride;
    }
}

#endif
