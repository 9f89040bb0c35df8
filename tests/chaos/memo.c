/*
 * A memory of good signatures and of public keys, linked in front of crypto/primitives/ed25519:
 * everybody in a cohort verifies the same adverts, with the keys of a few, which would be half of
 * all work here. These functions are pure, so that nothing else changes. What was signed here is
 * good, what was verified here stays so; everything else is verified.
 */
#include <string.h>

#include "crypto/primitives/ed25519.h"
#include "crypto/primitives/hash.h"

enum { MEMO_SLOTS = 4096, MEMO_KEYS = 64 };

/* What the linker calls them (--wrap=sotto_verify and the like). */
void __real_sotto_ed25519_public_of(struct sotto_ed25519_public *out,
                                    const struct sotto_secret *seed);
void __wrap_sotto_ed25519_public_of(struct sotto_ed25519_public *out,
                                    const struct sotto_secret *seed);
void __real_sotto_sign(struct sotto_signature *out, const struct sotto_secret *seed,
                       const char *label, struct sotto_view message);
void __wrap_sotto_sign(struct sotto_signature *out, const struct sotto_secret *seed,
                       const char *label, struct sotto_view message);
enum sotto_status __real_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message);
enum sotto_status __wrap_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message);

struct key {
    bool is_known;
    struct sotto_secret seed;
    struct sotto_ed25519_public public;
};

static _Thread_local struct sotto_digest memo[MEMO_SLOTS];
static _Thread_local struct key keys[MEMO_KEYS];

void __wrap_sotto_ed25519_public_of(struct sotto_ed25519_public *out,
                                    const struct sotto_secret *seed)
{
    struct key *key = &keys[sotto_load_u32(seed->bytes) % MEMO_KEYS];

    if (!key->is_known || memcmp(&key->seed, seed, sizeof *seed) != 0) {
        key->is_known = true;
        memcpy(&key->seed, seed, sizeof *seed);
        __real_sotto_ed25519_public_of(&key->public, seed);
    }
    *out = key->public;
}

static struct sotto_digest *slot_of(struct sotto_digest *digest,
                                    const struct sotto_signature *signature,
                                    const struct sotto_ed25519_public *signer, const char *label,
                                    struct sotto_view message)
{
    const struct sotto_view parts[] = {sotto_view_of(signature, sizeof *signature),
                                       sotto_view_of(signer, sizeof *signer), message};

    sotto_hash_list(digest, label, parts, 3);
    return &memo[sotto_load_u32(digest->bytes) % MEMO_SLOTS];
}

void __wrap_sotto_sign(struct sotto_signature *out, const struct sotto_secret *seed,
                       const char *label, struct sotto_view message)
{
    struct sotto_ed25519_public signer;
    struct sotto_digest digest, *slot;

    __real_sotto_sign(out, seed, label, message);
    __wrap_sotto_ed25519_public_of(&signer, seed);
    slot = slot_of(&digest, out, &signer, label, message);
    *slot = digest;
}

enum sotto_status __wrap_sotto_verify(const struct sotto_signature *signature,
                                      const struct sotto_ed25519_public *signer, const char *label,
                                      struct sotto_view message)
{
    struct sotto_digest digest;
    struct sotto_digest *slot = slot_of(&digest, signature, signer, label, message);
    enum sotto_status status;

    if (sotto_digest_equal(slot, &digest))
        return SOTTO_OK;
    status = __real_sotto_verify(signature, signer, label, message);
    if (status == SOTTO_OK)
        *slot = digest;
    return status;
}
