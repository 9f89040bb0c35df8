/*
 * What the processor and the system under it offer to the mask kernels.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID, leaves 1
 * and 7, and volume 1, section 13.3 (XCR0).
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_PROCESSOR_H
#define SOTTO_CRYPTO_RING_KERNELS_PROCESSOR_H

#include <stdint.h>

enum sotto_processor_feature {
    SOTTO_PROCESSOR_AESNI = 1 << 0,   /* AES-NI */
    SOTTO_PROCESSOR_AVX2 = 1 << 1,    /* and the system saves its registers */
    SOTTO_PROCESSOR_VAES256 = 1 << 2, /* VAES and AES-NI beside AVX2 */
    SOTTO_PROCESSOR_VAES512 = 1 << 3, /* and AVX-512 F and BW */
};

/* Words in which the processor and the system say it. */
struct sotto_processor_words {
    uint32_t leaf1_ecx;
    uint32_t leaf7_ebx;
    uint32_t leaf7_ecx;
    uint32_t xcr0; /* 0 where the system does not let it be read */
};

/* The features that they stand for, ored. */
unsigned sotto_processor_features_of(const struct sotto_processor_words *words);

/* The features, ored; 0 where there is no such processor. Slow under a hypervisor: ask once. */
unsigned sotto_processor_features(void);

#endif
