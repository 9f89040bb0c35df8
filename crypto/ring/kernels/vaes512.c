#include "crypto/ring/kernels/vaes512.h"

#include <immintrin.h>

#include "crypto/ring/kernels/processor.h"

typedef __m512i vector;

enum { VECTORS = 8 };

#define INLINED inline __attribute__((always_inline))

static INLINED vector vector_spread(__m128i block)
{
    return _mm512_broadcast_i32x4(block);
}

/* From an aligned place. */
static INLINED vector vector_load(const void *at)
{
    return _mm512_load_si512(at);
}

static INLINED vector vector_xor(vector left, vector right)
{
    return _mm512_xor_si512(left, right);
}

static INLINED vector vector_round(vector blocks, vector key)
{
    return _mm512_aesenc_epi128(blocks, key);
}

static INLINED vector vector_round_last(vector blocks, vector key)
{
    return _mm512_aesenclast_epi128(blocks, key);
}

static INLINED void vector_combine(void *words, vector other, bool is_narrow, bool is_subtracted)
{
    vector old = _mm512_loadu_si512(words);

    if (is_narrow && is_subtracted)
        _mm512_storeu_si512(words, _mm512_sub_epi16(old, other));
    else if (is_narrow)
        _mm512_storeu_si512(words, _mm512_add_epi16(old, other));
    else if (is_subtracted)
        _mm512_storeu_si512(words, _mm512_sub_epi32(old, other));
    else
        _mm512_storeu_si512(words, _mm512_add_epi32(old, other));
}

#include "crypto/ring/kernels/fused.h"

const struct sotto_mask_kernel sotto_mask_vaes512 = {
    .name = "vaes512", .needs = SOTTO_PROCESSOR_VAES512, .apply = fused_apply};
