#include "coordinator/gate/chunk.h"

enum { DECIMAL_DIGITS_MAX = 18 };

enum sotto_status sotto_decimal_parse(uint64_t *out, const char *text)
{
    uint64_t value = 0;
    size_t length = 0;

    if (text == NULL)
        return SOTTO_MALFORMED;
    for (; text[length] >= '0' && text[length] <= '9' && length < DECIMAL_DIGITS_MAX; length++)
        value = value * 10 + (uint64_t)(text[length] - '0');
    if (length == 0 || text[length] != '\0')
        return SOTTO_MALFORMED;
    *out = value;
    return SOTTO_OK;
}

static enum sotto_status digest_parse(struct sotto_digest *out, const char *text)
{
    if (text == NULL)
        return SOTTO_MALFORMED;
    return sotto_hex_decode(out->bytes, sizeof out->bytes, text);
}

enum sotto_status sotto_chunk_parse(struct sotto_chunk *chunk,
                                    const struct sotto_chunk_texts *texts,
                                    struct sotto_fault *fault)
{
    struct sotto_chunk parsed = {0};

    if (sotto_decimal_parse(&parsed.offset, texts->offset) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "offset is not a decimal number");
    if (sotto_decimal_parse(&parsed.total, texts->length) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "length is not a decimal number");
    if (digest_parse(&parsed.upload_digest, texts->upload_digest) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED, "digest is not 64 hexadecimal digits");
    if (digest_parse(&parsed.digest, texts->chunk_digest) != SOTTO_OK)
        return sotto_fault_set(fault, SOTTO_MALFORMED,
                               "the header Sotto-Chunk-Digest is not 64 hexadecimal digits");
    *chunk = parsed;
    return SOTTO_OK;
}
