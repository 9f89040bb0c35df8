/* A header block is judged alike whole and byte by byte; what passes holds no forbidden byte. */
#include "core/net/prescan.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Returns how many bytes the block took. */
static size_t scan(struct sotto_prescan *prescan, int *refusal, struct sotto_view bytes,
                   size_t step)
{
    size_t at = 0;

    sotto_prescan_init(prescan);
    *refusal = 0;
    while (!*refusal && at < bytes.length && !sotto_prescan_is_whole(prescan)) {
        size_t left = bytes.length - at;
        struct sotto_view piece = sotto_view_of(bytes.at + at, step < left ? step : left);
        size_t before = piece.length;

        *refusal = sotto_prescan_step(prescan, &piece);
        at += before - piece.length;
    }
    return at;
}

static void check_block(struct sotto_view block)
{
    for (size_t at = 0; at < block.length; at++) {
        uint8_t byte = block.at[at];

        require(byte < 0x7f && (byte >= ' ' || byte == '\r' || byte == '\n' || byte == '\t'));
        if (byte == '\r')
            require(at + 1 < block.length && block.at[at + 1] == '\n');
        if (byte == '\n')
            require(at > 0 && block.at[at - 1] == '\r');
        if (byte == '\n' && at + 1 < block.length)
            require(block.at[at + 1] != ' ' && block.at[at + 1] != '\t');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_view input = sotto_view_of(bytes, length);
    struct sotto_prescan whole;
    struct sotto_prescan slow;
    int whole_refusal = 0;
    int slow_refusal = 0;
    size_t whole_used = scan(&whole, &whole_refusal, input, length);
    size_t slow_used = scan(&slow, &slow_refusal, input, 1);

    require(whole_refusal == slow_refusal && whole_used == slow_used);
    require(whole.place == slow.place);
    require(whole_used <= SOTTO_HEADER_BYTES_MAX + 1);
    if (!whole_refusal && sotto_prescan_is_whole(&whole))
        check_block(sotto_view_buffer(&whole.block));
    sotto_prescan_wipe(&whole);
    sotto_prescan_wipe(&slow);
    return 0;
}
