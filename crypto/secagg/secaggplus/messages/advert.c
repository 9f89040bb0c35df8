#include "crypto/secagg/secaggplus/messages/advert.h"

#include <string.h>

#include "crypto/primitives/hash.h"

enum {
    MASK_KEY_AT = 4,
    SHARE_KEY_AT = 36,
    NONCE_AT = 68,
    SIGNATURE_AT = 84,
    SIGNED_BYTES = SOTTO_DIGEST_BYTES + SIGNATURE_AT,
};

static const char advert_label[] = "sotto/1 advert";

void sotto_advert_encode(uint8_t out[SOTTO_ADVERT_BYTES], const struct sotto_advert *advert)
{
    sotto_store_u32(out, advert->id);
    memcpy(out + MASK_KEY_AT, advert->mask_key.bytes, sizeof advert->mask_key.bytes);
    memcpy(out + SHARE_KEY_AT, advert->share_key.bytes, sizeof advert->share_key.bytes);
    memcpy(out + NONCE_AT, advert->nonce, sizeof advert->nonce);
    memcpy(out + SIGNATURE_AT, advert->signature.bytes, sizeof advert->signature.bytes);
}

enum sotto_status sotto_advert_decode(struct sotto_advert *advert, struct sotto_view bytes)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_advert read;

    read.id = sotto_cursor_u32(&cursor);
    sotto_cursor_copy(&cursor, read.mask_key.bytes, sizeof read.mask_key.bytes);
    sotto_cursor_copy(&cursor, read.share_key.bytes, sizeof read.share_key.bytes);
    sotto_cursor_copy(&cursor, read.nonce, sizeof read.nonce);
    sotto_cursor_copy(&cursor, read.signature.bytes, sizeof read.signature.bytes);
    if (sotto_cursor_finish(&cursor) != SOTTO_OK)
        return SOTTO_MALFORMED;
    *advert = read;
    return SOTTO_OK;
}

static void encode_signed(uint8_t out[SIGNED_BYTES], const struct sotto_advert *advert,
                          const struct sotto_digest *plan)
{
    uint8_t bytes[SOTTO_ADVERT_BYTES];

    sotto_advert_encode(bytes, advert);
    memcpy(out, plan->bytes, sizeof plan->bytes);
    memcpy(out + sizeof plan->bytes, bytes, SIGNATURE_AT);
}

void sotto_advert_sign(struct sotto_advert *advert, const struct sotto_secret *identity,
                       const struct sotto_digest *plan)
{
    uint8_t message[SIGNED_BYTES];

    memset(&advert->signature, 0, sizeof advert->signature);
    encode_signed(message, advert, plan);
    sotto_sign(&advert->signature, identity, advert_label, sotto_view_of(message, sizeof message));
}

enum sotto_status sotto_advert_verify(const struct sotto_advert *advert,
                                      const struct sotto_ed25519_public *identity,
                                      const struct sotto_digest *plan)
{
    uint8_t message[SIGNED_BYTES];

    encode_signed(message, advert, plan);
    return sotto_verify(&advert->signature, identity, advert_label,
                        sotto_view_of(message, sizeof message));
}

void sotto_advert_leaf(struct sotto_digest *leaf, const struct sotto_advert *advert,
                       const struct sotto_digest *certificate)
{
    static const uint8_t outer = 0x00;
    uint8_t bytes[SOTTO_ADVERT_BYTES];

    sotto_advert_encode(bytes, advert);

    const struct sotto_view parts[] = {
        sotto_view_of(&outer, 1),
        sotto_view_of(bytes, MASK_KEY_AT),
        sotto_view_digest(certificate),
        sotto_view_of(bytes + MASK_KEY_AT, SOTTO_ADVERT_BYTES - MASK_KEY_AT),
    };

    sotto_hash(leaf, parts, 4);
}
