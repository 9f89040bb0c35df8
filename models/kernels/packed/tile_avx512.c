#include "models/kernels/packed/tile_avx512.h"

#include <string.h>

#ifdef __AVX512BF16__

#include <immintrin.h>

#include "models/kernels/packed/packed.h"

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

static inline __attribute__((always_inline)) void add(__m512 sums[2], const float *values)
{
    sums[0] = _mm512_add_ps(sums[0], _mm512_loadu_ps(values));
    sums[1] = _mm512_add_ps(sums[1], _mm512_loadu_ps(values + 16));
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

        if (tile->adds)
            add(sums[row], c);
        if (tile->bias != NULL)
            add(sums[row], tile->bias);
        if (tile->residual != NULL)
            add(sums[row], tile->residual + row * tile->residual_stride);
        _mm512_storeu_ps(c, sums[row][0]);
        _mm512_storeu_ps(c + 16, sums[row][1]);
    }
}

static void multiply(const struct sotto_tile *tile)
{
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

/* 16 bytes each of every second row from `at` on, one after another. */
static inline __m512i lanes_of(const uint16_t *at)
{
    enum { ROW = 2 * SOTTO_PANEL_WIDTH };
    __m512i lanes = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(const void *)at));

    lanes = _mm512_mask_broadcast_i32x4(
        lanes, 0x00f0, _mm_loadu_si128((const __m128i *)(const void *)(at + 2 * ROW)));
    lanes = _mm512_mask_broadcast_i32x4(
        lanes, 0x0f00, _mm_loadu_si128((const __m128i *)(const void *)(at + 4 * ROW)));
    return _mm512_mask_broadcast_i32x4(
        lanes, 0xf000, _mm_loadu_si128((const __m128i *)(const void *)(at + 6 * ROW)));
}

/*
 * Eight pairs of columns by eight pairs of rows. 64 bits hold the four weights of a pair of each:
 * they change places among themselves, and as elements of a matrix that is transposed.
 */
static inline void turn_part(uint16_t *out, const uint16_t *square)
{
    /* Of even rows' 128 bits and odd rows', the first 64 or the last; odd rows' begin at 32. */
    const __m512i first =
        _mm512_set_epi16(59, 57, 58, 56, 27, 25, 26, 24, 51, 49, 50, 48, 19, 17, 18, 16, 43, 41, 42,
                         40, 11, 9, 10, 8, 35, 33, 34, 32, 3, 1, 2, 0);
    const __m512i last = _mm512_add_epi16(first, _mm512_set1_epi16(4));

#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        __m512i even = lanes_of(square + 8 * i);
        __m512i odd = lanes_of(square + 2 * SOTTO_PANEL_WIDTH + 8 * i);

        _mm512_storeu_si512(out + 4 * i * SOTTO_PANEL_WIDTH,
                            _mm512_permutex2var_epi16(even, first, odd));
        _mm512_storeu_si512(out + (4 * i + 2) * SOTTO_PANEL_WIDTH,
                            _mm512_permutex2var_epi16(even, last, odd));
    }
}

static void turn(uint16_t *out, const uint16_t *square)
{
    turn_part(out, square);
    turn_part(out + 32, square + 8 * 64);
    turn_part(out + 8 * 64, square + 32);
    turn_part(out + 8 * 64 + 32, square + 8 * 64 + 32);
}

static const struct sotto_tile_kernel avx512 = {round_values, multiply, turn};

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
