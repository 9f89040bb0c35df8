/*
 * The reveal: of every neighbour that shared, exactly one share. Participant to coordinator, its
 * last message.
 *
 *     44 bytes for each neighbour of the sender that shared, by seat:
 *     0   owner  u32   id
 *     4   share  40    of the owner's beta if it survived, of its m if not
 */
#ifndef SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_REVEAL_H
#define SOTTO_CRYPTO_SECAGG_SECAGGPLUS_MESSAGES_REVEAL_H

#include "crypto/primitives/shamir.h"
#include "crypto/secagg/secaggplus/messages/seats.h"
#include "crypto/secagg/secaggplus/parameters.h"

enum {
    SOTTO_REVEALED_BYTES = 4 + SOTTO_SHARE_BYTES,
    SOTTO_REVEAL_BYTES_MAX = SOTTO_NEIGHBOURS_MAX * SOTTO_REVEALED_BYTES,
};

struct sotto_revealed {
    uint32_t owner;
    struct sotto_share share;
};

/* One entry of the message. */
void sotto_revealed_encode(uint8_t out[SOTTO_REVEALED_BYTES],
                           const struct sotto_revealed *revealed);
/* The next one; after the last the cursor is finished. */
void sotto_revealed_decode(struct sotto_revealed *revealed, struct sotto_cursor *cursor);

#endif
