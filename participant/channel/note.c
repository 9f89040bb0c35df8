#include "participant/channel/note.h"

#include <stdio.h>
#include <string.h>

#include "core/base/pack.h"

/* Unpacking refuses control characters; a path or a file's name may hold some. */
static void text_clean(char out[SOTTO_NOTE_TEXT_MAX], const char *text)
{
    size_t length = strnlen(text, SOTTO_NOTE_TEXT_MAX - 1);

    for (size_t index = 0; index < length; index++) {
        unsigned char here = (unsigned char)text[index];

        out[index] = here < 0x20 || here == 0x7f ? '?' : text[index];
    }
    out[length] = '\0';
}

enum sotto_status sotto_note_encode(struct sotto_buffer *out, const struct sotto_note *note)
{
    struct sotto_packer packer;
    char text[SOTTO_NOTE_TEXT_MAX];

    text_clean(text, note->text);
    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 9);
    sotto_pack_u64(&packer, (uint64_t)note->kind);
    sotto_pack_text(&packer, note->campaign);
    sotto_pack_u64(&packer, note->round);
    sotto_pack_u64(&packer, note->code);
    sotto_pack_f64(&packer, note->seconds);
    sotto_pack_f64(&packer, note->epsilon);
    sotto_pack_u64(&packer, note->up);
    sotto_pack_u64(&packer, note->down);
    sotto_pack_text(&packer, text);
    return sotto_packer_finish(&packer);
}

void sotto_note_send(const struct sotto_channel *supervisor, const struct sotto_note *note)
{
    uint8_t bytes[SOTTO_NOTE_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_letter letter = {.kind = SOTTO_LETTER_NOTE, .descriptor = -1};

    if (sotto_note_encode(&buffer, note) != SOTTO_OK)
        return;
    letter.body = sotto_view_buffer(&buffer);
    if (sotto_channel_send(supervisor, &letter) != SOTTO_OK)
        return;
}

void sotto_note_tell(const struct sotto_channel *supervisor, enum sotto_note_kind kind,
                     const char *text)
{
    struct sotto_note note = {.kind = kind};

    snprintf(note.text, sizeof note.text, "%s", text);
    sotto_note_send(supervisor, &note);
}

enum sotto_status sotto_note_decode(struct sotto_note *note, struct sotto_view bytes)
{
    struct sotto_note read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;
    uint64_t kind = 0;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 9);
    kind = sotto_unpack_u64(&unpacker, SOTTO_NOTE_KIND_COUNT - 1);
    sotto_unpack_text(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.code = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.seconds = sotto_unpack_f64(&unpacker);
    read.epsilon = sotto_unpack_f64(&unpacker);
    read.up = sotto_unpack_u64(&unpacker, UINT64_MAX);
    read.down = sotto_unpack_u64(&unpacker, UINT64_MAX);
    sotto_unpack_text(&unpacker, read.text, sizeof read.text);
    status = sotto_unpacker_close(&unpacker);
    if (status != SOTTO_OK)
        return status;
    if (kind == 0)
        return SOTTO_MALFORMED;
    read.kind = (enum sotto_note_kind)kind;
    *note = read;
    return SOTTO_OK;
}
