/*
 * What a site shows of itself: status.json, the present state, and rounds.jsonl, a line per round
 * that it took part in. Built from the notes of the three processes.
 */
#ifndef SOTTO_PARTICIPANT_SUPERVISOR_BOARD_H
#define SOTTO_PARTICIPANT_SUPERVISOR_BOARD_H

#include "core/base/clock.h"
#include "core/base/log.h"
#include "participant/channel/note.h"
#include "participant/supervisor/folder.h"
#include "participant/supervisor/site.h"

struct sotto_board_round {
    bool is_open; /* joined, and its line is not written yet */
    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1];
    uint32_t round;
    char outcome[SOTTO_NOTE_TEXT_MAX]; /* "" while it runs */
    double train_seconds;
    double expand_seconds; /* beside the training */
    double mask_seconds;
    double upload_seconds;
    double round_seconds; /* from the advert to the outcome */
    uint64_t bytes_up;
    uint64_t bytes_down;
};

struct sotto_board {
    const struct sotto_state_folder *folder;
    const struct sotto_site_config *site;
    const struct sotto_log *log;
    const struct sotto_clock *clock;
    struct sotto_board_round round; /* the present one, or the last */
    uint64_t spare_up;              /* bytes between two rounds; they count to the next */
    uint64_t spare_down;
    char layers[3][SOTTO_NOTE_TEXT_MAX]; /* of trainer, sealer, courier */
    char trouble[SOTTO_NOTE_TEXT_MAX];   /* the last one */
    char adapter[SOTTO_NOTE_TEXT_MAX];
    double epsilon;              /* spent; NaN: the sealer has not told yet */
    uint32_t plain_upload_count; /* which epsilon says nothing of */
    bool is_unreachable;
    bool is_running;
    uint32_t restart_count;
    uint32_t round_count; /* that ended while this supervisor ran */
};

/* Everything but the board is borrowed for its life. */
void sotto_board_init(struct sotto_board *board, const struct sotto_state_folder *folder,
                      const struct sotto_site_config *site, const struct sotto_log *log,
                      const struct sotto_clock *clock);

/*
 * One note: a log line, and what it changes. A status file that cannot be written is told to the
 * log only.
 */
void sotto_board_take(struct sotto_board *board, enum sotto_peer from,
                      const struct sotto_note *note);

/* The processes ended or the site stops: an open round is written as lost. */
void sotto_board_lose_round(struct sotto_board *board, const char *outcome);

void sotto_board_publish(const struct sotto_board *board);

#endif
