/*
 * A coordinator below its HTTP routes: a state folder with five sites and one campaign of one
 * round, and the shipping drive on a loop. Everything but its times derives from fixed seeds, so
 * that two runs exchange the very same messages.
 */
#ifndef TESTS_COORDINATOR_HUB_H
#define TESTS_COORDINATOR_HUB_H

#include "coordinator/drive/drive.h"
#include "core/base/entropy.h"
#include "tests/coordinator/cohort.h"
#include "tests/support/folder.h"

enum {
    HUB_SITES = 5,
    HUB_SURVIVORS_MIN = 4,
    HUB_SCRIPT_MAX = 5 * HUB_SITES,
    HUB_SCRIPT_BYTES = 4096
};

struct hub {
    const char *folder;
    struct sotto_ledger ledger;
    struct sotto_keys keys;
    struct sotto_clock clock;
    struct sotto_entropy entropy;
    struct sotto_log log;
    uv_loop_t loop;
    struct sotto_drive *drive;
    bool is_broken;
    bool is_answered;                 /* the present line */
    void (*on_answer)(void *context); /* the moment at which a site is told; may be NULL */
    void *context;
};

/* What a site sends. An upload is spooled from `bytes`, a message is them. */
struct hub_line {
    enum sotto_round_event_kind kind;
    uint32_t site;
    struct sotto_digest digest;
    size_t length;
    uint8_t bytes[HUB_SCRIPT_BYTES];
};

struct hub_script {
    size_t count;
    struct hub_line lines[HUB_SCRIPT_MAX];
    struct sotto_digest adapter; /* the version at the end */
};

/* Makes the state folder: keys, sites, items, a campaign that is not yet started. */
void hub_make(const char *folder);
/* Opens it, as a start does. */
void hub_open(struct hub *hub, const char *folder);
void hub_close(struct hub *hub);

/* Starts the campaign unless it was. */
void hub_start(struct hub *hub);
/* Runs the loop until the round is in `phase` or beyond it; false: there is no round any more. */
bool hub_reach(struct hub *hub, enum sotto_round_phase phase);
/* Delivers one line and runs the loop until its receipt is there. */
enum sotto_status hub_deliver(struct hub *hub, const struct hub_line *line);
/* The phase in which a line is waited for. */
enum sotto_round_phase hub_phase_of(const struct hub_line *line);
/* The newest adapter version of the campaign; all zero: none. */
struct sotto_digest hub_adapter(struct hub *hub);
/* Runs the loop until the campaign has ended. */
void hub_finish(struct hub *hub);

/*
 * Plays the campaign with honest sites once, in a folder of its own, and writes down what they
 * sent.
 */
void hub_script_record(struct hub_script *script, const char *folder);

#endif
