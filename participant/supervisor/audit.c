#include "participant/supervisor/audit.h"

#include <jansson.h>
#include <stdlib.h>

#include "core/base/file.h"
#include "participant/ledger/ledger.h"
#include "participant/ledger/record.h"

static void print_text(FILE *out, const struct sotto_record *record, const char *digest)
{
    fprintf(out, "%s round %u: %s", record->campaign, record->round,
            sotto_record_name(record->kind));
    switch (record->kind) {
    case SOTTO_RECORD_JOINED: fprintf(out, ", plan %.16s", digest); break;
    case SOTTO_RECORD_UPLOADED:
        fprintf(out, " masked lanes %.16s", digest);
        if (record->charge > 0)
            fprintf(out, ", rho %.6g", record->charge);
        else
            fprintf(out, ", without noise");
        break;
    case SOTTO_RECORD_ADOPTED: fprintf(out, " adapter %.16s", digest); break;
    case SOTTO_RECORD_REFUSED: fprintf(out, " (%s)", sotto_refusal_name(record->refusal)); break;
    case SOTTO_RECORD_REVEALED:
        fprintf(out, " shares to a cohort of %zu", record->member_count);
        break;
    case SOTTO_RECORD_ANSWERED:
    case SOTTO_RECORD_KIND_COUNT: break;
    }
    fprintf(out, "\n");
}

static json_t *members_of(const struct sotto_record *record)
{
    json_t *members = json_array();

    for (size_t index = 0; index < record->member_count; index++)
        json_array_append_new(members, json_integer((json_int_t)record->members[index]));
    return members;
}

static void print_json(FILE *out, const struct sotto_record *record, const char *digest)
{
    bool is_refusal = record->kind == SOTTO_RECORD_REFUSED;
    json_t *rho = record->charge > 0 ? json_real(record->charge) : json_null();
    json_t *line =
        json_pack("{s:s, s:I, s:s, s:s, s:o, s:o, s:s*}", "campaign", record->campaign, "round",
                  (json_int_t)record->round, "record", sotto_record_name(record->kind), "digest",
                  digest, "cohort", members_of(record), "rho", rho, "refusal",
                  is_refusal ? sotto_refusal_name(record->refusal) : NULL);

    json_dumpf(line, out, JSON_COMPACT | JSON_REAL_PRECISION(9));
    fprintf(out, "\n");
    json_decref(line);
}

static enum sotto_status print_record(void *context, struct sotto_view bytes)
{
    const struct sotto_audit_form *form = context;
    struct sotto_record record;
    char digest[SOTTO_DIGEST_HEX];
    enum sotto_status status = sotto_record_decode(&record, bytes);

    if (status != SOTTO_OK)
        return status;
    sotto_digest_hex(digest, &record.digest);
    if (form->as_json)
        print_json(form->out, &record, digest);
    else
        print_text(form->out, &record, digest);
    return SOTTO_OK;
}

enum sotto_status sotto_site_audit(const struct sotto_state_folder *folder,
                                   const struct sotto_audit_form *form, struct sotto_fault *fault)
{
    struct sotto_audit_form copy = *form;
    struct sotto_ledger_visitor visitor = {.record = print_record, .context = &copy};
    struct sotto_ledger_extent extent;
    uint8_t *bytes = NULL;
    size_t length = 0;
    enum sotto_status status =
        sotto_file_read(&bytes, &length, folder->ledger, SOTTO_LEDGER_BYTES_MAX, fault);

    if (status == SOTTO_OK)
        status = sotto_ledger_walk(&extent, sotto_view_of(bytes, length), &visitor, fault);
    free(bytes);
    return status;
}
