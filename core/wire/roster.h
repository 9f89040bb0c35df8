/*
 * The roster: every enrolled, unrevoked site with its identity key, certificate and organisation.
 * Its digest is in the plan.
 */
#ifndef SOTTO_CORE_WIRE_ROSTER_H
#define SOTTO_CORE_WIRE_ROSTER_H

#include "core/base/bytes.h"
#include "core/wire/message.h"

enum { SOTTO_ROSTER_MAX = 10000, SOTTO_ROSTER_BYTES_MAX = 1536 * 1024 };

struct sotto_roster_line {
    uint32_t id;
    uint8_t identity[32];
    struct sotto_digest certificate;
    uint32_t organisation; /* index into the message's organisations */
};

struct sotto_roster_message {
    uint64_t epoch;
    size_t organisation_count;
    /* strictly ascending, bytewise: a line's index tells organisations apart without their names */
    char organisations[SOTTO_ROSTER_MAX][SOTTO_ORGANISATION_MAX + 1];
    size_t count;
    struct sotto_roster_line lines[SOTTO_ROSTER_MAX]; /* strictly ascending by id, ids from 1 */
};

/* SOTTO_OVER_LIMIT: out is too small. */
SOTTO_CHECKED enum sotto_status sotto_roster_encode(struct sotto_buffer *out,
                                                    const struct sotto_roster_message *roster);

/*
 * SOTTO_MALFORMED (also: ids or organisations that do not ascend, a line of none of them, or more
 * of them than lines), SOTTO_OVER_LIMIT, SOTTO_UNSUPPORTED (of another version), SOTTO_NO_MEMORY:
 * roster untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_roster_decode(struct sotto_roster_message *roster,
                                                    struct sotto_view bytes);

/*
 * Names the organisation of each line: fills in the message's organisations and the lines' indices.
 *
 *   names  in  [roster->count] by line; borrowed for the call
 *
 * SOTTO_MALFORMED: one is no name of an organisation; SOTTO_NO_MEMORY: roster untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_roster_organise(struct sotto_roster_message *roster,
                                                      const char *const *names);

#endif
