#include "crypto/secagg/secaggplus/messages/shares.h"

#include <string.h>

void sotto_share_pair_seal(uint8_t out[SOTTO_SEALED_BYTES], const struct sotto_share_pair *pair,
                           const struct sotto_secret *key, const struct sotto_digest *context)
{
    uint8_t plain[2 * SOTTO_SHARE_BYTES];

    memcpy(plain, pair->self.bytes, SOTTO_SHARE_BYTES);
    memcpy(plain + SOTTO_SHARE_BYTES, pair->mask.bytes, SOTTO_SHARE_BYTES);
    sotto_aead_seal(out, key, sotto_view_digest(context), sotto_view_of(plain, sizeof plain));
    sotto_wipe(plain, sizeof plain);
}

enum sotto_status sotto_share_pair_open(struct sotto_share_pair *pair,
                                        const uint8_t sealed[SOTTO_SEALED_BYTES],
                                        const struct sotto_secret *key,
                                        const struct sotto_digest *context)
{
    uint8_t plain[2 * SOTTO_SHARE_BYTES];
    enum sotto_status status = sotto_aead_open(plain, key, sotto_view_digest(context),
                                               sotto_view_of(sealed, SOTTO_SEALED_BYTES));

    memcpy(pair->self.bytes, plain, SOTTO_SHARE_BYTES);
    memcpy(pair->mask.bytes, plain + SOTTO_SHARE_BYTES, SOTTO_SHARE_BYTES);
    sotto_wipe(plain, sizeof plain);
    return status;
}

enum sotto_status sotto_shares_decode(struct sotto_shares_message *message, struct sotto_view bytes,
                                      uint32_t neighbours)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_shares_message read;

    read.commitment = sotto_cursor_take(&cursor, SOTTO_DIGEST_BYTES);
    read.sealed = sotto_cursor_take(&cursor, (size_t)neighbours * SOTTO_SEALED_BYTES);
    if (sotto_cursor_finish(&cursor) != SOTTO_OK)
        return SOTTO_MALFORMED;
    *message = read;
    return SOTTO_OK;
}

enum sotto_status sotto_inbox_decode(struct sotto_inbox *inbox, struct sotto_view bytes,
                                     const struct sotto_circle *receiver)
{
    struct sotto_cursor cursor = sotto_cursor_of(bytes);
    struct sotto_inbox read;

    if (sotto_seats_decode(&read.senders, &cursor, receiver->cohort) != SOTTO_OK ||
        !sotto_seats_has(&read.senders, receiver->owner))
        return SOTTO_MALFORMED;
    read.sealed = sotto_cursor_take(&cursor, (size_t)sotto_circle_count(receiver, &read.senders) *
                                                 SOTTO_SEALED_BYTES);
    if (sotto_cursor_finish(&cursor) != SOTTO_OK)
        return SOTTO_MALFORMED;
    *inbox = read;
    return SOTTO_OK;
}
