#include "participant/ledger/record.h"

#include "core/base/pack.h"

enum { RECORD_FIELDS = 10, FIELDS_MAX = 32 };

const char *sotto_record_name(enum sotto_record_kind kind)
{
    switch (kind) {
    case SOTTO_RECORD_JOINED: return "joined";
    case SOTTO_RECORD_ANSWERED: return "answered";
    case SOTTO_RECORD_UPLOADED: return "uploaded";
    case SOTTO_RECORD_REVEALED: return "revealed";
    case SOTTO_RECORD_REFUSED: return "refused";
    case SOTTO_RECORD_ADOPTED: return "adopted";
    case SOTTO_RECORD_KIND_COUNT: break;
    }
    return "unknown";
}

enum sotto_status sotto_record_encode(struct sotto_buffer *out, const struct sotto_record *record)
{
    struct sotto_packer packer;

    if (record->note.length > SOTTO_RECORD_NOTE_MAX)
        return SOTTO_OVER_LIMIT;
    sotto_packer_init(&packer, out);
    sotto_pack_array(&packer, RECORD_FIELDS);
    sotto_pack_u64(&packer, (uint64_t)record->kind);
    sotto_pack_text(&packer, record->campaign);
    sotto_pack_u64(&packer, record->round);
    sotto_pack_bytes(&packer, sotto_view_digest(&record->digest));
    sotto_pack_bytes(&packer, sotto_view_digest(&record->start));
    sotto_pack_u64(&packer, record->roster_epoch);
    sotto_pack_u64(&packer, (uint64_t)record->refusal);
    sotto_pack_f64(&packer, record->charge);
    sotto_pack_array(&packer, record->member_count);
    for (size_t index = 0; index < record->member_count; index++)
        sotto_pack_u64(&packer, record->members[index]);
    sotto_pack_bytes(&packer, record->note);
    return sotto_packer_finish(&packer);
}

/* Ids of a cohort are distinct and ascend; false otherwise. */
static bool unpack_members(struct sotto_unpacker *unpacker, struct sotto_record *record)
{
    bool ascends = true;

    record->member_count = sotto_unpack_list(unpacker, SOTTO_COHORT_MAX);
    for (size_t index = 0; index < record->member_count; index++) {
        record->members[index] = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
        if (index > 0 && record->members[index] <= record->members[index - 1])
            ascends = false;
    }
    return ascends;
}

enum sotto_status sotto_record_decode(struct sotto_record *record, struct sotto_view bytes)
{
    struct sotto_record read = {0};
    struct sotto_unpacker unpacker;
    enum sotto_status status = SOTTO_OK;
    bool ascends = false;

    sotto_unpacker_open_within(&unpacker, bytes, SOTTO_RECORD_BYTES_MAX);
    if (sotto_unpack_list(&unpacker, FIELDS_MAX) != RECORD_FIELDS)
        sotto_unpacker_fail(&unpacker, SOTTO_UNSUPPORTED);
    read.kind = (enum sotto_record_kind)sotto_unpack_u64(&unpacker, SOTTO_RECORD_KIND_COUNT - 1);
    sotto_unpack_text(&unpacker, read.campaign, sizeof read.campaign);
    read.round = (uint32_t)sotto_unpack_u64(&unpacker, UINT32_MAX);
    sotto_unpack_exact(&unpacker, read.digest.bytes, sizeof read.digest.bytes);
    sotto_unpack_exact(&unpacker, read.start.bytes, sizeof read.start.bytes);
    read.roster_epoch = sotto_unpack_u64(&unpacker, UINT64_MAX);
    read.refusal = (enum sotto_refusal)sotto_unpack_u64(&unpacker, SOTTO_REFUSAL_COUNT - 1);
    read.charge = sotto_unpack_f64(&unpacker);
    ascends = unpack_members(&unpacker, &read);
    read.note = sotto_unpack_bytes(&unpacker, SOTTO_RECORD_NOTE_MAX);
    status = sotto_unpacker_close(&unpacker);
    if (status != SOTTO_OK)
        return status;
    if (read.charge < 0 || read.kind == 0 || read.campaign[0] == '\0' || !ascends)
        return SOTTO_MALFORMED;
    *record = read;
    return SOTTO_OK;
}
