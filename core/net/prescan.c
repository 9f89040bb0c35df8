#include "core/net/prescan.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    BAD_REQUEST = 400,
    TARGET_TOO_LONG = 414,
    HEADERS_TOO_LARGE = 431,
    UNAVAILABLE = 503,
    BLOCK_FIRST = 1024
};

void sotto_prescan_init(struct sotto_prescan *prescan)
{
    *prescan = (struct sotto_prescan){.place = SOTTO_PRESCAN_METHOD};
}

void sotto_prescan_wipe(struct sotto_prescan *prescan)
{
    free(prescan->block.at);
    sotto_prescan_init(prescan);
}

/* RFC 9110 section 5.6.2. */
static bool is_token(uint8_t byte)
{
    return byte && byte < 0x7f && (isalnum(byte) || strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

static bool is_printable(uint8_t byte)
{
    return byte > ' ' && byte < 0x7f;
}

static int in_method(struct sotto_prescan *prescan, uint8_t byte)
{
    if (byte == ' ' && prescan->method_length > 0)
        prescan->place = SOTTO_PRESCAN_TARGET;
    else if (byte < 'A' || byte > 'Z')
        return BAD_REQUEST;
    prescan->method_length++;
    return 0;
}

static int in_target(struct sotto_prescan *prescan, uint8_t byte)
{
    if (prescan->target_length == 0 && byte != '/')
        return BAD_REQUEST;
    if (byte == ' ') {
        prescan->place = SOTTO_PRESCAN_VERSION;
        return 0;
    }
    if (!is_printable(byte))
        return BAD_REQUEST;
    return ++prescan->target_length > SOTTO_TARGET_MAX ? TARGET_TOO_LONG : 0;
}

static int in_version(struct sotto_prescan *prescan, uint8_t byte)
{
    if (byte == '\r')
        prescan->place = SOTTO_PRESCAN_LINE_END;
    else if (!is_printable(byte))
        return BAD_REQUEST;
    return 0;
}

static int at_line_start(struct sotto_prescan *prescan, uint8_t byte)
{
    if (byte == '\r') {
        prescan->place = SOTTO_PRESCAN_LAST_END;
        return 0;
    }
    if (!is_token(byte))
        return BAD_REQUEST;
    prescan->place = SOTTO_PRESCAN_NAME;
    return ++prescan->header_count > SOTTO_HEADERS_MAX ? HEADERS_TOO_LARGE : 0;
}

static int in_name(struct sotto_prescan *prescan, uint8_t byte)
{
    if (byte == ':')
        prescan->place = SOTTO_PRESCAN_VALUE;
    else if (!is_token(byte))
        return BAD_REQUEST;
    return 0;
}

static int in_value(struct sotto_prescan *prescan, uint8_t byte)
{
    if (byte == '\r')
        prescan->place = SOTTO_PRESCAN_LINE_END;
    else if (!is_printable(byte) && byte != ' ' && byte != '\t')
        return BAD_REQUEST;
    return 0;
}

static int at_end_of(struct sotto_prescan *prescan, uint8_t byte, enum sotto_prescan_place next)
{
    if (byte != '\n')
        return BAD_REQUEST;
    prescan->place = next;
    return 0;
}

static int take(struct sotto_prescan *prescan, uint8_t byte)
{
    assert(prescan->place != SOTTO_PRESCAN_WHOLE);
    switch (prescan->place) {
    case SOTTO_PRESCAN_METHOD: return in_method(prescan, byte);
    case SOTTO_PRESCAN_TARGET: return in_target(prescan, byte);
    case SOTTO_PRESCAN_VERSION: return in_version(prescan, byte);
    case SOTTO_PRESCAN_LINE_END: return at_end_of(prescan, byte, SOTTO_PRESCAN_LINE_START);
    case SOTTO_PRESCAN_LINE_START: return at_line_start(prescan, byte);
    case SOTTO_PRESCAN_NAME: return in_name(prescan, byte);
    case SOTTO_PRESCAN_VALUE: return in_value(prescan, byte);
    case SOTTO_PRESCAN_LAST_END: return at_end_of(prescan, byte, SOTTO_PRESCAN_WHOLE);
    case SOTTO_PRESCAN_WHOLE: break;
    }
    return BAD_REQUEST;
}

/* The block grows by doubling; a server has many that are short and few that are long. */
static bool keep(struct sotto_buffer *block, struct sotto_view bytes)
{
    size_t capacity = block->capacity ? block->capacity : BLOCK_FIRST;
    uint8_t *grown = NULL;

    while (capacity < block->length + bytes.length)
        capacity *= 2;
    if (capacity > block->capacity) {
        grown = realloc(block->at, capacity);
        if (grown == NULL)
            return false;
        block->at = grown;
        block->capacity = capacity;
    }
    return sotto_buffer_add(block, bytes) == SOTTO_OK;
}

int sotto_prescan_step(struct sotto_prescan *prescan, struct sotto_view *input)
{
    size_t used = 0;
    int refusal = 0;

    while (!refusal && used < input->length && prescan->place != SOTTO_PRESCAN_WHOLE) {
        refusal = take(prescan, input->at[used++]);
        if (prescan->block.length + used > SOTTO_HEADER_BYTES_MAX)
            refusal = HEADERS_TOO_LARGE;
    }
    if (!refusal && !keep(&prescan->block, sotto_view_of(input->at, used)))
        refusal = UNAVAILABLE;
    *input = sotto_view_of(input->at + used, input->length - used);
    return refusal;
}

bool sotto_prescan_is_whole(const struct sotto_prescan *prescan)
{
    return prescan->place == SOTTO_PRESCAN_WHOLE;
}
