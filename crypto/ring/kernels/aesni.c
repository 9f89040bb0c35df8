#include "crypto/ring/kernels/aesni.h"

#include <immintrin.h>

#include "crypto/ring/kernels/processor.h"

typedef __m128i vector;

enum { VECTORS = 8 };

#define INLINED inline __attribute__((always_inline))

static INLINED vector vector_spread(__m128i block)
{
    return block;
}

/* From an aligned place. */
static INLINED vector vector_load(const void *at)
{
    return _mm_load_si128(at);
}

static INLINED vector vector_xor(vector left, vector right)
{
    return _mm_xor_si128(left, right);
}

static INLINED vector vector_round(vector blocks, vector key)
{
    return _mm_aesenc_si128(blocks, key);
}

static INLINED vector vector_round_last(vector blocks, vector key)
{
    return _mm_aesenclast_si128(blocks, key);
}

static INLINED void vector_combine(void *words, vector other, bool is_narrow, bool is_subtracted)
{
    vector old = _mm_loadu_si128(words);

    if (is_narrow && is_subtracted)
        _mm_storeu_si128(words, _mm_sub_epi16(old, other));
    else if (is_narrow)
        _mm_storeu_si128(words, _mm_add_epi16(old, other));
    else if (is_subtracted)
        _mm_storeu_si128(words, _mm_sub_epi32(old, other));
    else
        _mm_storeu_si128(words, _mm_add_epi32(old, other));
}

#include "crypto/ring/kernels/fused.h"

const struct sotto_mask_kernel sotto_mask_aesni = {
    .name = "aesni", .needs = SOTTO_PROCESSOR_AESNI, .apply = fused_apply};
