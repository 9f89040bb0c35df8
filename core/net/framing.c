#include "core/net/framing.h"

#include <assert.h>

enum { SIZE_DIGITS_MAX = 8 };

void sotto_framing_init(struct sotto_framing *framing, uint64_t content_length)
{
    bool chunked = content_length == UINT64_MAX;

    *framing = (struct sotto_framing){
        .place = chunked               ? SOTTO_FRAMING_SIZE
                 : content_length == 0 ? SOTTO_FRAMING_WHOLE
                                       : SOTTO_FRAMING_COUNTED,
        .left = chunked ? 0 : content_length,
    };
}

static int hex_value(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    if (byte >= 'a' && byte <= 'f')
        return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F')
        return byte - 'A' + 10;
    return -1;
}

static bool in_size(struct sotto_framing *framing, uint8_t byte)
{
    int digit = hex_value(byte);

    if (byte == '\r' && framing->digits > 0) {
        framing->place = SOTTO_FRAMING_SIZE_END;
        return true;
    }
    if (digit < 0 || framing->digits == SIZE_DIGITS_MAX)
        return false;
    framing->left = framing->left * 16 + (uint64_t)digit;
    framing->digits++;
    return true;
}

static bool move_on(struct sotto_framing *framing, bool expected, enum sotto_framing_place next)
{
    framing->place = next;
    return expected;
}

static bool is_inside(const struct sotto_framing *framing)
{
    return framing->place == SOTTO_FRAMING_COUNTED || framing->place == SOTTO_FRAMING_CHUNK;
}

/* One byte of what surrounds the chunks. */
static bool take(struct sotto_framing *framing, uint8_t byte)
{
    assert(!is_inside(framing) && framing->place != SOTTO_FRAMING_WHOLE);
    switch (framing->place) {
    case SOTTO_FRAMING_SIZE: return in_size(framing, byte);
    case SOTTO_FRAMING_SIZE_END:
        return move_on(framing, byte == '\n',
                       framing->left ? SOTTO_FRAMING_CHUNK : SOTTO_FRAMING_LAST_CR);
    case SOTTO_FRAMING_CHUNK_CR: return move_on(framing, byte == '\r', SOTTO_FRAMING_CHUNK_LF);
    case SOTTO_FRAMING_CHUNK_LF:
        framing->digits = 0;
        return move_on(framing, byte == '\n', SOTTO_FRAMING_SIZE);
    case SOTTO_FRAMING_LAST_CR: return move_on(framing, byte == '\r', SOTTO_FRAMING_LAST_LF);
    case SOTTO_FRAMING_LAST_LF: return move_on(framing, byte == '\n', SOTTO_FRAMING_WHOLE);
    case SOTTO_FRAMING_COUNTED:
    case SOTTO_FRAMING_CHUNK:
    case SOTTO_FRAMING_WHOLE: break;
    }
    return false;
}

static struct sotto_view take_front(struct sotto_view *input, size_t length)
{
    struct sotto_view front = sotto_view_of(input->at, length);

    *input = sotto_view_of(input->at + length, input->length - length);
    return front;
}

enum sotto_status sotto_framing_next(struct sotto_framing *framing, struct sotto_view *piece,
                                     struct sotto_view *input)
{
    *piece = (struct sotto_view){0};
    while (input->length > 0 && !is_inside(framing) && framing->place != SOTTO_FRAMING_WHOLE)
        if (!take(framing, take_front(input, 1).at[0]))
            return SOTTO_MALFORMED;
    if (input->length == 0 || !is_inside(framing))
        return SOTTO_OK;
    *piece =
        take_front(input, framing->left < input->length ? (size_t)framing->left : input->length);
    framing->left -= piece->length;
    if (framing->left == 0)
        framing->place =
            framing->place == SOTTO_FRAMING_COUNTED ? SOTTO_FRAMING_WHOLE : SOTTO_FRAMING_CHUNK_CR;
    return SOTTO_OK;
}

bool sotto_framing_is_whole(const struct sotto_framing *framing)
{
    return framing->place == SOTTO_FRAMING_WHOLE;
}
