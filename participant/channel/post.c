#include "participant/channel/post.h"

#include "core/base/pack.h"

enum { ANSWER_BYTES_MAX = 60 * 1024 };

static void pack_round(struct sotto_packer *packer, const struct sotto_round_name *round)
{
    sotto_pack_text(packer, round->campaign);
    sotto_pack_u64(packer, round->round);
}

static void unpack_round(struct sotto_unpacker *unpacker, struct sotto_round_name *round)
{
    sotto_unpack_text(unpacker, round->campaign, sizeof round->campaign);
    round->round = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
}

enum sotto_status sotto_fetch_encode(struct sotto_buffer *out, const struct sotto_fetch *fetch)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 2);
    sotto_pack_u64(&packer, fetch->item);
    sotto_pack_bytes(&packer, sotto_view_digest(&fetch->digest));
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_fetch_decode(struct sotto_fetch *fetch, struct sotto_view bytes)
{
    struct sotto_fetch read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 2);
    read.item = (uint32_t)sotto_unpack_u64(&unpacker, SOTTO_POST_ITEM_KINDS);
    sotto_unpack_exact(&unpacker, read.digest.bytes, sizeof read.digest.bytes);
    status = sotto_unpacker_close(&unpacker);
    if (status != SOTTO_OK)
        return status;
    if (read.item == 0)
        return SOTTO_MALFORMED;
    *fetch = read;
    return SOTTO_OK;
}

enum sotto_status sotto_post_answer_encode(struct sotto_buffer *out,
                                           const struct sotto_post_answer *answer)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 4);
    pack_round(&packer, &answer->round);
    sotto_pack_u64(&packer, (uint64_t)answer->answers);
    sotto_pack_bytes(&packer, answer->bytes);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_post_answer_decode(struct sotto_post_answer *answer,
                                           struct sotto_view bytes)
{
    struct sotto_post_answer read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 4);
    unpack_round(&unpacker, &read.round);
    read.answers = (enum sotto_mail_kind)sotto_unpack_u64(&unpacker, SOTTO_MAIL_INCLUSIONS);
    read.bytes = sotto_unpack_bytes(&unpacker, ANSWER_BYTES_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status != SOTTO_OK)
        return status;
    if (read.answers == SOTTO_MAIL_NONE)
        return SOTTO_MALFORMED;
    *answer = read;
    return SOTTO_OK;
}

enum sotto_status sotto_post_upload_encode(struct sotto_buffer *out,
                                           const struct sotto_post_upload *upload)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 3);
    pack_round(&packer, &upload->round);
    sotto_pack_bytes(&packer, sotto_view_digest(&upload->digest));
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_post_upload_decode(struct sotto_post_upload *upload,
                                           struct sotto_view bytes)
{
    struct sotto_post_upload read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 3);
    unpack_round(&unpacker, &read.round);
    sotto_unpack_exact(&unpacker, read.digest.bytes, sizeof read.digest.bytes);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *upload = read;
    return status;
}

enum sotto_status sotto_post_leave_encode(struct sotto_buffer *out,
                                          const struct sotto_post_leave *leave)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 3);
    pack_round(&packer, &leave->round);
    sotto_pack_u64(&packer, leave->refusal);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_post_leave_decode(struct sotto_post_leave *leave, struct sotto_view bytes)
{
    struct sotto_post_leave read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 3);
    unpack_round(&unpacker, &read.round);
    read.refusal = (uint8_t)sotto_unpack_u64(&unpacker, UINT8_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *leave = read;
    return status;
}
