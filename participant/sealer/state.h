/*
 * The inside of a turn, for the files that make it up: what it remembers, and the small deeds that
 * several actions share. An action is one reaction to one event in one phase; turn.c has the table
 * of them.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_STATE_H
#define SOTTO_PARTICIPANT_SEALER_STATE_H

#include "participant/encoding/encoding.h"
#include "participant/sealer/judgement.h"
#include "participant/sealer/turn.h"

enum { SOTTO_HELD_MAIL_MAX = 2048 }; /* a plan or an outcome in its envelope */

enum sotto_turn_phase {
    SOTTO_PHASE_IDLE,
    SOTTO_PHASE_FETCHING,  /* the plan's roster, layout and adapter */
    SOTTO_PHASE_LOADING,   /* trainer */
    SOTTO_PHASE_WORKING,   /* training ‖ cohort, shares, inbox */
    SOTTO_PHASE_MASKING,   /* the contribute job */
    SOTTO_PHASE_CLOSING,   /* the upload is out: survivors, inclusions, outcome */
    SOTTO_PHASE_RETURNING, /* the outcome's layout and adapter are fetched */
    SOTTO_PHASE_RELOADING, /* trainer */
    SOTTO_PHASE_ADOPTING,  /* trainer */
    SOTTO_PHASE_COUNT
};

struct sotto_turn {
    struct sotto_turn_setup setup;
    struct sotto_history history;
    struct sotto_items items;
    struct sotto_roster_room roster;
    struct sotto_site_view site;
    enum sotto_turn_phase phase;
    bool is_trainer_ready;
    uint64_t ignored_count;

    char campaign[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* what the present phase is about */
    uint32_t round;
    char shunned[SOTTO_CAMPAIGN_NAME_MAX + 1]; /* a refused round's adapter is not taken home */
    uint32_t shunned_round;
    bool has_plan;
    struct sotto_plan plan;
    struct sotto_digest context; /* ctx0 */
    struct sotto_digest adapter; /* the one that the trainer is to load */
    struct sotto_digest layout;

    size_t round_mark; /* what lies above it is wiped with the round */
    struct sotto_member *member;
    float *values;
    uint32_t weight;
    bool is_ready_to_mask;
    uint32_t *veil;         /* participant/sealer/veil.h; NULL: none */
    struct sotto_rest rest; /* of the last update: the one thing that outlives its round */

    struct sotto_fault fault; /* the present step's, of what was fetched */

    size_t held_length; /* a mail that waits for the trainer */
    uint8_t held[SOTTO_HELD_MAIL_MAX];
    uint8_t notice;
    uint8_t record_bytes[SOTTO_RECORD_BYTES_MAX];
};

/* What an action reacts to. */
struct sotto_occasion {
    const struct sotto_turn_event *event;
    struct sotto_mail mail; /* if the event is one */
};

/* Wipes all that the round knew; what was fetched stays. */
void sotto_turn_wipe_round(struct sotto_turn *turn);

/* The campaign and round that the turn is about from now on. */
void sotto_turn_set_subject(struct sotto_turn *turn, const struct sotto_mail *mail);

/* Completes the record with the subject, adds it to the history and to the effects. */
void sotto_turn_store(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                      struct sotto_record *record);

/*
 * Wipes, tells the coordinator, and forgets every other effect but an earlier record of this step.
 */
void sotto_turn_refuse(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                       enum sotto_refusal refusal);

/* The round is over without a word. */
void sotto_turn_settle(struct sotto_turn *turn, struct sotto_turn_effects *effects);

/* Keeps the mail until the trainer is free; the newest wins. */
void sotto_turn_hold(struct sotto_turn *turn, struct sotto_view mail);

void sotto_turn_fetch(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                      enum sotto_item_kind kind, const struct sotto_digest *digest);
/* The same statuses as sotto_items_put. */
SOTTO_CHECKED enum sotto_status sotto_turn_put(struct sotto_turn *turn,
                                               const struct sotto_turn_event *event);

/* Lets the trainer load what was fetched and goes to `phase`, where its answer is awaited. */
void sotto_turn_order_load(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                           enum sotto_turn_phase phase);
/* Did the trainer load what it was given? */
enum sotto_refusal sotto_turn_compare_loaded(const struct sotto_turn *turn,
                                             const struct sotto_turn_event *event);

#endif
