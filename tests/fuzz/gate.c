/*
 * What a site brings to the gate: the first byte chooses a message, the next line feeds a chunk's
 * texts, the rest is the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/gate/chunk.h"
#include "coordinator/gate/message.h"

enum { TEXT_COUNT = 4, TEXT_MAX = 80 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Texts end at a space or a line's end. */
static void chunk_read(struct sotto_view input)
{
    char texts[TEXT_COUNT][TEXT_MAX + 1] = {{0}};
    size_t text = 0, place = 0;
    struct sotto_chunk chunk;

    for (size_t i = 0; i < input.length && input.at[i] != '\n' && text < TEXT_COUNT; i++) {
        if (input.at[i] == ' ' || place == TEXT_MAX) {
            text++;
            place = 0;
        } else {
            texts[text][place++] = (char)input.at[i];
        }
    }
    if (sotto_chunk_parse(&chunk,
                          &(struct sotto_chunk_texts){.offset = texts[0],
                                                      .length = texts[1],
                                                      .upload_digest = texts[2],
                                                      .chunk_digest = texts[3]},
                          NULL) == SOTTO_OK &&
        (chunk.bytes.length != 0 || chunk.total >= (uint64_t)1 << 63))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const char *const names[] = {"advert", "shares", "inclusion", "reveal", "leave", "none"};
    struct sotto_view body = sotto_view_of(bytes, length);
    struct sotto_round_event event;

    if (length == 0)
        return 0;
    body.at++;
    body.length--;
    chunk_read(body);
    if (sotto_gate_message(&event, names[bytes[0] % 6], 1, body, 2) != SOTTO_OK)
        return 0;
    if (event.bytes.length > sotto_gate_message_max(names[bytes[0] % 6]) ||
        (event.kind == SOTTO_ROUND_LEAVE &&
         (event.reason == SOTTO_REFUSAL_NONE || event.reason >= SOTTO_REFUSAL_COUNT)))
        abort();
    return 0;
}
