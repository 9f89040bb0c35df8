#include "participant/channel/start.h"

#include "core/base/pack.h"

enum { POLICY_BYTES_MAX = 12 * 1024 };

enum sotto_status sotto_trainer_start_encode(struct sotto_buffer *out,
                                             const struct sotto_trainer_start *start)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 9);
    sotto_pack_bool(&packer, start->is_degraded_allowed);
    sotto_pack_u64(&packer, start->thread_count);
    sotto_pack_bool(&packer, start->has_half_weights);
    sotto_pack_text(&packer, start->model);
    sotto_pack_text(&packer, start->examples);
    sotto_pack_text(&packer, start->labels);
    sotto_pack_text(&packer, start->chat);
    sotto_pack_u64(&packer, start->text_length);
    sotto_pack_text(&packer, start->adapters);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_trainer_start_decode(struct sotto_trainer_start *start,
                                             struct sotto_view bytes)
{
    struct sotto_trainer_start read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 9);
    read.is_degraded_allowed = sotto_unpack_bool(&unpacker);
    read.thread_count = (uint32_t)sotto_unpack_u64(&unpacker, SOTTO_START_THREADS_MAX);
    read.has_half_weights = sotto_unpack_bool(&unpacker);
    sotto_unpack_text(&unpacker, read.model, sizeof read.model);
    sotto_unpack_text(&unpacker, read.examples, sizeof read.examples);
    sotto_unpack_text(&unpacker, read.labels, sizeof read.labels);
    sotto_unpack_text(&unpacker, read.chat, sizeof read.chat);
    read.text_length = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    sotto_unpack_text(&unpacker, read.adapters, sizeof read.adapters);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK && read.thread_count < 1)
        status = SOTTO_MALFORMED;
    if (status == SOTTO_OK)
        *start = read;
    return status;
}

enum sotto_status sotto_sealer_start_encode(struct sotto_buffer *out,
                                            const struct sotto_sealer_start *start)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 5);
    sotto_pack_bool(&packer, start->is_degraded_allowed);
    sotto_pack_u64(&packer, start->id);
    sotto_pack_bytes(&packer, sotto_view_of(start->identity.bytes, sizeof start->identity.bytes));
    sotto_pack_bytes(&packer, sotto_view_of(start->coordinator, sizeof start->coordinator));
    sotto_pack_bytes(&packer, start->policy);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_sealer_start_decode(struct sotto_sealer_start *start,
                                            struct sotto_view bytes)
{
    struct sotto_sealer_start read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 5);
    read.is_degraded_allowed = sotto_unpack_bool(&unpacker);
    read.id = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    sotto_unpack_exact(&unpacker, read.identity.bytes, sizeof read.identity.bytes);
    sotto_unpack_exact(&unpacker, read.coordinator, sizeof read.coordinator);
    read.policy = sotto_unpack_bytes(&unpacker, POLICY_BYTES_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *start = read;
    sotto_wipe(&read.identity, sizeof read.identity);
    return status;
}

enum sotto_status sotto_courier_start_encode(struct sotto_buffer *out,
                                             const struct sotto_courier_start *start)
{
    struct sotto_packer packer;

    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, 5);
    sotto_pack_bool(&packer, start->is_degraded_allowed);
    sotto_pack_text(&packer, start->url);
    sotto_pack_text(&packer, start->authority);
    sotto_pack_text(&packer, start->certificate);
    sotto_pack_text(&packer, start->key);
    return sotto_packer_finish(&packer);
}

enum sotto_status sotto_courier_start_decode(struct sotto_courier_start *start,
                                             struct sotto_view bytes)
{
    struct sotto_courier_start read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;

    sotto_unpacker_open(&unpacker, bytes);
    sotto_unpack_array(&unpacker, 5);
    read.is_degraded_allowed = sotto_unpack_bool(&unpacker);
    sotto_unpack_text(&unpacker, read.url, sizeof read.url);
    sotto_unpack_text(&unpacker, read.authority, sizeof read.authority);
    sotto_unpack_text(&unpacker, read.certificate, sizeof read.certificate);
    sotto_unpack_text(&unpacker, read.key, sizeof read.key);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *start = read;
    return status;
}
