/*
 * Masks through OpenSSL's EVP: the reference of the others, and what runs where there is no AES-NI.
 *
 * EVP writes the stream into a tile that stays in the L1 cache; a second pass adds it. That pass is
 * what these two pay beside the cipher: 16 to 32 bytes a cycle, beside two bytes a cycle of cipher.
 */
#ifndef SOTTO_CRYPTO_RING_KERNELS_EVP_H
#define SOTTO_CRYPTO_RING_KERNELS_EVP_H

#include "crypto/ring/kernels/kernel.h"

/* Needs nothing, on any processor. */
extern const struct sotto_mask_kernel sotto_mask_evp;

/*
 * Masks through EVP with the given second pass.
 *
 *   combine  in  sotto_combine or another that does the same
 */
void sotto_mask_evp_apply(const struct sotto_mask_pass *pass, const struct sotto_secret *key,
                          struct sotto_prg *prg,
                          void (*combine)(const struct sotto_mask_pass *pass, size_t first,
                                          size_t count, const uint8_t *stream));

#endif
