#include "crypto/secagg/secaggplus/messages/reveal.h"

#include <string.h>

void sotto_revealed_encode(uint8_t out[SOTTO_REVEALED_BYTES], const struct sotto_revealed *revealed)
{
    sotto_store_u32(out, revealed->owner);
    memcpy(out + 4, revealed->share.bytes, SOTTO_SHARE_BYTES);
}

void sotto_revealed_decode(struct sotto_revealed *revealed, struct sotto_cursor *cursor)
{
    revealed->owner = sotto_cursor_u32(cursor);
    sotto_cursor_copy(cursor, revealed->share.bytes, SOTTO_SHARE_BYTES);
}
