#include "coordinator/enrol/census.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/primitives/hash.h"

/* A roster on its way from the table of sites, with the organisation of each line. */
struct draft {
    struct sotto_roster_message message;
    char organisations[SOTTO_ROSTER_MAX][SOTTO_ORGANISATION_MAX + 1];
    const char *names[SOTTO_ROSTER_MAX];
};

static void line_add(void *context, const struct sotto_site *site)
{
    struct draft *draft = context;
    struct sotto_roster_line *line;
    size_t place = draft->message.count;

    if (site->revoked_ms != 0 || place == SOTTO_ROSTER_MAX)
        return;
    memcpy(draft->organisations[place], site->organisation, sizeof site->organisation);
    draft->names[place] = draft->organisations[place];
    line = &draft->message.lines[place];
    draft->message.count++;
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
        entry->organisation = message->lines[i].organisation;
        memcpy(entry->identity.bytes, message->lines[i].identity, sizeof entry->identity.bytes);
    }
    census->roster = (struct sotto_roster){
        .epoch = message->epoch, .entries = census->entries, .entry_count = message->count};
    sotto_hash(&census->digest, &bytes, 1);
}

enum sotto_status sotto_census_take(struct sotto_census *census, struct sotto_ledger *ledger,
                                    struct sotto_fault *fault)
{
    struct draft *draft = calloc(1, sizeof *draft);
    struct sotto_buffer out = sotto_buffer_of(census->bytes, sizeof census->bytes);
    enum sotto_status status;

    if (draft == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for the roster");
    status = sotto_sites_epoch(ledger, &draft->message.epoch);
    if (status == SOTTO_OK)
        status = sotto_sites_walk(ledger, line_add, draft);
    if (status == SOTTO_OK)
        status = sotto_roster_organise(&draft->message, draft->names);
    if (status == SOTTO_OK)
        status = sotto_roster_encode(&out, &draft->message);
    if (status == SOTTO_OK) {
        census->length = out.length;
        entries_set(census, &draft->message);
    } else {
        sotto_fault_set(fault, status, "the roster cannot be made");
    }
    free(draft);
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
