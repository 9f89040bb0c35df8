/*
 * A site's courier: one long poll and one errand at a time, each asked again until the hub has
 * replied, as participant/courier does it.
 */
#ifndef TESTS_CHAOS_COURIER_H
#define TESTS_CHAOS_COURIER_H

#include "tests/chaos/parcel.h"

struct play;
struct site;

enum { COURIER_ERRANDS_MAX = 64, COURIER_WAIT_MS = 4000 };

struct courier_errand {
    struct parcel request;
    uint8_t *body;
    size_t length;
};

struct courier {
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* of the last mail */
    uint32_t round;
    enum sotto_mail_kind seen;
    uint32_t poll_attempt; /* 0: none is out */
    uint32_t poll_failures;
    struct courier_errand errands[COURIER_ERRANDS_MAX];
    size_t errand_count;
    uint32_t errand_attempt;
    uint32_t errand_failures;
};

void courier_open(struct play *play, struct site *site);
void courier_close(struct courier *courier);

/* Kind, place and life of the request are filled in here. */
void courier_send(struct play *play, struct site *site, const struct parcel *request,
                  struct sotto_view body);
/* REPLY, EXPIRY, RETRY, ECHO. */
void courier_take(struct play *play, struct site *site, const struct parcel *parcel,
                  struct sotto_view body);

#endif
