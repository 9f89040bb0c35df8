#include "crypto/ring/kernels/schedule.h"

#include <immintrin.h>

_Alignas(64) const uint8_t sotto_aes_offsets[SOTTO_AES_RUN_BLOCKS_MAX][SOTTO_AES_BLOCK_BYTES] = {
    {[15] = 0},  {[15] = 1},  {[15] = 2},  {[15] = 3},  {[15] = 4},  {[15] = 5},  {[15] = 6},
    {[15] = 7},  {[15] = 8},  {[15] = 9},  {[15] = 10}, {[15] = 11}, {[15] = 12}, {[15] = 13},
    {[15] = 14}, {[15] = 15}, {[15] = 16}, {[15] = 17}, {[15] = 18}, {[15] = 19}, {[15] = 20},
    {[15] = 21}, {[15] = 22}, {[15] = 23}, {[15] = 24}, {[15] = 25}, {[15] = 26}, {[15] = 27},
    {[15] = 28}, {[15] = 29}, {[15] = 30}, {[15] = 31},
};

/* Each word of four xored with all before it. */
static __m128i running_xor(__m128i words)
{
    words = _mm_xor_si128(words, _mm_slli_si128(words, 4));
    return _mm_xor_si128(words, _mm_slli_si128(words, 8));
}

/* SubWord(RotWord(last word of `other`)) xor the round's constant, then the running xor. */
static __m128i even_next(__m128i words, __m128i other, int round_constant)
{
    __m128i substituted = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(other, 0), 0xff);

    substituted = _mm_xor_si128(substituted, _mm_set1_epi32(round_constant));
    return _mm_xor_si128(running_xor(words), substituted);
}

/* The same without rotation and constant, halfway through a key of eight words. */
static __m128i odd_next(__m128i words, __m128i other)
{
    __m128i substituted = _mm_shuffle_epi32(_mm_aeskeygenassist_si128(other, 0), 0xaa);

    return _mm_xor_si128(running_xor(words), substituted);
}

void sotto_aes_schedule_expand(struct sotto_aes_schedule *schedule, const struct sotto_secret *key)
{
    __m128i even = _mm_loadu_si128((const void *)key->bytes);
    __m128i odd = _mm_loadu_si128((const void *)(key->bytes + SOTTO_AES_BLOCK_BYTES));

    _mm_store_si128((void *)schedule->round_keys[0], even);
    _mm_store_si128((void *)schedule->round_keys[1], odd);
    for (int round = 2; round < SOTTO_AES256_ROUND_KEYS; round += 2) {
        even = even_next(even, odd, 1 << (round / 2 - 1));
        _mm_store_si128((void *)schedule->round_keys[round], even);
        if (round + 1 < SOTTO_AES256_ROUND_KEYS) {
            odd = odd_next(odd, even);
            _mm_store_si128((void *)schedule->round_keys[round + 1], odd);
        }
    }
}
