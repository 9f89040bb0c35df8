/*
 * Ways to break what carries the machines, each of which some invariant must notice: a harness that
 * finds nothing is only worth something if it would have found it.
 */
#ifndef TESTS_CHAOS_SABOTAGE_H
#define TESTS_CHAOS_SABOTAGE_H

#include "participant/sealer/turn.h"
#include "tests/chaos/watch.h"

struct play;
struct site;

enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_NO_LEDGER,      /* a site starts again without its ledger */
    SABOTAGE_SEND_FIRST,     /* a site sends, then stores */
    SABOTAGE_NO_SYNC,        /* a site's newest record does not outlast a crash */
    SABOTAGE_NO_MASK,        /* a site uploads its lanes as they are */
    SABOTAGE_FORGETS_UPLOAD, /* a site masks twice, from an image of its memory */
    SABOTAGE_FORGETS_SET,    /* it confirms survivors likewise, as often as it is asked */
    SABOTAGE_FORGETS_REVEAL, /* and reveals */
    SABOTAGE_FORGETS_BOTH,
    SABOTAGE_FORGETS_REFUSAL, /* it refuses, and goes on as if it had not */
    SABOTAGE_LOW_DISTANCE,    /* a site lets sums differ by fewer than was asked for */
    SABOTAGE_LOW_FLOOR,       /* a site's policy lets smaller sums pass than was asked for */
    SABOTAGE_NO_CHARGE,       /* a site stores its uploads as if they cost nothing */
    SABOTAGE_NO_BUDGET,       /* a site starts again without what it has spent */
    SABOTAGE_ANSWER_FIRST,    /* the hub acknowledges, then commits */
    SABOTAGE_LOSES_UPLOAD,    /* a restarted hub does not add the uploads again */
    SABOTAGE_LOSES_EVENT,     /* a restarted hub skips an event of its journal */
    SABOTAGE_LOSES_SURVIVOR,  /* or the first upload that it had taken */
    SABOTAGE_NO_TIMER,        /* a restarted hub arms no timer */
    SABOTAGE_COUNT
};

/* "no-ledger" and the like; never NULL. */
const char *sabotage_name(enum sabotage sabotage);
/* SABOTAGE_COUNT: there is none of this name. */
enum sabotage sabotage_find(const char *name);
/* What it must lead to. */
enum violation sabotage_violation(enum sabotage sabotage);

/* Weather in which it shows: with a coordinator that lies, or with rules that are not the least. */
void sabotage_weather(enum sabotage sabotage, struct weather *weather);

/* NO_MASK: puts the plain lanes in place of the packed ones. */
void sabotage_bare(const struct play *play, struct site *site, const uint32_t plain[CHAOS_LANES],
                   struct sotto_digest *digest);
/* NO_CHARGE: the record without its charge, in `bytes`; else the record. */
struct sotto_view sabotage_cheapen(const struct site *site, struct sotto_view record,
                                   uint8_t bytes[SOTTO_RECORD_BYTES_MAX]);
/* NO_BUDGET: is this record left out when the ledger is read? */
bool sabotage_drops(const struct site *site, struct sotto_view record);

/*
 * Steps the turn with a mail. FORGETS_...: a site that would refuse goes back to what it was before
 * it heard any mail of this kind, and tries again.
 */
void sabotage_hear(const struct play *play, struct site *site, const struct sotto_mail *mail,
                   const struct sotto_turn_event *event, struct sotto_turn_effects *effects);
/* FORGETS_REFUSAL: after it has said so, goes back to what it was before. */
void sabotage_forget_refusal(const struct play *play, struct site *site,
                             const struct sotto_turn_effects *effects);
/* FORGETS_UPLOAD: remembers what is before the masking, and goes back to it once; true: it did. */
void sabotage_remember_update(const struct play *play, struct site *site);
bool sabotage_forget_upload(const struct play *play, struct site *site);
void sabotage_images_free(struct site *site);

#endif
