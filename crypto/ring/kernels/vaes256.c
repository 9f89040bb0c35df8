#include "crypto/ring/kernels/vaes256.h"

#include <immintrin.h>

#include "crypto/ring/kernels/processor.h"

typedef __m256i vector;

enum { VECTORS = 8 };

#define INLINED inline __attribute__((always_inline))

static INLINED vector vector_spread(__m128i block)
{
    return _mm256_broadcastsi128_si256(block);
}

/* From an aligned place. */
static INLINED vector vector_load(const void *at)
{
    return _mm256_load_si256(at);
}

static INLINED vector vector_xor(vector left, vector right)
{
    return _mm256_xor_si256(left, right);
}

static INLINED vector vector_round(vector blocks, vector key)
{
    return _mm256_aesenc_epi128(blocks, key);
}

static INLINED vector vector_round_last(vector blocks, vector key)
{
    return _mm256_aesenclast_epi128(blocks, key);
}

static INLINED void vector_combine(void *words, vector other, bool is_narrow, bool is_subtracted)
{
    vector old = _mm256_loadu_si256(words);

    if (is_narrow && is_subtracted)
        _mm256_storeu_si256(words, _mm256_sub_epi16(old, other));
    else if (is_narrow)
        _mm256_storeu_si256(words, _mm256_add_epi16(old, other));
    else if (is_subtracted)
        _mm256_storeu_si256(words, _mm256_sub_epi32(old, other));
    else
        _mm256_storeu_si256(words, _mm256_add_epi32(old, other));
}

#include "crypto/ring/kernels/fused.h"

const struct sotto_mask_kernel sotto_mask_vaes256 = {
    .name = "vaes256", .needs = SOTTO_PROCESSOR_VAES256, .apply = fused_apply};
