/*
 * Three sites' turns around one round of the shipping coordinator machine, in memory: what their
 * drivers would do, step by step, with a trace of every effect.
 */
#ifndef TESTS_PARTICIPANT_SEALER_CIRCLE_H
#define TESTS_PARTICIPANT_SEALER_CIRCLE_H

#include "coordinator/round/round.h"
#include "core/wire/outcome.h"
#include "core/wire/roster.h"
#include "models/trainer.h"
#include "participant/ledger/record.h"
#include "participant/sealer/state.h"

enum {
    CIRCLE_SITES = 3,
    CIRCLE_VALUES = 18, /* two labels over a width of 8, the head alone */
    CIRCLE_LANES = CIRCLE_VALUES + 1,
    CIRCLE_ADAPTER = CIRCLE_VALUES + 2 * 8, /* with the manifest of its two tensors */
    CIRCLE_PACKED_BYTES = CIRCLE_LANES * 4,
    CIRCLE_RECORDS_MAX = 32,
    CIRCLE_TRACE_BYTES = 2048,
    CIRCLE_OPENED_MS = 1000000,
};

struct circle_site {
    struct sotto_secret identity;
    struct sotto_entropy entropy;
    struct sotto_arena arena;
    struct sotto_arena rest;
    struct sotto_policy policy;
    struct sotto_turn *turn;
    enum sotto_mail_kind seen;
    float values[CIRCLE_VALUES]; /* its update */
    uint32_t weight;
    bool trains_long; /* until its masks could be made */
    bool is_training;
    uint32_t plain[CIRCLE_LANES]; /* as encoded */
    uint8_t packed[CIRCLE_PACKED_BYTES];
    struct sotto_digest uploaded;
    enum sotto_turn_phase stop_at; /* its driver does nothing more there; PHASE_COUNT: never */
    size_t record_count;
    struct {
        uint8_t bytes[SOTTO_RECORD_BYTES_MAX];
        size_t length;
    } records[CIRCLE_RECORDS_MAX];
    struct sotto_turn_effects last;
    enum sotto_refusal refused; /* its newest refusal, and what it said to its people with it */
    char detail[SOTTO_FAULT_TEXT_MAX];
    size_t arena_bytes;             /* of its next life; 0: as the plan needs */
    char trace[CIRCLE_TRACE_BYTES]; /* a line a step */
};

struct circle {
    struct sotto_secret signing;
    struct sotto_ed25519_public coordinator;
    struct sotto_layout layout;
    uint8_t layout_bytes[SOTTO_LAYOUT_BYTES_MAX];
    size_t layout_length;
    float adapter[CIRCLE_ADAPTER];
    float next_adapter[CIRCLE_ADAPTER];
    struct sotto_digest next;
    size_t adapter_cut; /* bytes that are missing at its end when it comes */
    struct sotto_roster_message roster_message;
    uint8_t roster_bytes[SOTTO_ROSTER_BYTES_MAX];
    size_t roster_length;
    struct sotto_roster_entry entries[CIRCLE_SITES];
    struct sotto_roster roster;
    struct sotto_plan plan;
    uint8_t plan_bytes[SOTTO_PLAN_BYTES_MAX];
    size_t plan_length;
    struct sotto_signature plan_signature;
    struct sotto_arena arena;
    struct sotto_round *round; /* NULL until circle_begin */
    uint64_t now_ms;
    uint64_t deadline_ms;
    uint32_t sum[CIRCLE_LANES];
    struct circle_site sites[CIRCLE_SITES];
};

struct circle *circle_open(void);
void circle_close(struct circle *circle);

/* Encodes the roster message as it is now, and names it in the plan. */
void circle_publish_roster(struct circle *circle);

/* Encodes and signs the plan as it is now, and opens the coordinator's round over it. */
void circle_begin(struct circle *circle);

/* A mail of this kind and body for the present round, encoded; out[SOTTO_MAIL_BYTES_MAX]. */
struct sotto_view circle_mail_of(const struct circle *circle, uint8_t *out,
                                 enum sotto_mail_kind kind, struct sotto_view body,
                                 const struct sotto_signature *signature);
/* The plan in its mail. */
struct sotto_view circle_plan_mail(const struct circle *circle, uint8_t *out);
/* The outcome of the present round, signed. */
struct sotto_view circle_outcome_mail(const struct circle *circle, uint8_t *out,
                                      enum sotto_outcome_kind kind);

/* One event for one site's turn, and nothing else: no effect is carried out. */
void circle_step(struct circle_site *site, const struct sotto_turn_event *event);
/* The same, and then everything that a driver would do, until stop_at. */
void circle_drive(struct circle *circle, uint32_t place, const struct sotto_turn_event *event);

/* The trainer of this site is there. */
void circle_ready(struct circle *circle, uint32_t place);
/* The next mail that the round has for it; false: there is none. */
bool circle_deliver(struct circle *circle, uint32_t place);
/* Everybody's mail until the round moves no more. */
void circle_play(struct circle *circle);
/* One site from READY to `phase` of the turn, the others with it. */
void circle_bring(struct circle *circle, enum sotto_turn_phase phase);

/* Another life of a site: a fresh turn that has read its records. */
void circle_restart(struct circle *circle, uint32_t place);

#endif
