/*
 * A site's turn: what its sealer does from a plan to a revealed share. A pure machine around the
 * protocol's participant role, the policy and the ledger. The sealer process drives it over its
 * channels, the simulator in memory.
 *
 *     plan ─► fetch roster, layout, adapter ─► load (trainer) ─► advert
 *          ─► train ‖ cohort, shares, inbox, expand ─► contribute (clip, quantise, mask) ─► upload
 *          ─► survivors, inclusion ─► inclusions, reveal ─► outcome, adopt
 *
 * The driver's contract, for each step: store, then send, then order, then run the job.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_TURN_H
#define SOTTO_PARTICIPANT_SEALER_TURN_H

#include "core/base/entropy.h"
#include "core/wire/mail.h"
#include "crypto/secagg/protocol.h"
#include "participant/sealer/items.h"
#include "participant/sealer/policy.h"

struct sotto_turn;

enum sotto_turn_event_kind {
    SOTTO_TURN_TRAINER_READY, /* base_model: digest of the bytes it loaded */
    SOTTO_TURN_MAIL,          /* bytes: an encoded mail */
    /* item, bytes: what the courier got for a fetch; the turn checks the digest */
    SOTTO_TURN_FETCHED,
    SOTTO_TURN_NOT_FETCHED, /* item */
    /* trainer took layout and adapter: adapter, layout: digests of the bytes it loaded */
    SOTTO_TURN_LOADED,
    SOTTO_TURN_UPDATE, /* values [value_count], weight */
    SOTTO_TURN_MASKED, /* digest of the packed lanes: the contribute job is done */
    /* is_kept: the trainer is done with ADOPT; mail that came meanwhile is looked at now */
    SOTTO_TURN_ADOPTED,
    /* it died or failed: this round is left; the next TRAINER_READY starts afresh */
    SOTTO_TURN_TRAINER_LOST,
};

struct sotto_turn_event {
    enum sotto_turn_event_kind kind;
    struct sotto_view bytes;
    enum sotto_item_kind item;
    struct sotto_digest base_model;
    struct sotto_digest adapter;
    struct sotto_digest layout;
    struct sotto_digest digest;
    const float *values;
    size_t value_count;
    uint32_t weight;
    bool is_kept;
};

enum sotto_turn_order { SOTTO_ORDER_NONE, SOTTO_ORDER_LOAD, SOTTO_ORDER_TRAIN, SOTTO_ORDER_ADOPT };

/* Views live until the next step. */
struct sotto_turn_effects {
    enum sotto_refusal refusal; /* secrets are wiped; `send` holds the notice for the coordinator */
    /* For the people of the site: what is wrong with what was fetched; "": nothing to add. */
    const char *detail;
    /* One ledger record, to be appended and synced before anything below. */
    struct sotto_view store;
    /* `send` answers this mail of round `round`; NONE: nothing to send. */
    enum sotto_mail_kind answers;
    uint32_t round;
    const char *campaign;
    bool is_refusal_notice; /* `send` is one byte, the enum sotto_refusal, and goes to .../leave */
    struct sotto_view send;
    bool is_upload; /* send the packed lanes that the contribute job wrote, with `digest` */
    struct sotto_digest digest;
    unsigned fetch_count;
    struct {
        enum sotto_item_kind item;
        struct sotto_digest digest;
    } fetch[3];
    /*
     * LOAD: give the trainer layout_bytes and adapter_bytes as fetched; TRAIN: the plan's recipe;
     * ADOPT: keep the loaded adapter as the site's current one.
     */
    enum sotto_turn_order order;
    bool run_expand;     /* the masks are there before the update: run sotto_veil_expand */
    bool run_contribute; /* the update and the masks are both there: run sotto_contribute */
    bool is_finished;    /* the round is over for this site */
};

struct sotto_turn_setup {
    const struct sotto_protocol *protocol;
    const struct sotto_policy *policy; /* borrowed, as all of the setup */
    uint32_t id;
    const struct sotto_secret *identity;
    struct sotto_ed25519_public coordinator;
    struct sotto_entropy *entropy;
    /* The turn's own, of at least sotto_turn_bytes; wiped after each round. */
    struct sotto_arena *arena;
    /*
     * Of sotto_turn_rest_bytes, for what quantising took from updates; wiped with the campaign.
     * NULL: plans with feedback are refused (layout).
     */
    struct sotto_arena *rest;
};

/*
 * Arena bytes for adapters of up to `adapter_lanes` lanes in rounds of up to `lane_count`: a round
 * may train a part of the adapter. A plan that needs more is refused (layout) before the adapter
 * is fetched.
 */
size_t sotto_turn_bytes(size_t adapter_lanes, uint32_t lane_count);

/* Two parts of an adapter have room, each with the classifier. */
size_t sotto_turn_rest_bytes(uint32_t lane_count);

/*
 * Ledger records of earlier lives, oldest first, are replayed before the first event: highest
 * round, digests, kinds.
 */
SOTTO_CHECKED enum sotto_status sotto_turn_open(struct sotto_turn **turn,
                                                const struct sotto_turn_setup *setup);
/* SOTTO_MALFORMED: no record of this program. */
SOTTO_CHECKED enum sotto_status sotto_turn_replay(struct sotto_turn *turn,
                                                  struct sotto_view record);

void sotto_turn_step(struct sotto_turn *turn, const struct sotto_turn_event *event,
                     struct sotto_turn_effects *effects);

/* What all uploads ever, those of earlier lives too, have cost, at the policy's delta. */
double sotto_turn_epsilon(const struct sotto_turn *turn);
/* Uploads ever that had no noise: there is no such number for what they told. */
uint32_t sotto_turn_plain_count(const struct sotto_turn *turn);

/* What was fetched for the present round; empty before. Borrowed from the turn. */
struct sotto_view sotto_turn_layout_bytes(const struct sotto_turn *turn);
struct sotto_view sotto_turn_adapter_bytes(const struct sotto_turn *turn);
const struct sotto_plan *sotto_turn_plan(const struct sotto_turn *turn); /* NULL between rounds */

/*
 * Stops 5 and 6 of the way of one number, a job: what is left of the last update, rotate, clip,
 * quantise, noise, the weight lane. The update held by the turn is wiped.
 *
 *   lanes  out  [plan->lane_count] plain: may leave this process only through sotto_turn_hide
 *
 * SOTTO_MALFORMED: the update is not finite or too heavy (step the turn with MASKED and an all-zero
 * digest: it refuses with SOTTO_REFUSAL_UPDATE); SOTTO_UNEXPECTED: no contribution is due.
 */
SOTTO_CHECKED enum sotto_status sotto_turn_encode(struct sotto_turn *turn, uint32_t *lanes);

/*
 * Stop 7: masks in place, packs, digests. The masker is spent whatever the result, or was when
 * the masks were made ahead of time (veil.h).
 *
 *   lanes   inout  [plan->lane_count] plain, then masked
 *   packed  out    room for sotto_lanes_packed_bytes(lane_count, ring_bits)
 */
SOTTO_CHECKED enum sotto_status sotto_turn_hide(struct sotto_turn *turn, uint32_t *lanes,
                                                struct sotto_buffer *packed,
                                                struct sotto_digest *digest);

/*
 * The two in one, as the shipped sealer runs them; `lanes` is scratch and wiped of plain values by
 * the masking.
 */
SOTTO_CHECKED enum sotto_status sotto_contribute(struct sotto_turn *turn, uint32_t *lanes,
                                                 struct sotto_buffer *packed,
                                                 struct sotto_digest *digest);

void sotto_turn_close(struct sotto_turn *turn); /* wipes */

#endif
