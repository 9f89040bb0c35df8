/*
 * A coordinator that lies. It holds the signing key, may own a site, answers polls with whatever it
 * likes and keeps everything it gets: several plans for a round, several stories of a plan, stages
 * closed without whom it likes, mail of any round again to anybody, outcomes that never came.
 *
 * What it could compute from what it got is the watch's business.
 */
#ifndef TESTS_CHAOS_LIAR_H
#define TESTS_CHAOS_LIAR_H

#include "tests/chaos/parcel.h"
#include "tests/chaos/story.h"
#include "tests/chaos/tally.h"

struct play;

enum { LIAR_PLANS_MAX = 6, LIAR_STORIES_MAX = 4, LIAR_MAILS_MAX = 64 };

/* One plan, and what is told about it. */
struct liar_plan {
    struct sotto_plan plan;
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];
    size_t length;
    struct sotto_signature signature;
    struct story stories[LIAR_STORIES_MAX];
    size_t story_count;
    size_t loyal[CHAOS_SITES_MAX]; /* the story that a site hears */
    size_t asked[CHAOS_SITES_MAX]; /* the story that it was asked from last */
    enum sotto_mail_kind told[LIAR_STORIES_MAX][CHAOS_SITES_MAX];
};

struct liar_mail {
    uint8_t *bytes;
    size_t length;
};

/*
 * Its temper, drawn for the seed: how often of 1000. A coordinator that does nothing but lie gets
 * nowhere.
 */
struct liar_temper {
    unsigned again;      /* old mail, whenever somebody waits */
    unsigned outcome;    /* an outcome that never came */
    unsigned twice;      /* what this site has had before */
    unsigned faithless;  /* another story than the one that this site heard so far */
    unsigned greedy;     /* likewise, once there are survivors to confirm */
    unsigned elsewhere;  /* of another plan than the newest */
    unsigned branching;  /* a stage ends in two ways */
    unsigned impatient;  /* a stage ends before everybody has answered */
    unsigned lax;        /* a plan asks for less than it should */
    unsigned small;      /* stories go on with fewer than the plan says */
    unsigned renumbered; /* a plan takes the number of an earlier one */
};

struct liar {
    struct liar_temper temper;
    uint32_t colluder; /* site id; 0: none */
    uint32_t newest_round;
    struct sotto_digest adapters[2];
    struct liar_plan plans[LIAR_PLANS_MAX];
    size_t plan_count;
    struct liar_mail mails[LIAR_MAILS_MAX]; /* the newest in place of the oldest */
    size_t mail_count;
    struct parcel waiting[CHAOS_SITES_MAX]; /* polls; attempt 0: none */
};

void liar_open(struct play *play, struct liar *liar);
/* How far the stories came. */
void liar_count(const struct liar *liar, struct tally *tally);
void liar_close(struct liar *liar);

void liar_request(struct play *play, struct liar *liar, const struct parcel *request,
                  struct sotto_view body);
/* Thinks of something, and comes back. */
void liar_wake(struct play *play, struct liar *liar);

#endif
