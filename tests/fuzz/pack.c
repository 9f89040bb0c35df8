#include "core/base/pack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* Reads one value of the kind that `choice` names. */
static void read_one(struct sotto_unpacker *unpacker, uint8_t choice)
{
    uint8_t exact[4];
    char text[8];

    switch (choice % 6) {
    case 0: (void)sotto_unpack_u64(unpacker, UINT64_MAX); break;
    case 1: (void)sotto_unpack_f64(unpacker); break;
    case 2: (void)sotto_unpack_bool(unpacker); break;
    case 3: sotto_unpack_exact(unpacker, exact, sizeof exact); break;
    case 4: sotto_unpack_text(unpacker, text, sizeof text); break;
    case 5: (void)sotto_unpack_list(unpacker, SIZE_MAX); break;
    }
}

/*
 * The first eight bytes choose what is read, the rest is the message. What the scan passes, the
 * library parses.
 */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct sotto_unpacker unpacker;
    struct sotto_view message;

    if (length < 8)
        return 0;
    message = sotto_view_of(bytes + 8, length - 8);
    sotto_unpacker_open(&unpacker, message);
    if (sotto_pack_scan(message, SOTTO_PACK_BYTES_MAX) != unpacker.status)
        abort();
    for (size_t i = 0; i < 64; i++)
        read_one(&unpacker, bytes[i % 8]);
    if (sotto_unpacker_close(&unpacker) == SOTTO_NO_MEMORY)
        abort();
    return 0;
}
