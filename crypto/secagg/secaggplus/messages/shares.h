/*
 * Sealed shares, on their way to the coordinator (shares) and from there to their holders (inbox).
 *
 *     shares of seat i:
 *     0           commitment  32           SHA-256(beta_i)
 *     32          sealed      96 k         by seat, for the neighbours of i
 *
 *     inbox of seat j:
 *     0           senders     ceil(n/8)    seats that shared, j among them
 *     ceil(n/8)   sealed      96 each      by seat, of the neighbours of j that shared
 *
 *     sealed = AES-256-GCM(K_ij, associated = ctx1, share of beta_i for j || share of m_i for j)
 *
 * The share for the holder at seat s is its owner's polynomial at x = s + 1. Nobody holds a share
 * of its own secrets.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SHARES_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_SHARES_H

#include "crypto/primitives/aead.h"
#include "crypto/primitives/shamir.h"
#include "crypto/secagg/secaggplus/messages/seats.h"
#include "crypto/secagg/secaggplus/parameters.h"

/* What one participant holds of another. Secret. */
struct sotto_share_pair {
    struct sotto_share self; /* of beta */
    struct sotto_share mask; /* of m */
};

enum {
    SOTTO_SEALED_BYTES = 2 * SOTTO_SHARE_BYTES + SOTTO_AEAD_TAG_BYTES,
    SOTTO_SHARES_BYTES_MAX = SOTTO_DIGEST_BYTES + SOTTO_NEIGHBOURS_MAX * SOTTO_SEALED_BYTES,
};

/* `key` is K_ij and is used for nothing else. */
void sotto_share_pair_seal(uint8_t out[SOTTO_SEALED_BYTES], const struct sotto_share_pair *pair,
                           const struct sotto_secret *key, const struct sotto_digest *context);
/* SOTTO_FORGED: pair is zeroed. */
SOTTO_CHECKED enum sotto_status sotto_share_pair_open(struct sotto_share_pair *pair,
                                                      const uint8_t sealed[SOTTO_SEALED_BYTES],
                                                      const struct sotto_secret *key,
                                                      const struct sotto_digest *context);

/* Borrowed from the message. */
struct sotto_shares_message {
    struct sotto_view commitment;
    struct sotto_view sealed; /* [k][SOTTO_SEALED_BYTES] by slot */
};

/* SOTTO_MALFORMED: another length than so many neighbours give; message untouched. */
SOTTO_CHECKED enum sotto_status sotto_shares_decode(struct sotto_shares_message *message,
                                                    struct sotto_view bytes, uint32_t neighbours);

/* Borrowed from the message. */
struct sotto_inbox {
    struct sotto_seats senders; /* the receiver among them */
    struct sotto_view sealed;   /* one for each neighbour that is a sender, by seat */
};

/*
 * SOTTO_MALFORMED: wrong length, a bit beyond the cohort, or the receiver is no sender; inbox
 * untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_inbox_decode(struct sotto_inbox *inbox,
                                                   struct sotto_view bytes,
                                                   const struct sotto_circle *receiver);

#endif
