#include "crypto/ring/kernels/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    LEAF1_ECX_AES = 1 << 25,
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_AVX512 = 1 << 16 | 1 << 30, /* F, BW */
    LEAF7_ECX_VAES = 1 << 9,
    XCR0_YMM = 1 << 1 | 1 << 2,
    XCR0_ZMM = XCR0_YMM | 1 << 5 | 1 << 6 | 1 << 7,
};

static bool has_all(unsigned set, unsigned wanted)
{
    return (set & wanted) == wanted;
}

/* Which registers the system saves at a switch. */
static unsigned saved_registers(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static unsigned vector_features(unsigned ebx7, unsigned ecx7, unsigned saved)
{
    unsigned features = 0;

    if (!has_all(saved, XCR0_YMM) || !has_all(ebx7, LEAF7_EBX_AVX2))
        return 0;
    features |= SOTTO_PROCESSOR_AVX2;
    if (!has_all(ecx7, LEAF7_ECX_VAES))
        return features;
    features |= SOTTO_PROCESSOR_VAES256;
    if (has_all(saved, XCR0_ZMM) && has_all(ebx7, LEAF7_EBX_AVX512))
        features |= SOTTO_PROCESSOR_VAES512;
    return features;
}

unsigned sotto_processor_features(void)
{
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx1 = 0;
    unsigned ecx7 = 0;
    unsigned edx = 0;

    if (__get_cpuid(1, &eax, &ebx, &ecx1, &edx) == 0 || !has_all(ecx1, LEAF1_ECX_AES))
        return 0;
    if (!has_all(ecx1, LEAF1_ECX_OSXSAVE) || __get_cpuid_count(7, 0, &eax, &ebx, &ecx7, &edx) == 0)
        return SOTTO_PROCESSOR_AESNI;
    return SOTTO_PROCESSOR_AESNI | vector_features(ebx, ecx7, saved_registers());
}
#else
unsigned sotto_processor_features(void)
{
    return 0;
}
#endif
