#include "core/base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* Bits of the stream that are not yet written: the low `count` bits of `bits`. */
struct reservoir {
    uint32_t bits;
    unsigned count;
};

enum sotto_status sotto_base64_encode(char *out, size_t capacity, struct sotto_view bytes)
{
    struct reservoir left = {0};
    size_t length = 0;

    if (bytes.length > SIZE_MAX / 2 || capacity <= bytes.length + (bytes.length + 2) / 3)
        return SOTTO_OVER_LIMIT;
    for (size_t i = 0; i < bytes.length; i++) {
        left.bits = left.bits << 8 | bytes.at[i];
        for (left.count += 8; left.count >= 6; left.count -= 6)
            out[length++] = alphabet[left.bits >> (left.count - 6) & 63];
    }
    if (left.count > 0)
        out[length++] = alphabet[left.bits << (6 - left.count) & 63];
    out[length] = '\0';
    return SOTTO_OK;
}

static enum sotto_status decode_character(struct sotto_buffer *out, struct reservoir *left,
                                          char character)
{
    const char *found = memchr(alphabet, character, sizeof alphabet - 1);
    uint8_t byte;

    if (found == NULL)
        return SOTTO_MALFORMED;
    left->bits = left->bits << 6 | (uint32_t)(found - alphabet);
    left->count += 6;
    if (left->count < 8)
        return SOTTO_OK;
    left->count -= 8;
    byte = (uint8_t)(left->bits >> left->count);
    return sotto_buffer_add(out, sotto_view_of(&byte, 1));
}

enum sotto_status sotto_base64_decode(struct sotto_buffer *out, const char *text)
{
    struct sotto_buffer longer = *out;
    struct reservoir left = {0};

    for (const char *at = text; *at != '\0'; at++) {
        enum sotto_status status = decode_character(&longer, &left, *at);

        if (status != SOTTO_OK)
            return status;
    }
    if (left.count >= 6 || (left.bits & ((1U << left.count) - 1)) != 0)
        return SOTTO_MALFORMED;
    out->length = longer.length;
    return SOTTO_OK;
}
