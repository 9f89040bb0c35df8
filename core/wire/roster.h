/*
 * The roster: every enrolled, unrevoked site with its identity key and certificate. Its digest is
 * in the plan.
 */
#ifndef SOTTO_CORE_WIRE_ROSTER_H
#define SOTTO_CORE_WIRE_ROSTER_H

#include "core/base/bytes.h"

enum { SOTTO_ROSTER_MAX = 512, SOTTO_ROSTER_BYTES_MAX = 60 * 1024 };

struct sotto_roster_line {
    uint32_t id;
    uint8_t identity[32];
    struct sotto_digest certificate;
};

struct sotto_roster_message {
    uint64_t epoch;
    size_t count;
    struct sotto_roster_line lines[SOTTO_ROSTER_MAX]; /* strictly ascending by id, ids from 1 */
};

/* SOTTO_OVER_LIMIT: out is too small. */
SOTTO_CHECKED enum sotto_status sotto_roster_encode(struct sotto_buffer *out,
                                                    const struct sotto_roster_message *roster);

/*
 * SOTTO_MALFORMED (also: ids that do not ascend), SOTTO_OVER_LIMIT, SOTTO_UNSUPPORTED (of another
 * version), SOTTO_NO_MEMORY: roster untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_roster_decode(struct sotto_roster_message *roster,
                                                    struct sotto_view bytes);

#endif
