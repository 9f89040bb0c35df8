#include "models/tokenise/text.h"

#include <stdlib.h>
#include <string.h>

/* Room for `count` items of `size` bytes in all; at least doubles what is there. */
static bool grow(void *at, size_t *capacity, size_t count, size_t size)
{
    size_t wanted = *capacity * 2 > count ? *capacity * 2 : count + 16;
    void *grown;

    if (count <= *capacity)
        return true;
    if (count > SIZE_MAX / 4 / size)
        return false;
    memcpy(&grown, at, sizeof grown);
    grown = realloc(grown, wanted * size);
    if (grown == NULL)
        return false;
    memcpy(at, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}

void sotto_text_close(struct sotto_text *text)
{
    free(text->at);
    *text = (struct sotto_text){0};
}

void sotto_text_clear(struct sotto_text *text)
{
    text->length = 0;
    text->is_short = false;
}

void sotto_text_add(struct sotto_text *text, struct sotto_view bytes)
{
    if (bytes.length == 0)
        return;
    if (!grow(&text->at, &text->capacity, text->length + bytes.length, 1)) {
        text->is_short = true;
        return;
    }
    memcpy(text->at + text->length, bytes.at, bytes.length);
    text->length += bytes.length;
}

void sotto_text_add_character(struct sotto_text *text, uint32_t character)
{
    uint8_t bytes[4];
    size_t length = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};

    for (size_t i = length; i-- > 1; character >>= 6)
        bytes[i] = (uint8_t)(0x80 | (character & 0x3f));
    bytes[0] = (uint8_t)(heads[length] | character);
    sotto_text_add(text, sotto_view_of(bytes, length));
}

struct sotto_view sotto_text_view(const struct sotto_text *text)
{
    return sotto_view_of(text->at, text->length);
}

void sotto_tokens_close(struct sotto_tokens *tokens)
{
    free(tokens->at);
    *tokens = (struct sotto_tokens){0};
}

void sotto_tokens_clear(struct sotto_tokens *tokens)
{
    tokens->count = 0;
    tokens->is_short = false;
}

void sotto_tokens_add(struct sotto_tokens *tokens, const uint32_t *added, size_t count)
{
    if (count == 0)
        return;
    if (!grow(&tokens->at, &tokens->capacity, tokens->count + count, sizeof *tokens->at)) {
        tokens->is_short = true;
        return;
    }
    memcpy(tokens->at + tokens->count, added, count * sizeof *added);
    tokens->count += count;
}

/* Bytes of the character that begins with `head`; 0: none does. */
static size_t length_of(uint8_t head)
{
    if (head < 0x80)
        return 1;
    if (head < 0xc2)
        return 0;
    return head < 0xe0 ? 2 : head < 0xf0 ? 3 : head < 0xf5 ? 4 : 0;
}

static uint32_t character_at(const uint8_t *at, size_t length)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t character = at[0] & masks[length];

    for (size_t i = 1; i < length; i++)
        character = character << 6 | (at[i] & 0x3f);
    return character;
}

static bool is_continued(const uint8_t *at, size_t length)
{
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return false;
    }
    return true;
}

bool sotto_utf8_is_valid(struct sotto_view text)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    for (size_t i = 0; i < text.length;) {
        size_t length = length_of(text.at[i]);
        uint32_t character;

        if (length == 0 || length > text.length - i || !is_continued(text.at + i, length))
            return false;
        character = character_at(text.at + i, length);
        if (character < least[length] || character > 0x10ffff ||
            (character >= 0xd800 && character < 0xe000))
            return false;
        i += length;
    }
    return true;
}

uint32_t sotto_utf8_first(struct sotto_view text, size_t *length)
{
    if (text.at[0] < 0x80) {
        *length = 1;
        return text.at[0];
    }
    *length = length_of(text.at[0]);
    return character_at(text.at, *length);
}

uint32_t sotto_utf8_last(struct sotto_view text, size_t *length)
{
    size_t first = text.length - 1;

    while ((text.at[first] & 0xc0) == 0x80)
        first--;
    return sotto_utf8_first(sotto_view_of(text.at + first, text.length - first), length);
}

size_t sotto_utf8_take(struct sotto_view bytes, bool *is_valid)
{
    uint8_t head = bytes.at[0];
    size_t length = length_of(head);
    uint8_t low = head == 0xe0 ? 0xa0 : head == 0xf0 ? 0x90 : 0x80;
    uint8_t high = head == 0xed ? 0x9f : head == 0xf4 ? 0x8f : 0xbf;

    *is_valid = length > 0;
    for (size_t i = 1; i < length; i++) {
        if (i == bytes.length)
            return 0;
        *is_valid = bytes.at[i] >= low && bytes.at[i] <= high;
        if (!*is_valid)
            return i;
        low = 0x80;
        high = 0xbf;
    }
    return length > 0 ? length : 1;
}

struct sotto_view sotto_view_after(struct sotto_view bytes, size_t length)
{
    return sotto_view_of(bytes.at + length, bytes.length - length);
}

struct sotto_view sotto_view_after_mark(struct sotto_view bytes)
{
    bool is_marked = bytes.length >= 3 && memcmp(bytes.at, "\xef\xbb\xbf", 3) == 0;

    return sotto_view_after(bytes, is_marked ? 3 : 0);
}
