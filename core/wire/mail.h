/*
 * What the coordinator has for one site: an envelope around one message. Sites ask, the coordinator
 * never calls.
 *
 * A site asks with the last (round, mail kind) it has seen; the answer is the next message that is
 * for it, or none. Kinds are ordered as a round goes.
 */
#ifndef SOTTO_CORE_WIRE_MAIL_H
#define SOTTO_CORE_WIRE_MAIL_H

#include "core/base/bytes.h"
#include "core/wire/plan.h"

enum sotto_mail_kind {
    SOTTO_MAIL_NONE = 0,
    SOTTO_MAIL_PLAN,       /* body: plan bytes; signature: over "sotto/1 plan", body */
    SOTTO_MAIL_COHORT,     /* body: the protocol's message */
    SOTTO_MAIL_INBOX,      /* likewise */
    SOTTO_MAIL_SURVIVORS,  /* likewise */
    SOTTO_MAIL_INCLUSIONS, /* likewise */
    SOTTO_MAIL_OUTCOME,    /* body: an outcome message */
};

struct sotto_mail {
    enum sotto_mail_kind kind;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    struct sotto_view body; /* borrowed */
    uint8_t signature[64];  /* zero where the body carries its own */
};

/* The longest is a cohort of 10,000. */
enum { SOTTO_MAIL_BYTES_MAX = 516 * 1024 };

/* SOTTO_OVER_LIMIT: out is too small, or the mail would exceed SOTTO_MAIL_BYTES_MAX. */
SOTTO_CHECKED enum sotto_status sotto_mail_encode(struct sotto_buffer *out,
                                                  const struct sotto_mail *mail);

/*
 * The body borrows from `bytes`; neither it nor the signature is looked into. SOTTO_MALFORMED,
 * SOTTO_OVER_LIMIT, SOTTO_UNSUPPORTED (of another version), SOTTO_NO_MEMORY: mail untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_mail_decode(struct sotto_mail *mail, struct sotto_view bytes);

#endif
