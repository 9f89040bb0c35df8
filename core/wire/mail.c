#include "core/wire/mail.h"

enum { FIELD_COUNT = 5 };

enum sotto_status sotto_mail_encode(struct sotto_buffer *out, const struct sotto_mail *mail)
{
    size_t room = out->capacity - out->length;
    uint8_t *at = out->at + out->length;
    struct sotto_buffer limited =
        sotto_buffer_of(at, room < SOTTO_MAIL_BYTES_MAX ? room : SOTTO_MAIL_BYTES_MAX);
    struct sotto_packer packer;

    sotto_message_begin(&packer, &limited, SOTTO_MESSAGE_MAIL, FIELD_COUNT);
    sotto_pack_u64(&packer, (uint64_t)mail->kind);
    sotto_pack_text(&packer, mail->campaign);
    sotto_pack_u64(&packer, mail->round);
    sotto_pack_bytes(&packer, mail->body);
    sotto_pack_bytes(&packer, sotto_view_of(mail->signature, sizeof mail->signature));
    out->length += limited.length;
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_mail_decode(struct sotto_mail *mail, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_mail read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_MAIL_BYTES_MAX, SOTTO_MESSAGE_MAIL, FIELD_COUNT);
    read.kind = (enum sotto_mail_kind)sotto_unpack_u64(&unpacker, SOTTO_MAIL_OUTCOME);
    sotto_unpack_name(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.body = sotto_unpack_bytes(&unpacker, SOTTO_MAIL_BYTES_MAX);
    sotto_unpack_exact(&unpacker, read.signature, sizeof read.signature);
    if (read.kind == SOTTO_MAIL_NONE || read.round == 0)
        sotto_unpacker_fail(&unpacker, SOTTO_MALFORMED);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *mail = read;
    return status;
}
