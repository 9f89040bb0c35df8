#include "coordinator/drive/entry.h"

#include <string.h>

static const char *const record_names[] = {
    [SOTTO_ROUND_ADVERT] = "advert",     [SOTTO_ROUND_SHARES] = "shares",
    [SOTTO_ROUND_UPLOAD] = "upload",     [SOTTO_ROUND_INCLUSION] = "inclusion",
    [SOTTO_ROUND_REVEAL] = "reveal",     [SOTTO_ROUND_LEAVE] = "leave",
    [SOTTO_ROUND_DEADLINE] = "deadline", [SOTTO_ROUND_SUM_READY] = "sum-ready",
    [SOTTO_ROUND_APPLIED] = "applied",   [SOTTO_ROUND_BROKEN] = "broken",
    [SOTTO_ROUND_RECEIPT] = "receipt",
};

enum { RECORD_COUNT = sizeof record_names / sizeof record_names[0] };

void sotto_entry_encode(struct sotto_ledger_entry *entry, const struct sotto_plan *plan,
                        const struct sotto_round_event *event)
{
    *entry = (struct sotto_ledger_entry){.at_ms = event->at_ms,
                                         .kind = record_names[event->kind],
                                         .campaign = plan->campaign,
                                         .round = plan->round,
                                         .site = event->site,
                                         .reason = event->reason,
                                         .digest = event->digest,
                                         .bytes = event->bytes};
}

enum sotto_status sotto_entry_decode(struct sotto_round_event *event,
                                     const struct sotto_ledger_entry *entry)
{
    for (size_t kind = 0; kind < RECORD_COUNT; kind++) {
        if (strcmp(record_names[kind], entry->kind) != 0)
            continue;
        *event = (struct sotto_round_event){.kind = (enum sotto_round_event_kind)kind,
                                            .at_ms = entry->at_ms,
                                            .site = entry->site,
                                            .reason = entry->reason,
                                            .bytes = entry->bytes,
                                            .digest = entry->digest};
        return SOTTO_OK;
    }
    return SOTTO_NOT_FOUND;
}
