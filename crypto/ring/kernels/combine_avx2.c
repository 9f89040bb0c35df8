#include "crypto/ring/kernels/combine_avx2.h"

#include <immintrin.h>

#include "crypto/ring/kernels/combine.h"

enum { VECTOR_BYTES = sizeof(__m256i) };

static inline __attribute__((always_inline)) __m256i combined(__m256i old, __m256i words,
                                                              bool is_narrow, bool is_subtracted)
{
    if (is_narrow)
        return is_subtracted ? _mm256_sub_epi16(old, words) : _mm256_add_epi16(old, words);
    return is_subtracted ? _mm256_sub_epi32(old, words) : _mm256_add_epi32(old, words);
}

/* Whole vectors; returns their bytes. Inlined with constants for the two flags. */
static inline __attribute__((always_inline)) size_t vectors(uint8_t *words, const uint8_t *stream,
                                                            size_t length, bool is_narrow,
                                                            bool is_subtracted)
{
    size_t done = 0;

    for (; length - done >= VECTOR_BYTES; done += VECTOR_BYTES) {
        __m256i old = _mm256_loadu_si256((const void *)(words + done));
        __m256i other = _mm256_loadu_si256((const void *)(stream + done));

        _mm256_storeu_si256((void *)(words + done), combined(old, other, is_narrow, is_subtracted));
    }
    return done;
}

void sotto_combine_avx2(const struct sotto_mask_pass *pass, size_t first, size_t count,
                        const uint8_t *stream)
{
    const size_t word_bytes = sotto_mask_word_bytes(pass);
    uint8_t *words = (uint8_t *)pass->words + first * word_bytes;
    size_t done;

    if (pass->is_narrow && pass->is_subtracted)
        done = vectors(words, stream, count * word_bytes, true, true);
    else if (pass->is_narrow)
        done = vectors(words, stream, count * word_bytes, true, false);
    else if (pass->is_subtracted)
        done = vectors(words, stream, count * word_bytes, false, true);
    else
        done = vectors(words, stream, count * word_bytes, false, false);
    sotto_combine(pass, first + done / word_bytes, count - done / word_bytes, stream + done);
}
