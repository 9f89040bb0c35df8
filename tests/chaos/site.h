/*
 * A site that may die between any two effects: the sealer's turn that ships, its ledger in a file
 * that only memory holds, and a courier. What it lets out, the watch looks at first.
 */
#ifndef TESTS_CHAOS_SITE_H
#define TESTS_CHAOS_SITE_H

#include "participant/ledger/ledger.h"
#include "participant/sealer/state.h"
#include "tests/chaos/courier.h"
#include "tests/chaos/ground.h"
#include "tests/chaos/sabotage.h"

struct play;

enum { SITE_IMAGES_MAX = 6 };

/* Of a site's memory, before it heard such a mail of this round. */
struct site_image {
    enum sotto_mail_kind before;
    uint32_t round;
    uint8_t *bytes;
    size_t length;
    size_t rest_used;
};

struct site {
    uint32_t place;
    uint32_t life; /* one more with every start */
    int file;      /* of the ledger: what outlives it */
    struct sotto_policy policy;

    struct sotto_turn *turn; /* NULL: down. All below is gone then */
    struct sotto_arena arena;
    struct sotto_arena rest; /* what quantising took */
    struct sotto_entropy entropy;
    struct sotto_ledger ledger;
    off_t newest_at; /* where this life's newest record begins in the file; -1: there is none */
    struct courier courier;
    struct sotto_digest wanted[SOTTO_ITEM_KINDS]; /* what was last asked for */
    unsigned answers_due;                         /* by the trainer; only the last one counts */
    uint64_t busy_ms;                             /* until when the trainer is at work */
    struct sotto_digest loaded_layout;            /* of what the trainer was last told to load */
    struct sotto_digest loaded_adapter;
    uint8_t packed[CHAOS_PACKED_BYTES_MAX];
    size_t packed_length;
    struct site_image images[SITE_IMAGES_MAX]; /* for sabotage */
    size_t image_count;
    enum sabotage sabotage;
};

/* Can it pay for a round with this much noise? */
bool site_can_pay(const struct site *site, double noise_multiplier);

void site_open(struct play *play, struct site *site);
void site_close(struct site *site);

/* Starts, reads its ledger, greets its trainer. */
void site_start(struct play *play, struct site *site);
/* Everything in memory is gone; it starts again later. */
void site_crash(struct play *play, struct site *site);

/* What its courier brings. */
void site_mail(struct play *play, struct site *site, struct sotto_view mail);
void site_fetched(struct play *play, struct site *site, const struct parcel *reply,
                  struct sotto_view item);
/* What its trainer says: LOADED, TRAINED, ADOPTED, READY. */
void site_trainer(struct play *play, struct site *site, const struct parcel *parcel);

#endif
