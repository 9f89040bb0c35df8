#include "models/kernels/packed/tile_avx512.h"

#include <string.h>

#ifdef __AVX512BF16__

#include <immintrin.h>

static void round_values(uint16_t *out, const float *in, size_t count)
{
    for (size_t i = 0; i < count; i += 32) {
        __m512bh halves =
            _mm512_cvtne2ps_pbh(_mm512_loadu_ps(in + i + 16), _mm512_loadu_ps(in + i));

        memcpy(out + i, &halves, sizeof halves);
    }
}

/* One pair of inputs in every lane. */
static inline __m512bh broadcast(const uint16_t *pair)
{
    return (__m512bh)_mm512_set1_epi32(*(const int *)(const void *)pair);
}

static inline __m512bh half_panel(const uint16_t *at)
{
    return (__m512bh)_mm512_loadu_si512(at);
}

/* For a constant count of rows the sums stay in registers. */
static inline __attribute__((always_inline)) void multiply_rows(const struct sotto_tile *tile,
                                                                const size_t rows)
{
    const uint16_t *a = tile->a;
    const uint16_t *panel = tile->panel;
    __m512 sums[SOTTO_TILE_ROWS][2];

#pragma GCC unroll 14
    for (size_t row = 0; row < rows; row++) {
        const float *c = tile->c + row * tile->c_stride;

        _mm_prefetch((const char *)c, _MM_HINT_T0);
        _mm_prefetch((const char *)(c + 16), _MM_HINT_T0);
        sums[row][0] = sums[row][1] = _mm512_setzero_ps();
    }
    for (size_t pair = 0; pair < tile->pairs; pair++) {
        __m512bh left = half_panel(panel);
        __m512bh right = half_panel(panel + 32);

#pragma GCC unroll 14
        for (size_t row = 0; row < rows; row++) {
            __m512bh each = broadcast(a + row * SOTTO_TILE_STRIDE);

            sums[row][0] = _mm512_dpbf16_ps(sums[row][0], each, left);
            sums[row][1] = _mm512_dpbf16_ps(sums[row][1], each, right);
        }
        a += 2;
        panel += 64;
    }
#pragma GCC unroll 14
    for (size_t row = 0; row < rows; row++) {
        float *c = tile->c + row * tile->c_stride;

        if (tile->adds) {
            sums[row][0] = _mm512_add_ps(sums[row][0], _mm512_loadu_ps(c));
            sums[row][1] = _mm512_add_ps(sums[row][1], _mm512_loadu_ps(c + 16));
        }
        _mm512_storeu_ps(c, sums[row][0]);
        _mm512_storeu_ps(c + 16, sums[row][1]);
    }
}

static void multiply(const struct sotto_tile *tile)
{
    for (size_t i = 0; i < tile->ahead_count; i += 32)
        _mm_prefetch((const char *)(tile->ahead + i), _MM_HINT_T0);
    switch (tile->rows) {
    case 1: multiply_rows(tile, 1); return;
    case 2: multiply_rows(tile, 2); return;
    case 3: multiply_rows(tile, 3); return;
    case 4: multiply_rows(tile, 4); return;
    case 5: multiply_rows(tile, 5); return;
    case 6: multiply_rows(tile, 6); return;
    case 7: multiply_rows(tile, 7); return;
    case 8: multiply_rows(tile, 8); return;
    case 9: multiply_rows(tile, 9); return;
    case 10: multiply_rows(tile, 10); return;
    case 11: multiply_rows(tile, 11); return;
    case 12: multiply_rows(tile, 12); return;
    case 13: multiply_rows(tile, 13); return;
    case 14: multiply_rows(tile, 14); return;
    }
}

static const struct sotto_tile_kernel avx512 = {round_values, multiply};

const struct sotto_tile_kernel *sotto_tile_avx512(void)
{
    if (__builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl"))
        return &avx512;
    return NULL;
}

#else

const struct sotto_tile_kernel *sotto_tile_avx512(void)
{
    return NULL;
}

#endif
