#include "core/base/bytes.h"

#include <assert.h>
#include <string.h>

struct sotto_view sotto_view_of(const void *at, size_t length)
{
    return (struct sotto_view){.at = at, .length = length};
}

struct sotto_view sotto_view_text(const char *text)
{
    return sotto_view_of(text, strlen(text));
}

struct sotto_view sotto_view_digest(const struct sotto_digest *digest)
{
    return sotto_view_of(digest->bytes, sizeof digest->bytes);
}

struct sotto_view sotto_view_buffer(const struct sotto_buffer *buffer)
{
    return sotto_view_of(buffer->at, buffer->length);
}

bool sotto_view_equal(struct sotto_view left, struct sotto_view right)
{
    if (left.length != right.length)
        return false;
    return left.length == 0 || memcmp(left.at, right.at, left.length) == 0;
}

bool sotto_digest_equal(const struct sotto_digest *left, const struct sotto_digest *right)
{
    return memcmp(left->bytes, right->bytes, sizeof left->bytes) == 0;
}

struct sotto_buffer sotto_buffer_of(void *at, size_t capacity)
{
    return (struct sotto_buffer){.at = at, .capacity = capacity, .length = 0};
}

enum sotto_status sotto_buffer_add(struct sotto_buffer *buffer, struct sotto_view bytes)
{
    assert(buffer->length <= buffer->capacity);
    if (bytes.length > buffer->capacity - buffer->length)
        return SOTTO_OVER_LIMIT;
    if (bytes.length > 0)
        memcpy(buffer->at + buffer->length, bytes.at, bytes.length);
    buffer->length += bytes.length;
    return SOTTO_OK;
}

struct sotto_cursor sotto_cursor_of(struct sotto_view bytes)
{
    return (struct sotto_cursor){.rest = bytes, .failed = false};
}

struct sotto_view sotto_cursor_take(struct sotto_cursor *cursor, size_t length)
{
    struct sotto_view taken = {0};

    if (cursor->failed || length > cursor->rest.length) {
        cursor->failed = true;
        return taken;
    }
    taken = sotto_view_of(cursor->rest.at, length);
    if (length > 0)
        cursor->rest = sotto_view_of(cursor->rest.at + length, cursor->rest.length - length);
    return taken;
}

void sotto_cursor_copy(struct sotto_cursor *cursor, uint8_t *out, size_t length)
{
    struct sotto_view taken = sotto_cursor_take(cursor, length);

    if (length == 0)
        return;
    if (cursor->failed)
        memset(out, 0, length);
    else
        memcpy(out, taken.at, length);
}

uint32_t sotto_cursor_u32(struct sotto_cursor *cursor)
{
    uint8_t bytes[4];

    sotto_cursor_copy(cursor, bytes, sizeof bytes);
    return sotto_load_u32(bytes);
}

uint64_t sotto_cursor_u64(struct sotto_cursor *cursor)
{
    uint8_t bytes[8];

    sotto_cursor_copy(cursor, bytes, sizeof bytes);
    return sotto_load_u64(bytes);
}

enum sotto_status sotto_cursor_finish(const struct sotto_cursor *cursor)
{
    return cursor->failed || cursor->rest.length > 0 ? SOTTO_MALFORMED : SOTTO_OK;
}

void sotto_store_u32(uint8_t out[4], uint32_t value)
{
    for (size_t i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

void sotto_store_u64(uint8_t out[8], uint64_t value)
{
    for (size_t i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

uint32_t sotto_load_u32(const uint8_t in[4])
{
    uint32_t value = 0;

    for (size_t i = 0; i < 4; i++)
        value |= (uint32_t)in[i] << (8 * i);
    return value;
}

uint64_t sotto_load_u64(const uint8_t in[8])
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value |= (uint64_t)in[i] << (8 * i);
    return value;
}

void sotto_hex_encode(char *out, struct sotto_view bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < bytes.length; i++) {
        out[2 * i] = digits[bytes.at[i] >> 4];
        out[2 * i + 1] = digits[bytes.at[i] & 15];
    }
    out[2 * bytes.length] = '\0';
}

void sotto_digest_hex(char out[SOTTO_DIGEST_HEX], const struct sotto_digest *digest)
{
    sotto_hex_encode(out, sotto_view_digest(digest));
}

/* The value of a hex digit, or -1. */
static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

enum sotto_status sotto_hex_decode(uint8_t *out, size_t length, const char *hex)
{
    if (strlen(hex) / 2 != length || strlen(hex) % 2 != 0)
        return SOTTO_MALFORMED;
    for (size_t i = 0; i < 2 * length; i++) {
        if (digit_value(hex[i]) < 0)
            return SOTTO_MALFORMED;
    }
    for (size_t i = 0; i < length; i++)
        out[i] = (uint8_t)(digit_value(hex[2 * i]) * 16 + digit_value(hex[2 * i + 1]));
    return SOTTO_OK;
}

size_t sotto_utf8_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;

    if ((bytes[0] >= 0x80 && bytes[0] < 0xc2) || bytes[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    }
    if ((bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xed && bytes[1] > 0x9f) ||
        (bytes[0] == 0xf0 && bytes[1] < 0x90) || (bytes[0] == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return length;
}

void sotto_wipe(void *at, size_t length)
{
    if (length > 0)
        explicit_bzero(at, length);
}
