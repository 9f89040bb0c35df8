/*
 * What the product's files share: the marker for functions that are compiled for AVX-512, whatever
 * else is, and masks of its vectors.
 */
#ifndef SOTTO_MODELS_KERNELS_WIDE_VECTOR_H
#define SOTTO_MODELS_KERNELS_WIDE_VECTOR_H

#include <immintrin.h>
#include <stddef.h>

#define SOTTO_WIDE        __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma")))
#define SOTTO_WIDE_INLINE inline __attribute__((always_inline)) SOTTO_WIDE

enum { SOTTO_WIDE_LANES = 16 /* of a vector */ };

/* The first `count` lanes of a vector, or all. */
static SOTTO_WIDE_INLINE __mmask16 sotto_wide_lanes(size_t count)
{
    return (__mmask16)(count >= SOTTO_WIDE_LANES ? 0xffffu : (1u << count) - 1);
}

#endif
