/*
 * The honest coordinator, which may die between any two effects: the round machine, the timetable
 * and the apply step that ship, around a journal in memory. It does what coordinator/drive does,
 * in the same order: step, append, commit, answer, tell of mail, arm the timer, run a job.
 */
#ifndef TESTS_CHAOS_HUB_H
#define TESTS_CHAOS_HUB_H

#include "coordinator/round/round.h"
#include "coordinator/schedule/timetable.h"
#include "tests/chaos/ground.h"
#include "tests/chaos/parcel.h"

struct play;

enum {
    HUB_EVENTS_MAX = 128,
    HUB_JOBS_MAX = CHAOS_SITES_MAX + 2,
    HUB_VERSIONS_MAX = 64,
    HUB_RECEIPTS_MAX = 32,
    HUB_OUTCOME_MAIL_MAX = SOTTO_OUTCOME_BYTES_MAX + 256,
};

/* All that a commit makes durable. What is beyond the counts is not there. */
struct hub_book {
    struct sotto_definition definition; /* of the running campaign */
    struct sotto_progress progress;
    bool is_running; /* the campaign goes on after this round */
    uint32_t round;  /* the newest; 0: none */
    bool is_open;
    bool is_last;
    uint64_t opened_ms;
    uint8_t plan[SOTTO_PLAN_BYTES_MAX];
    size_t plan_length;
    struct sotto_signature signature;
    size_t event_count;   /* of the newest round */
    size_t version_count; /* adapters that were made */
    /* The round that ended last, for those who took part in it. */
    char ended_campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t ended_round;
    uint8_t ended_mail[HUB_OUTCOME_MAIL_MAX];
    size_t ended_length;
    uint32_t ended_survivors;
    char ended_reason[sizeof((struct sotto_outcome *)0)->reason];
};

struct hub_event {
    struct sotto_round_event event;
    uint8_t *bytes;
};

/* Written whole before anything of it is journalled. */
struct hub_upload {
    bool is_whole;
    bool is_acknowledged; /* in this life's eyes */
    uint8_t bytes[CHAOS_PACKED_BYTES_MAX];
    size_t length;
    struct sotto_digest digest;
};

struct hub_version {
    float adapter[CHAOS_ADAPTER];
    struct sotto_digest digest;
};

struct hub_job {
    enum sotto_round_job kind;
    uint32_t site;
};

/* Who waits for what, until the next commit. */
struct hub_receipt {
    struct parcel request;
    enum sotto_status verdict;
    bool is_event; /* of a site: an acknowledgement of it */
    struct sotto_digest digest;
};

struct hub {
    /* The disk. */
    struct hub_book committed;
    struct hub_event events[HUB_EVENTS_MAX];
    struct hub_upload uploads[CHAOS_SITES_MAX];
    struct hub_version versions[HUB_VERSIONS_MAX];

    bool is_up; /* all below is gone when it is not */
    uint32_t life;
    struct hub_book book;
    uint64_t clock_ahead_ms; /* may differ from life to life */
    bool is_stored;          /* nothing waits for a commit */
    bool has_mail;
    struct sotto_arena arena;
    struct sotto_round *round; /* NULL: none is open */
    struct sotto_plan plan;
    struct sotto_digest context;
    uint64_t deadline_ms; /* 0: none */
    bool is_complete;     /* the stage closes at once */
    uint64_t armed_ms;
    uint32_t sum[CHAOS_LANES];
    struct hub_job jobs[HUB_JOBS_MAX];
    size_t job_count;
    bool is_job_running;
    struct hub_receipt receipts[HUB_RECEIPTS_MAX];
    size_t receipt_count;
    struct parcel waiting[CHAOS_SITES_MAX]; /* polls; attempt 0: none */
};

/* A disk with nothing but the adapter that campaigns start from. */
void hub_open(struct play *play, struct hub *hub);
void hub_close(struct hub *hub);
void hub_start(struct play *play, struct hub *hub);

/* Its wall clock. */
uint64_t hub_clock_ms(const struct play *play, const struct hub *hub);

/* An administrator starts a campaign, now that none runs. */
void hub_campaign(struct play *play, struct hub *hub, const struct sotto_definition *definition);
/* No round after this one. */
void hub_last_round(struct hub *hub);

/* A further version on the disk. */
struct sotto_digest hub_version_add(const struct ground *ground, struct hub *hub,
                                    const float adapter[CHAOS_VALUES]);

/* Steps the open round and stages what is to be stored; the verdict. */
enum sotto_status hub_event_step(struct hub *hub, const struct sotto_round_event *event);
/* Commits, and carries out what may follow. false: the hub died on the way. */
bool hub_settle(struct play *play, struct hub *hub);

void hub_request(struct play *play, struct hub *hub, const struct parcel *request,
                 struct sotto_view body);
/* DEADLINE, CHECK, JOB. */
void hub_wake(struct play *play, struct hub *hub, const struct parcel *parcel);

#endif
