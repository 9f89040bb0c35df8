/*
 * One secret back from the shares of its holders, checked against what its owner committed to, and
 * the holders whose shares are not on its polynomial.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_RECONSTRUCT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_RECONSTRUCT_H

#include "crypto/primitives/shamir.h"
#include "crypto/primitives/x25519.h"
#include "crypto/secagg/secaggplus/messages/seats.h"
#include "crypto/secagg/secaggplus/parameters.h"

/* What the owner of a secret said of it before anything went wrong. */
struct sotto_commitment {
    bool is_self_mask;
    struct sotto_digest self_mask;       /* SHA-256(beta_j), if is_self_mask */
    struct sotto_x25519_public mask_key; /* M_j = m_j * G, if not */
};

/* Shares of one secret. */
struct sotto_shared {
    struct sotto_commitment commitment;
    uint32_t threshold;
    uint32_t count;
    uint32_t holders[SOTTO_NEIGHBOURS_MAX]; /* [count] seats, ascending */
    struct sotto_share shares[SOTTO_NEIGHBOURS_MAX];
};

enum { SOTTO_RECONSTRUCT_JOINS_MAX = 4096 };

/*
 * Joins t shares and compares with the commitment. If they differ, tries further sets of t, first
 * without holders in `liars`, leaving out one, then two, then three of the rest, until a set fits
 * or SOTTO_RECONSTRUCT_JOINS_MAX were tried. Once the secret is known, every other share is tested
 * against it.
 *
 * So l lying holders among r are always found if r >= t + l and l <= 2 for t up to 88, l <= 3 for t
 * up to 26. A dealer that gave a holder a false share makes that holder look like a liar: only one
 * of the two can be meant.
 *
 *   secret  out    zeroed if there is none
 *   liars   inout  seats; those found here are added
 *   shared  in     count >= threshold
 *
 * Work: two joins if nobody lies; a join is O(t^2).
 *
 * SOTTO_FORGED: no set that was tried fits; liars untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_reconstruct(struct sotto_secret *secret,
                                                  struct sotto_seats *liars,
                                                  const struct sotto_shared *shared);

#endif
