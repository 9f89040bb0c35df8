#include "core/wire/roster.h"

#include <stdlib.h>
#include <string.h>

enum { FIELD_COUNT = 3, LINE_FIELD_COUNT = 4 };

enum sotto_status sotto_roster_encode(struct sotto_buffer *out,
                                      const struct sotto_roster_message *roster)
{
    struct sotto_packer packer;

    sotto_message_begin(&packer, out, SOTTO_MESSAGE_ROSTER, FIELD_COUNT);
    sotto_pack_u64(&packer, roster->epoch);
    sotto_pack_array(&packer, roster->organisation_count);
    for (size_t i = 0; i < roster->organisation_count; i++)
        sotto_pack_text(&packer, roster->organisations[i]);
    sotto_pack_array(&packer, roster->count);
    for (size_t i = 0; i < roster->count; i++) {
        const struct sotto_roster_line *line = &roster->lines[i];

        sotto_pack_array(&packer, LINE_FIELD_COUNT);
        sotto_pack_u64(&packer, line->id);
        sotto_pack_bytes(&packer, sotto_view_of(line->identity, sizeof line->identity));
        sotto_pack_bytes(&packer, sotto_view_digest(&line->certificate));
        sotto_pack_u64(&packer, line->organisation);
    }
    return sotto_packer_finish(&packer);
}

static void unpack_organisations(struct sotto_unpacker *unpacker,
                                 struct sotto_roster_message *roster)
{
    roster->organisation_count = sotto_unpack_list(unpacker, SOTTO_ROSTER_MAX);
    for (size_t i = 0; i < roster->organisation_count; i++) {
        sotto_unpack_organisation(unpacker, roster->organisations[i]);
        if (i > 0 && strcmp(roster->organisations[i - 1], roster->organisations[i]) >= 0)
            sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
    }
}

/* Ids ascend strictly from `id_before`, which is 0 before the first. */
static void unpack_line(struct sotto_unpacker *unpacker, struct sotto_roster_message *roster,
                        size_t place)
{
    struct sotto_roster_line *line = &roster->lines[place];
    uint32_t id_before = place == 0 ? 0 : roster->lines[place - 1].id;

    sotto_unpack_array(unpacker, LINE_FIELD_COUNT);
    line->id = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
    sotto_unpack_exact(unpacker, line->identity, sizeof line->identity);
    sotto_unpack_exact(unpacker, line->certificate.bytes, sizeof line->certificate.bytes);
    line->organisation = (uint32_t)sotto_unpack_u64(unpacker, UINT32_MAX);
    if (line->id <= id_before || line->organisation >= roster->organisation_count)
        sotto_unpacker_fail(unpacker, SOTTO_MALFORMED);
}

enum sotto_status sotto_roster_decode(struct sotto_roster_message *roster, struct sotto_view bytes)
{
    struct sotto_unpacker unpacker;
    struct sotto_roster_message *read = calloc(1, sizeof *read);
    enum sotto_status status;

    if (read == NULL)
        return SOTTO_NO_MEMORY;
    sotto_message_open(&unpacker, bytes, SOTTO_ROSTER_BYTES_MAX, SOTTO_MESSAGE_ROSTER, FIELD_COUNT);
    read->epoch = sotto_unpack_u64(&unpacker, UINT64_MAX);
    unpack_organisations(&unpacker, read);
    read->count = sotto_unpack_list(&unpacker, SOTTO_ROSTER_MAX);
    for (size_t i = 0; i < read->count; i++)
        unpack_line(&unpacker, read, i);
    if (read->organisation_count > read->count)
        sotto_unpacker_fail(&unpacker, SOTTO_MALFORMED);
    status = sotto_unpacker_close(&unpacker);
    if (status == SOTTO_OK)
        *roster = *read;
    free(read);
    return status;
}

/* The organisation of one line, on its way into the order of names. */
struct membership {
    const char *name;
    size_t place;
};

static int membership_compare(const void *left, const void *right)
{
    return strcmp(((const struct membership *)left)->name,
                  ((const struct membership *)right)->name);
}

static void number(struct sotto_roster_message *roster, const struct membership *sorted)
{
    size_t count = 0;

    for (size_t i = 0; i < roster->count; i++) {
        if (i == 0 || strcmp(sorted[i - 1].name, sorted[i].name) != 0)
            memcpy(roster->organisations[count++], sorted[i].name, strlen(sorted[i].name) + 1);
        roster->lines[sorted[i].place].organisation = (uint32_t)count - 1;
    }
    roster->organisation_count = count;
}

enum sotto_status sotto_roster_organise(struct sotto_roster_message *roster,
                                        const char *const *names)
{
    struct membership *sorted;

    for (size_t i = 0; i < roster->count; i++)
        if (!sotto_organisation_is_valid(names[i]))
            return SOTTO_MALFORMED;
    sorted = calloc(roster->count + 1, sizeof *sorted);
    if (sorted == NULL)
        return SOTTO_NO_MEMORY;
    for (size_t i = 0; i < roster->count; i++)
        sorted[i] = (struct membership){.name = names[i], .place = i};
    qsort(sorted, roster->count, sizeof *sorted, membership_compare);
    number(roster, sorted);
    free(sorted);
    return SOTTO_OK;
}
