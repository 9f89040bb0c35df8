/*
 * What the elementwise kernels share: the marker for functions that the compiler vectorises for
 * several processors and chooses among at run time, and an exponential that it can vectorise.
 */
#ifndef SOTTO_MODELS_KERNELS_VECTOR_H
#define SOTTO_MODELS_KERNELS_VECTOR_H

#include <stdint.h>
#include <string.h>

/* Run-time choice needs ifunc resolvers, which sanitizers instrument before they are ready. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SOTTO_VECTORISED                                                                           \
    __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define SOTTO_VECTORISED
#endif

/*
 * e^x within 3e-7 relative for x in [-87, 88]; below it is e^-87, above e^88. NaN stays NaN.
 * x = n ln 2 + r with |r| <= ln 2 / 2, and the Taylor polynomial of degree 6 in r: remainder below
 * 2e-7.
 */
static inline float sotto_vector_exp(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23: adding n makes the lowest bits of the sum n */
    float low = x < -87.0f ? -87.0f : x;
    float bounded = low > 88.0f ? 88.0f : low;
    float shifted = bounded * 1.44269504f + magic;
    float n = shifted - magic;
    /* ln 2 in two parts: n times the first one is exact. */
    float r = bounded - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.0f / 720.0f;
    uint32_t bits;
    float power;

    p = p * r + 1.0f / 120.0f;
    p = p * r + 1.0f / 24.0f;
    p = p * r + 1.0f / 6.0f;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 127) << 23;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

#endif
