#include "core/wire/roster.h"

#include "core/wire/message.h"

enum { FIELD_COUNT = 2, LINE_FIELD_COUNT = 3 };

enum sotto_status sotto_roster_encode(struct sotto_buffer *out,
                                      const struct sotto_roster_message *roster)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_ROSTER, FIELD_COUNT);
    sotto_pack_u64(&packer, roster->epoch);
    sotto_pack_array(&packer, roster->count);
    for (size_t i = 0; i < roster->count; i++) {
        const struct sotto_roster_line *line = &roster->lines[i];

        sotto_pack_array(&packer, LINE_FIELD_COUNT);
        sotto_pack_u64(&packer, line->id);
        sotto_pack_bytes(&packer, sotto_view_of(line->identity, sizeof line->identity));
        sotto_pack_bytes(&packer, sotto_view_digest(&line->certificate));
    }
    return sotto_packer_finish(&packer);
}

/* Ids ascend strictly from `id_before`, which is 0 before the first. */
static void unpack_line(struct sotto_unpacker *unpacker, struct sotto_roster_line *line,
                        uint32_t id_before)
{
    sotto_unpack_array(unpacker, LINE_FIELD_COUNT);
    line->id = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
    sotto_unpack_exact(unpacker, line->identity, sizeof line->identity);
    sotto_unpack_exact(unpacker, line->certificate.bytes, sizeof line->certificate.bytes);
    if (line->id <= id_before)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
}

enum sotto_status sotto_roster_decode(struct sotto_roster_message *roster, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_roster_message read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_ROSTER_BYTES_MAX, SOTTO_MESSAGE_ROSTER, FIELD_COUNT);
    read.epoch = sotto_unpack_u64(&unpacker, UINT64_MAX);
    read.count = sotto_unpack_list(&unpacker, SOTTO_ROSTER_MAX);
    for (size_t i = 0; i < read.count; i++)
        unpack_line(&unpacker, &read.lines[i], i == 0 ? 0 : read.lines[i - 1].id);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *roster = read;
    return status;
}
