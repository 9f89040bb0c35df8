/*
 * What the processor and the system under it offer to the mask kernels.
 * Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID, leaves 1
 * and 7, and volume 1, section 13.3 (XCR0).
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_PROCESSOR_H
#define SOTTO_CRYPTO_RING_KERNELS_PROCESSOR_H

enum sotto_processor_feature {
    SOTTO_PROCESSOR_AESNI = 1 << 0,   /* AES-NI, SSE4.1 */
    SOTTO_PROCESSOR_AVX2 = 1 << 1,    /* and the system saves its registers */
    SOTTO_PROCESSOR_VAES256 = 1 << 2, /* VAES and AES-NI beside AVX2 */
    SOTTO_PROCESSOR_VAES512 = 1 << 3, /* and AVX-512 F and BW */
};

/* The features, ored; 0 where there is no such processor. Slow under a hypervisor: ask once. */
unsigned sotto_processor_features(void);

#endif
