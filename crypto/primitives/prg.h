/*
 * The mask generator: AES-256 in counter mode, IV = 0, one key per stream (NIST SP 800-38A, section
 * 6.5). Through OpenSSL EVP; the context is set up once and can be re-keyed.
 */
#ifndef SOTTO_CRYPTO_PRIMITIVES_PRG_H
#define SOTTO_CRYPTO_PRIMITIVES_PRG_H

#include "core/base/bytes.h"

struct sotto_prg {
    void *context;
};

/* SOTTO_NO_MEMORY: the prg is safe to close. */
SOTTO_CHECKED enum sotto_status sotto_prg_open(struct sotto_prg *prg);
void sotto_prg_close(struct sotto_prg *prg); /* wipes the key schedule */

/* Starts the stream of `key` at byte `offset`, a multiple of 16. */
void sotto_prg_seek(struct sotto_prg *prg, const struct sotto_secret *key, uint64_t offset);
/* The next `length` bytes of the stream. */
void sotto_prg_next(struct sotto_prg *prg, uint8_t *out, size_t length);

#endif
