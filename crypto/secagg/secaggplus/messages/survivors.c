#include "crypto/secagg/secaggplus/messages/survivors.h"

#include <string.h>

enum { SIGNED_BYTES_MAX = SOTTO_DIGEST_BYTES + SOTTO_COHORT_MAX / 8 + 4 };

static const char survivors_label[] = "sotto/1 survivors";

static struct sotto_view encode_signed(uint8_t out[SIGNED_BYTES_MAX],
                                       const struct sotto_survivors *survivors,
                                       const struct sotto_digest *context, uint32_t cohort)
{
    struct sotto_view set = sotto_seats_encode(&survivors->seats, cohort);

    memcpy(out, context->bytes, SOTTO_DIGEST_BYTES);
    memcpy(out + SOTTO_DIGEST_BYTES, set.at, set.length);
    sotto_store_u32(out + SOTTO_DIGEST_BYTES + set.length, survivors->count);
    return sotto_view_of(out, SOTTO_DIGEST_BYTES + set.length + 4);
}

void sotto_survivors_sign(struct sotto_survivors *survivors, const struct sotto_secret *signing,
                          const struct sotto_digest *context, uint32_t cohort)
{
    uint8_t message[SIGNED_BYTES_MAX];

    survivors->count = sotto_seats_count(&survivors->seats);
    sotto_sign(&survivors->signature, signing, survivors_label,
               encode_signed(message, survivors, context, cohort));
}

enum sotto_status sotto_survivors_verify(const struct sotto_survivors *survivors,
                                         const struct sotto_ed25519_public *coordinator,
                                         const struct sotto_digest *context, uint32_t cohort)
{
    uint8_t message[SIGNED_BYTES_MAX];

    return sotto_verify(&survivors->signature, coordinator, survivors_label,
                        encode_signed(message, survivors, context, cohort));
}

enum sotto_status sotto_survivors_encode(struct sotto_buffer *out,
                                         const struct sotto_survivors *survivors, uint32_t cohort)
{
    uint8_t count[4];

    sotto_store_u32(count, survivors->count);

    const struct sotto_view parts[] = {
        sotto_seats_encode(&survivors->seats, cohort),
        sotto_view_of(count, sizeof count),
        sotto_view_of(survivors->signature.bytes, sizeof survivors->signature.bytes),
    };

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (sotto_buffer_add(out, parts[i]) != SOTTO_OK)
            return SOTTO_OVER_LIMIT;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_survivors_decode(struct sotto_survivors *survivors, struct sotto_view *rest,
                                         struct sotto_view bytes, uint32_t cohort)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_survivors read;

    if (sotto_seats_decode(&read.seats, &cursor, cohort) != SOTTO_OK)
        return SOTTO_MALFORMED;
    read.count = sotto_cursor_u32(&cursor);
    sotto_cursor_copy(&cursor, read.signature.bytes, sizeof read.signature.bytes);
    if (cursor.failed || read.count != sotto_seats_count(&read.seats))
        return SOTTO_MALFORMED;
    *rest = cursor.rest;
    *survivors = read;
    return SOTTO_OK;
}
