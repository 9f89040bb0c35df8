#include "crypto/primitives/prg.h"

#include <openssl/evp.h>
#include <string.h>

#include "crypto/primitives/require.h"

enum { BLOCK_BYTES = 16, ZEROS_BYTES = 16 * 1024 };

enum sotto_status sotto_prg_open(struct sotto_prg *prg)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

    prg->context = NULL;
    if (context == NULL)
        return SOTTO_NO_MEMORY;
    if (EVP_EncryptInit_ex(context, EVP_aes_256_ctr(), NULL, NULL, NULL) != 1) {
        EVP_CIPHER_CTX_free(context);
        return SOTTO_NO_MEMORY;
    }
    prg->context = context;
    return SOTTO_OK;
}

void sotto_prg_close(struct sotto_prg *prg)
{
    EVP_CIPHER_CTX_free(prg->context);
    prg->context = NULL;
}

/* The counter is the whole block, most significant byte first. */
static void counter_block(uint8_t block[BLOCK_BYTES], uint64_t index)
{
    memset(block, 0, BLOCK_BYTES);
    for (size_t i = 0; i < sizeof index; i++)
        block[BLOCK_BYTES - 1 - i] = (uint8_t)(index >> (8 * i));
}

void sotto_prg_seek(struct sotto_prg *prg, const struct sotto_secret *key, uint64_t offset)
{
    uint8_t counter[BLOCK_BYTES];

    sotto_require(offset % BLOCK_BYTES == 0);
    counter_block(counter, offset / BLOCK_BYTES);
    sotto_require(EVP_EncryptInit_ex(prg->context, NULL, NULL, key->bytes, counter) == 1);
}

/* The stream is the encryption of zeros, which are read from here and so stay in the L1 cache. */
void sotto_prg_next(struct sotto_prg *prg, uint8_t *out, size_t length)
{
    static const uint8_t zeros[ZEROS_BYTES];

    while (length > 0) {
        size_t piece = length < sizeof zeros ? length : sizeof zeros;
        int written;

        sotto_require(EVP_EncryptUpdate(prg->context, out, &written, zeros, (int)piece) == 1);
        out += piece;
        length -= piece;
    }
}
