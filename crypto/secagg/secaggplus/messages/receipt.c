#include "crypto/secagg/secaggplus/messages/receipt.h"

#include <string.h>

static const char receipt_label[] = "sotto/1 receipt";

static struct sotto_view encode_signed(uint8_t out[2 * SOTTO_DIGEST_BYTES],
                                       const struct sotto_receipt_claim *claim)
{
    memcpy(out, claim->context->bytes, SOTTO_DIGEST_BYTES);
    memcpy(out + SOTTO_DIGEST_BYTES, claim->sharers->bytes, SOTTO_DIGEST_BYTES);
    return sotto_view_of(out, (size_t)2 * SOTTO_DIGEST_BYTES);
}

void sotto_receipt_sign(uint8_t out[SOTTO_RECEIPT_BYTES], const struct sotto_secret *identity,
                        const struct sotto_receipt_claim *claim)
{
    uint8_t message[2 * SOTTO_DIGEST_BYTES];
    struct sotto_signature signature;

    sotto_sign(&signature, identity, receipt_label, encode_signed(message, claim));
    memcpy(out, signature.bytes, sizeof signature.bytes);
}

enum sotto_status sotto_receipt_verify(const uint8_t receipt[SOTTO_RECEIPT_BYTES],
                                       const struct sotto_ed25519_public *identity,
                                       const struct sotto_receipt_claim *claim)
{
    uint8_t message[2 * SOTTO_DIGEST_BYTES];
    struct sotto_signature signature;

    memcpy(signature.bytes, receipt, sizeof signature.bytes);
    return sotto_verify(&signature, identity, receipt_label, encode_signed(message, claim));
}
