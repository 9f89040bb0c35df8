/*
 * Shares from outside: a join fails only as it says, and then leaves zeros. The first byte is the
 * threshold; then come an index in four bytes and a share each.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/shamir.h"

enum { THRESHOLD_MAX = 8, ENTRY_BYTES = 4 + SOTTO_SHARE_BYTES };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const uint8_t zeros[32];
    struct sotto_share shares[THRESHOLD_MAX];
    uint32_t indices[THRESHOLD_MAX];
    struct sotto_secret secret;
    size_t threshold;
    enum sotto_status status;

    if (length < 1)
        return 0;
    threshold = 1 + bytes[0] % THRESHOLD_MAX;
    if (length < 1 + threshold * ENTRY_BYTES)
        return 0;
    for (size_t i = 0; i < threshold; i++) {
        const uint8_t *entry = bytes + 1 + i * ENTRY_BYTES;

        indices[i] = sotto_load_u32(entry);
        memcpy(shares[i].bytes, entry + 4, SOTTO_SHARE_BYTES);
    }
    status = sotto_share_join(&secret, shares, indices, threshold);
    if (status != SOTTO_OK && status != SOTTO_MALFORMED)
        abort();
    if (status == SOTTO_MALFORMED && memcmp(secret.bytes, zeros, sizeof zeros) != 0)
        abort();
    return 0;
}
