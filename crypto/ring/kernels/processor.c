#include "crypto/ring/kernels/processor.h"

#include <stdbool.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

enum {
    LEAF1_ECX_AES = 1 << 25,
    LEAF1_ECX_OSXSAVE = 1 << 27,
    LEAF7_EBX_AVX2 = 1 << 5,
    LEAF7_EBX_AVX512 = 1 << 16 | 1 << 30, /* F, BW */
    LEAF7_ECX_VAES = 1 << 9,
    XCR0_YMM = 1 << 1 | 1 << 2,
    XCR0_ZMM = XCR0_YMM | 1 << 5 | 1 << 6 | 1 << 7,
};

static bool has_all(uint32_t set, uint32_t wanted)
{
    return (set & wanted) == wanted;
}

/* A hypervisor may hide any of them from its guest, and leave the others. */
unsigned sotto_processor_features_of(const struct sotto_processor_words *words)
{
    bool has_aes = has_all(words->leaf1_ecx, LEAF1_ECX_AES);
    unsigned features = has_aes ? SOTTO_PROCESSOR_AESNI : 0;

    if (!has_all(words->leaf1_ecx, LEAF1_ECX_OSXSAVE) || !has_all(words->xcr0, XCR0_YMM) ||
        !has_all(words->leaf7_ebx, LEAF7_EBX_AVX2))
        return features;
    features |= SOTTO_PROCESSOR_AVX2;
    if (!has_aes || !has_all(words->leaf7_ecx, LEAF7_ECX_VAES))
        return features;
    features |= SOTTO_PROCESSOR_VAES256;
    if (has_all(words->xcr0, XCR0_ZMM) && has_all(words->leaf7_ebx, LEAF7_EBX_AVX512))
        features |= SOTTO_PROCESSOR_VAES512;
    return features;
}

#if defined(__x86_64__)
/* Which registers the system saves at a switch. */
static uint32_t saved_registers(void)
{
    uint32_t low;
    uint32_t high;

    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

unsigned sotto_processor_features(void)
{
    struct sotto_processor_words words = {0};
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned edx = 0;

    if (__get_cpuid(1, &eax, &ebx, &words.leaf1_ecx, &edx) == 0)
        return 0;
    if (has_all(words.leaf1_ecx, LEAF1_ECX_OSXSAVE))
        words.xcr0 = saved_registers();
    if (__get_cpuid_count(7, 0, &eax, &words.leaf7_ebx, &words.leaf7_ecx, &edx) == 0)
        words.leaf7_ebx = words.leaf7_ecx = 0;
    return sotto_processor_features_of(&words);
}
#else
unsigned sotto_processor_features(void)
{
    return 0;
}
#endif
