/* One site of a crowd, on its thread. */
#ifndef TESTS_BENCH_CROWD_SITE_H
#define TESTS_BENCH_CROWD_SITE_H

#include "core/wire/mail.h"
#include "tests/bench/crowd/crowd.h"

struct crowd_site {
    struct crowd *crowd;
    uint32_t id;
    pthread_t thread;
    struct sotto_client *client;
    struct sotto_secret identity;
    struct sotto_secret seed;
    struct sotto_arena arena;
    struct sotto_member *member;
    enum sotto_mail_kind seen;
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* of the newest mail; empty: none yet */
    uint32_t round;
};

/* Enrols; ids are given out in the order of enrolment. */
void crowd_site_open(struct crowd_site *site, struct crowd *crowd, uint32_t id);
void crowd_site_close(struct crowd_site *site);
/* For pthread_create, with a struct crowd_site: polls until the round has ended. */
void *crowd_site_run(void *site);

#endif
