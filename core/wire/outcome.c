#include "core/wire/outcome.h"

#include "core/wire/roster.h"

enum { FIELD_COUNT = 8, SURVIVORS_MIN = 3, SURVIVORS_MAX = SOTTO_ROSTER_MAX };

enum sotto_status sotto_outcome_encode(struct sotto_buffer *out,
                                       const struct sotto_outcome *outcome)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_OUTCOME, FIELD_COUNT);
    sotto_pack_u64(&packer, (uint64_t)outcome->kind);
    sotto_pack_text(&packer, outcome->campaign);
    sotto_pack_u64(&packer, outcome->round);
    sotto_pack_bool(&packer, outcome->is_last);
    sotto_pack_bytes(&packer, sotto_view_digest(&outcome->adapter));
    sotto_pack_bytes(&packer, sotto_view_digest(&outcome->layout));
    sotto_pack_u64(&packer, outcome->survivors);
    sotto_pack_text(&packer, outcome->reason);
    return sotto_packer_finish(&packer);
}

static bool is_consistent(const struct sotto_outcome *outcome)
{
    if (outcome->round == 0)
        return false;
    switch (outcome->kind) {
    case SOTTO_OUTCOME_FINISHED:
        return outcome->survivors >= SURVIVORS_MIN && outcome->reason[0] == '\0';
    case SOTTO_OUTCOME_ABANDONED: return true;
    }
    return false;
}

enum sotto_status sotto_outcome_decode(struct sotto_outcome *outcome, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_outcome read = {0};
    enum sotto_status status;

    sotto_message_open(&unpacker, bytes, SOTTO_OUTCOME_BYTES_MAX, SOTTO_MESSAGE_OUTCOME,
                       FIELD_COUNT);
    read.kind = (enum sotto_outcome_kind)sotto_unpack_u64(&unpacker, SOTTO_OUTCOME_ABANDONED);
    sotto_unpack_name(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    read.is_last = sotto_unpack_bool(&unpacker);
    sotto_unpack_exact(&unpacker, read.adapter.bytes, sizeof read.adapter.bytes);
    sotto_unpack_exact(&unpacker, read.layout.bytes, sizeof read.layout.bytes);
    read.survivors = (uint32_t)sotto_unpack_u64(&unpacker, SURVIVORS_MAX);
    sotto_unpack_text(&unpacker, read.reason, sizeof read.reason);
    if (!is_consistent(&read))
        sotto_unpacker_fail(&unpacker, SOTTO_MALFORMED);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *outcome = read;
    return status;
}
