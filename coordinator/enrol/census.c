#include "coordinator/enrol/census.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"

static void line_add(void *context, const struct sotto_site *site)
{
    struct sotto_roster_message *message = context;
    struct sotto_roster_line *line;

    if (site->revoked_ms != 0 || message->count == SOTTO_ROSTER_MAX)
        return;
    line = &message->lines[message->count++];
    line->id = site->id;
    memcpy(line->identity, site->identity, sizeof line->identity);
    line->certificate = site->certificate;
}

static void entries_set(struct sotto_census *census, const struct sotto_roster_message *message)
{
    struct sotto_view bytes = sotto_view_of(census->bytes, census->length);

    for (size_t i = 0; i < message->count; i++) {
        struct sotto_roster_entry *entry = &census->entries[i];

        entry->id = message->lines[i].id;
        entry->certificate = message->lines[i].certificate;
        memcpy(entry->identity.bytes, message->lines[i].identity, sizeof entry->identity.bytes);
    }
    census->roster = (struct sotto_roster){
        .epoch = message->epoch, .entries = census->entries, .entry_count = message->count};
    sotto_hash(&census->digest, &bytes, 1);
}

enum sotto_status sotto_census_take(struct sotto_census *census, struct sotto_ledger *ledger,
                                    struct sotto_fault *fault)
{
    struct sotto_roster_message *message = calloc(1, sizeof *message);
    struct sotto_buffer out = sotto_buffer_of(census->bytes, sizeof census->bytes);
    enum sotto_status status;

    if (message == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the roster");
    status = sotto_sites_epoch(ledger, &message->epoch);
    if (status == SOTTO_OK)
        status = sotto_sites_walk(ledger, line_add, message);
    if (status == SOTTO_OK)
        status = sotto_roster_encode(&out, message);
    if (status == SOTTO_OK) {
        census->length = out.length;
        entries_set(census, message);
    } else {
        sotto_fault_set(fault, status, "the roster cannot be made");
    }
    free(message);
    return status;
}

enum sotto_status sotto_census_read(struct sotto_census *census, struct sotto_view bytes)
{
    struct sotto_roster_message *message;
    enum sotto_status status;

    if (bytes.length > sizeof census->bytes)
        return SOTTO_OVER_LIMIT;
    message = calloc(1, sizeof *message);
    if (message == NULL)
        return SOTTO_NO_MEMORY;
    status = sotto_roster_decode(message, bytes);
    if (status == SOTTO_OK) {
        memcpy(census->bytes, bytes.at, bytes.length);
        census->length = bytes.length;
        entries_set(census, message);
    }
    free(message);
    return status;
}
