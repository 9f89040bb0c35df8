/*
 * The receipt: which participants a member of a ring was told have shared. Participant to
 * coordinator before its upload, and on to its neighbours with the survivor set. Where everybody is
 * everybody's neighbour there is none.
 *
 *     0    signature  64   Ed25519 over "sotto/1 receipt" || ctx1 || SHA-256(set)
 *
 * A participant masks with those neighbours that, as it was told, have shared. Without receipts a
 * coordinator could tell a holder of its shares that it has shared, and it that the holder has not:
 * the holder would tell its self mask, and no mask would hang between the two.
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_RECEIPT_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_RECEIPT_H

#include "crypto/primitives/ed25519.h"
#include "crypto/secagg/secaggplus/messages/seats.h"

enum { SOTTO_RECEIPT_BYTES = 64 };

/* The set that was told, in one context. */
struct sotto_receipt_claim {
    const struct sotto_digest *context; /* ctx1 */
    const struct sotto_digest *sharers; /* sotto_seats_digest */
};

void sotto_receipt_sign(uint8_t out[SOTTO_RECEIPT_BYTES], const struct sotto_secret *identity,
                        const struct sotto_receipt_claim *claim);
/* SOTTO_FORGED: signed by another, in another context or for another set. */
SOTTO_CHECKED enum sotto_status sotto_receipt_verify(const uint8_t receipt[SOTTO_RECEIPT_BYTES],
                                                     const struct sotto_ed25519_public *identity,
                                                     const struct sotto_receipt_claim *claim);

#endif
