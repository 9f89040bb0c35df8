/*
 * A memory of good signatures, linked in front of sotto_verify: everybody in a cohort verifies the
 * same adverts, which would be half of all work here. Verification is pure, so that nothing else
 * changes; what is not remembered is verified, and only what was good is remembered.
 */
#include <string.h>

#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/hash.h"

enum { MEMO_SLOTS = 4096 };

/* What the linker calls the two (--wrap=sotto_verify). */
enum sotto_status __real_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message);
enum sotto_status __wrap_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message);

static _Thread_local struct sotto_digest memo[MEMO_SLOTS];

enum sotto_status __wrap_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message)
{
    const struct sotto_view parts[] = {sotto_view_of(signature, sizeof *signature),
                                       sotto_view_of(signer, sizeof *signer), message};
    struct sotto_digest digest, *slot;
    enum sotto_status status;

    sotto_hash_list(&digest, label, parts, 3);
    slot = &memo[sotto_load_u32(digest.bytes) % MEMO_SLOTS];
    if (sotto_digest_equal(slot, &digest))
        return SOTTO_OK;
    status = __real_sotto_verify(signature, signer, label, message);
    if (status == SOTTO_OK)
        *slot = digest;
    return status;
}
