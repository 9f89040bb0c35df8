#include "crypto/secagg/secaggplus/messages/inclusion.h"

#include <string.h>

#include "crypto/primitives/hash.h"

static const char inclusion_label[] = "sotto/1 inclusion";

void sotto_inclusion_mac(uint8_t out[SOTTO_INCLUSION_MAC_BYTES], const struct sotto_secret *key,
                         const struct sotto_inclusion_claim *claim)
{
    const struct sotto_view parts[] = {sotto_view_text("incl"), sotto_view_digest(claim->context),
                                       sotto_view_digest(claim->survivors)};
    struct sotto_digest whole;

    sotto_hmac(&whole, key, parts, 3);
    memcpy(out, whole.bytes, SOTTO_INCLUSION_MAC_BYTES);
    sotto_wipe(&whole, sizeof whole);
}

enum sotto_status sotto_inclusion_check(const uint8_t mac[SOTTO_INCLUSION_MAC_BYTES],
                                        const struct sotto_secret *key,
                                        const struct sotto_inclusion_claim *claim)
{
    uint8_t expected[SOTTO_INCLUSION_MAC_BYTES];

    sotto_inclusion_mac(expected, key, claim);
    return sotto_secret_equal(mac, expected, sizeof expected) ? SOTTO_OK : SOTTO_FORGED;
}

static struct sotto_view encode_signed(uint8_t out[2 * SOTTO_DIGEST_BYTES],
                                       const struct sotto_inclusion_claim *claim)
{
    memcpy(out, claim->context->bytes, SOTTO_DIGEST_BYTES);
    memcpy(out + SOTTO_DIGEST_BYTES, claim->survivors->bytes, SOTTO_DIGEST_BYTES);
    return sotto_view_of(out, (size_t)2 * SOTTO_DIGEST_BYTES);
}

void sotto_inclusion_sign(struct sotto_signature *signature, const struct sotto_secret *identity,
                          const struct sotto_inclusion_claim *claim)
{
    uint8_t message[2 * SOTTO_DIGEST_BYTES];

    sotto_sign(signature, identity, inclusion_label, encode_signed(message, claim));
}

enum sotto_status sotto_inclusion_verify(const struct sotto_signature *signature,
                                         const struct sotto_ed25519_public *identity,
                                         const struct sotto_inclusion_claim *claim)
{
    uint8_t message[2 * SOTTO_DIGEST_BYTES];

    return sotto_verify(signature, identity, inclusion_label, encode_signed(message, claim));
}

enum sotto_status sotto_inclusion_decode(struct sotto_inclusion *inclusion, struct sotto_view bytes,
                                         uint32_t mac_count)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_inclusion read;

    sotto_cursor_copy(&cursor, read.signature.bytes, sizeof read.signature.bytes);
    read.macs = sotto_cursor_take(&cursor, (size_t)mac_count * SOTTO_INCLUSION_MAC_BYTES);
    if (sotto_cursor_finish(&cursor) != SOTTO_OK)
        return SOTTO_MALFORMED;
    *inclusion = read;
    return SOTTO_OK;
}

enum sotto_status sotto_inclusions_decode(struct sotto_inclusions *inclusions,
                                          struct sotto_view bytes,
                                          const struct sotto_circle *receiver)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_inclusions read;
    uint32_t count;

    if (sotto_seats_decode(&read.senders, &cursor, receiver->cohort) != SOTTO_OK)
        return SOTTO_MALFORMED;
    count = sotto_circle_count(receiver, &read.senders);
    if (count != sotto_seats_count(&read.senders))
        return SOTTO_MALFORMED;
    read.macs = sotto_cursor_take(&cursor, (size_t)count * SOTTO_INCLUSION_MAC_BYTES);
    if (sotto_cursor_finish(&cursor) != SOTTO_OK)
        return SOTTO_MALFORMED;
    *inclusions = read;
    return SOTTO_OK;
}
