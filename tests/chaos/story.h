/*
 * One thing that a lying coordinator tells: the shipping collector over one plan, with a colluding
 * site inside it if the liar owns one. It keeps what it was fed, so that the same beginning can be
 * told with another end: two cohorts, two inboxes, two survivor sets over the same answers.
 */
#ifndef TESTS_CHAOS_STORY_H
#define TESTS_CHAOS_STORY_H

#include "tests/chaos/ground.h"

enum { STORY_EVENTS_MAX = 64 };

struct story_setup {
    const struct ground *ground;
    const struct sotto_roster *roster;
    const struct sotto_plan *plan;
    struct sotto_digest context; /* ctx0 */
    uint32_t cohort_min;         /* as the liar has them, whatever the plan says */
    uint32_t survivors_min;
    uint32_t colluder; /* site id; 0: none */
};

struct story_event {
    struct sotto_collector_event event;
    uint8_t *bytes;
};

struct story {
    struct story_setup setup;
    struct sotto_arena arena;
    struct sotto_collector *collector; /* NULL: not open */
    struct sotto_member *colluder;     /* NULL: none, or it has refused */
    struct story_event events[STORY_EVENTS_MAX];
    size_t event_count;
};

void story_open(struct story *story, const struct story_setup *setup);
void story_close(struct story *story);

/* The beginning of another one, without what these sites (by place) said in its last stage. */
void story_fork(struct story *story, const struct story *other, uint32_t without);

enum sotto_stage story_stage(const struct story *story);
/* Has everybody answered whom it waits for? */
bool story_is_complete(const struct story *story);
/* Feeds what a site said, or closes the stage. */
void story_take(struct story *story, const struct sotto_collector_event *event);
/* What it tells this site now. SOTTO_NOT_FOUND */
SOTTO_CHECKED enum sotto_status story_tell(const struct story *story, uint32_t site,
                                           struct sotto_buffer *out);

#endif
