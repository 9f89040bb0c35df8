/*
 * The invariants, looked at whenever a site lets something out and whenever a sum is unmasked. The
 * watch sees every life of every site and forgets nothing; it trusts no word of what it watches.
 *
 * Sets of sites are bits by place: site id i + 1 is bit i. A context is a plan, known by ctx0.
 */
#ifndef TESTS_CHAOS_WATCH_H
#define TESTS_CHAOS_WATCH_H

#include "participant/ledger/record.h"
#include "tests/chaos/weather.h"

enum violation {
    VIOLATION_WRONG_SUM,     /* an unmasked sum is not the plain sum of its survivors */
    VIOLATION_SMALL_SUM,     /* the hub could read a sum of fewer than the floor */
    VIOLATION_CLOSE_SUMS,    /* a site helps to open two sums that differ by a few members */
    VIOLATION_SECOND_ADVERT, /* a site advertises twice for a round */
    VIOLATION_SECOND_VECTOR, /* or uploads two vectors in a context */
    VIOLATION_SECOND_SET,    /* or signs two survivor sets in a context */
    VIOLATION_SECOND_REVEAL, /* or reveals twice in a context */
    VIOLATION_ANSWER_AGAIN,  /* or says anything after a refusal, or in another life */
    VIOLATION_BOTH_KINDS,    /* shares enough for a participant's self mask and its mask key */
    VIOLATION_UNRECORDED,    /* something is sent whose record is not on the disk */
    VIOLATION_UNCHARGED,     /* an upload whose record does not charge for it, or a reveal of one */
    VIOLATION_OVERSPENT,     /* a site lets out more than its budget is enough for */
    VIOLATION_HUB_SETS,      /* the honest hub signs two survivor sets in a context */
    VIOLATION_LOST,          /* something is acknowledged that is not in the journal */
    VIOLATION_UNTOLD,        /* a journal or a ledger cannot be told again */
    VIOLATION_STUCK,         /* without faults a round does not end, or a fresh one fails */
    VIOLATION_COUNT
};

/* "wrong-sum" and the like; never NULL. */
const char *violation_name(enum violation violation);

/* One site in one context. */
struct watch_site {
    bool has_advert;
    uint32_t life;    /* in which it advertised */
    bool has_left;    /* it refused */
    uint32_t cohort;  /* that it accepted; 0: none yet */
    uint32_t sharers; /* that it masks with */
    bool has_plain;
    uint32_t plain[CHAOS_LANES];
    bool has_vector;
    bool is_charged;
    struct sotto_digest vector;
    uint32_t set; /* that it confirmed; 0: none yet */
    bool has_reveal;
    /* As owner: who has told its share of which kind. */
    uint32_t self_holders;
    uint32_t mask_holders;
};

struct watch_context {
    struct sotto_digest context;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    struct sotto_digest start; /* the adapter that it trains from */
    struct watch_site sites[CHAOS_SITES_MAX];
    bool has_hub_set;
    struct sotto_digest hub_set;
};

struct watch {
    uint32_t floor;                /* members of the smallest sum that sites allow */
    uint32_t corrupt;              /* sites that the liar owns */
    double noise_multiplier;       /* z that the budget is reckoned in; 0: there is none */
    double budget;                 /* rounds of that noise */
    double spent[CHAOS_SITES_MAX]; /* a round of noise z' costs (z / z')^2 of them */
    struct watch_context *contexts;
    size_t context_count;
    uint64_t violations[VIOLATION_COUNT];
    char first[256]; /* what was seen first, in words */
};

void watch_open(struct watch *watch, const struct weather *weather);
void watch_close(struct watch *watch);

/* Something is wrong: counted, and told if it is the first. */
void watch_tell(struct watch *watch, enum violation violation, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Who does something, and in which context. */
struct watch_deed {
    uint32_t place;
    uint32_t life; /* of the site */
    const struct sotto_digest *context;
    const struct sotto_plan *plan;
};

/* The site's newest record on the disk is that the deed was done with these; else UNRECORDED. */
void watch_record(struct watch *watch, const struct watch_deed *deed,
                  const struct sotto_record *newest, const struct sotto_record *expected);

void watch_advert(struct watch *watch, const struct watch_deed *deed);
/* It refused: if it had advertised there, the context is over for it. */
void watch_refusal(struct watch *watch, uint32_t place, const struct sotto_digest *context);
void watch_cohort(struct watch *watch, const struct watch_deed *deed, uint32_t cohort);
void watch_sharers(struct watch *watch, const struct watch_deed *deed, uint32_t sharers);
/* What the site will upload, before it is masked. */
void watch_plain(struct watch *watch, const struct watch_deed *deed,
                 const uint32_t plain[CHAOS_LANES]);
void watch_vector(struct watch *watch, const struct watch_deed *deed,
                  const struct sotto_digest *vector);
void watch_set(struct watch *watch, const struct watch_deed *deed, uint32_t set);
/* The owners whose shares are in the message, of the kinds that the set decides. */
void watch_reveal(struct watch *watch, const struct watch_deed *deed, uint32_t owners,
                  uint32_t set);

/* What the honest hub says. */
void watch_hub_set(struct watch *watch, const struct watch_deed *deed, struct sotto_view message);
void watch_sum(struct watch *watch, const struct watch_deed *deed, uint32_t survivors,
               const uint32_t sum[CHAOS_LANES]);

#endif
