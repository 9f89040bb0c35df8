#include "crypto/ring/kernels/combine.h"

#include <endian.h>
#include <string.h>

size_t sotto_mask_word_bytes(const struct sotto_mask_pass *pass)
{
    return pass->is_narrow ? sizeof(uint16_t) : sizeof(uint32_t);
}

static uint32_t wide_at(const uint8_t *stream, size_t index)
{
    uint32_t word;

    memcpy(&word, stream + index * sizeof word, sizeof word);
    return le32toh(word);
}

static uint16_t narrow_at(const uint8_t *stream, size_t index)
{
    uint16_t word;

    memcpy(&word, stream + index * sizeof word, sizeof word);
    return le16toh(word);
}

static void add_wide(uint32_t *restrict words, const uint8_t *restrict stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] += wide_at(stream, i);
}

static void subtract_wide(uint32_t *restrict words, const uint8_t *restrict stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] -= wide_at(stream, i);
}

static void add_narrow(uint16_t *restrict words, const uint8_t *restrict stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] = (uint16_t)(words[i] + narrow_at(stream, i));
}

static void subtract_narrow(uint16_t *restrict words, const uint8_t *restrict stream, size_t count)
{
    for (size_t i = 0; i < count; i++)
        words[i] = (uint16_t)(words[i] - narrow_at(stream, i));
}

void sotto_combine(const struct sotto_mask_pass *pass, size_t first, size_t count,
                   const uint8_t *stream)
{
    if (pass->is_narrow && pass->is_subtracted)
        subtract_narrow((uint16_t *)pass->words + first, stream, count);
    else if (pass->is_narrow)
        add_narrow((uint16_t *)pass->words + first, stream, count);
    else if (pass->is_subtracted)
        subtract_wide((uint32_t *)pass->words + first, stream, count);
    else
        add_wide((uint32_t *)pass->words + first, stream, count);
}
