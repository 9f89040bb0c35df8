#include "core/wire/message.h"

#include <string.h>

enum { FIELDS_MAX = 64 };

void sotto_message_begin(struct sotto_packer *packer, struct sotto_buffer *out,
                         enum sotto_message message, size_t field_count)
{
    sotto_packer_init(packer, out);
    sotto_pack_array(packer, 2 + field_count);
    sotto_pack_u64(packer, SOTTO_WIRE_VERSION);
    sotto_pack_u64(packer, (uint64_t)message);
}

void sotto_message_open(struct sotto_unpacker *unpacker, struct sotto_view bytes, size_t bytes_max,
                        enum sotto_message message, size_t field_count)
{
    size_t count;
    uint64_t version;
    uint64_t number;

    if (bytes.length > bytes_max) {
        *unpacker = (struct sotto_unpacker){.status = SOTTO_OVER_LIMIT};
        return;
    }
    sotto_unpacker_open_within(unpacker, bytes, bytes_max);
    count = sotto_unpack_list(unpacker, FIELDS_MAX);
    version = sotto_unpack_u64(unpacker, UINT64_MAX);
    if (version != SOTTO_WIRE_VERSION)
        sotto_unpacker_fail(unpacker, SOTTO_UNSUPPORTED);
    number = sotto_unpack_u64(unpacker, UINT64_MAX);
    if (number != (uint64_t)message || count != 2 + field_count)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
}

void sotto_unpack_name(struct sotto_unpacker *unpacker, char *out, size_t capacity)
{
    sotto_unpack_text(unpacker, out, capacity);
    if (!sotto_name_is_valid(out, capacity - 1))
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
}

void sotto_unpack_organisation(struct sotto_unpacker *unpacker,
                               char out[SOTTO_ORGANISATION_MAX + 1])
{
    sotto_unpack_text(unpacker, out, SOTTO_ORGANISATION_MAX + 1);
    if (!sotto_organisation_is_valid(out))
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
}

bool sotto_organisation_is_valid(const char *name)
{
    size_t length = strnlen(name, SOTTO_ORGANISATION_MAX + 1);

    for (size_t at = 0; at < length; at++)
        if (name[at] < ' ' || name[at] > '~')
            return false;
    return length >= 1 && length <= SOTTO_ORGANISATION_MAX && name[0] != ' ' &&
           name[length - 1] != ' ';
}

bool sotto_name_is_valid(const char *name, size_t length_max)
{
    size_t length = strnlen(name, length_max + 1);

    return length >= 1 && length <= length_max && name[0] != '-' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}
