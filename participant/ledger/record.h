/*
 * One line of a site's ledger: what it is about to let out, or what it will never do again. Written
 * before the deed.
 */
#ifndef SOTTO_PARTICIPANT_LEDGER_RECORD_H
#define SOTTO_PARTICIPANT_LEDGER_RECORD_H

#include "core/wire/plan.h"
#include "crypto/secagg/refusal.h"
#include "crypto/secagg/terms.h"

enum sotto_record_kind {
    /* digest: ctx0; start: the adapter it trains from; roster_epoch; the round number is used up */
    SOTTO_RECORD_JOINED = 1,
    SOTTO_RECORD_ANSWERED, /* note: what the protocol wants kept before it answers */
    SOTTO_RECORD_UPLOADED, /* digest: of the packed masked lanes; charge */
    SOTTO_RECORD_REVEALED, /* start, members: the sum of these is about to become readable */
    SOTTO_RECORD_REFUSED,  /* refusal */
    SOTTO_RECORD_ADOPTED,  /* digest: the adapter that is now the site's */
    SOTTO_RECORD_KIND_COUNT
};

enum { SOTTO_RECORD_NOTE_MAX = 4096, SOTTO_RECORD_BYTES_MAX = 60 * 1024 };

struct sotto_record {
    enum sotto_record_kind kind;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    struct sotto_digest digest;
    struct sotto_digest start;
    uint64_t roster_epoch;
    enum sotto_refusal refusal;
    double charge; /* rho of the upload; 0: it carries no noise */
    size_t member_count;
    uint32_t members[SOTTO_COHORT_MAX]; /* ids, strictly ascending */
    struct sotto_view note;             /* borrowed; of the protocol, opaque here */
};

/* "joined" and the like; never NULL. */
const char *sotto_record_name(enum sotto_record_kind kind);

/* SOTTO_OVER_LIMIT: out is smaller than SOTTO_RECORD_BYTES_MAX, or the note is too long. */
SOTTO_CHECKED enum sotto_status sotto_record_encode(struct sotto_buffer *out,
                                                    const struct sotto_record *record);
/*
 * SOTTO_UNSUPPORTED: another number of fields, so of another version; SOTTO_MALFORMED, also for
 * trailing bytes; record untouched.
 */
SOTTO_CHECKED enum sotto_status sotto_record_decode(struct sotto_record *record,
                                                    struct sotto_view bytes);

#endif
