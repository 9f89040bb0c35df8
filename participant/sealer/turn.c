#include "participant/sealer/turn.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/hash.h"
#include "crypto/privacy/accountant.h"
#include "crypto/ring/lanes.h"
#include "participant/sealer/homing.h"
#include "participant/sealer/joining.h"
#include "participant/sealer/summing.h"
#include "participant/sealer/veil.h"

/* Of the protocol's role, for the largest cohort. */
enum { MEMBER_BYTES_MAX = 1536 * 1024 };

enum trigger {
    TRIGGER_READY,
    TRIGGER_PLAN,
    TRIGGER_MESSAGE, /* of the protocol, for the running round */
    TRIGGER_OUTCOME,
    TRIGGER_FETCHED,
    TRIGGER_NOT_FETCHED,
    TRIGGER_LOADED,
    TRIGGER_UPDATE,
    TRIGGER_MASKED,
    TRIGGER_ADOPTED,
    TRIGGER_LOST,
    TRIGGER_COUNT,
    TRIGGER_NONE = TRIGGER_COUNT
};

typedef void (*action)(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                       struct sotto_turn_effects *effects);

size_t sotto_turn_bytes(size_t adapter_lanes, uint32_t lane_count)
{
    return sizeof(struct sotto_turn) + sotto_items_bytes(adapter_lanes) +
           (size_t)lane_count * (sizeof(float) + sizeof(uint32_t)) + MEMBER_BYTES_MAX +
           (size_t)5 * SOTTO_ARENA_ALIGNMENT;
}

size_t sotto_turn_rest_bytes(uint32_t lane_count)
{
    return 2 * ((size_t)lane_count * sizeof(float) + SOTTO_ARENA_ALIGNMENT);
}

enum sotto_status sotto_turn_open(struct sotto_turn **turn, const struct sotto_turn_setup *setup)
{
    struct sotto_turn *opened = sotto_arena_take(setup->arena, 1, sizeof *opened);

    *turn = NULL;
    if (opened == NULL || sotto_items_init(&opened->items, setup->arena) != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    opened->setup = *setup;
    opened->rest.arena = setup->rest;
    opened->site = (struct sotto_site_view){
        .policy = setup->policy,
        .history = &opened->history,
        .protocol = setup->protocol->name,
        .id = setup->id,
        .coordinator = setup->coordinator,
    };
    sotto_ed25519_public_of(&opened->site.identity, setup->identity);
    opened->round_mark = sotto_arena_mark(setup->arena);
    *turn = opened;
    return SOTTO_OK;
}

void sotto_turn_close(struct sotto_turn *turn)
{
    sotto_turn_wipe_round(turn);
    sotto_rest_wipe_other(&turn->rest, NULL);
    sotto_wipe(turn, sizeof *turn);
}

enum sotto_status sotto_turn_replay(struct sotto_turn *turn, struct sotto_view record_bytes)
{
    struct sotto_record record;
    enum sotto_status status = sotto_record_decode(&record, record_bytes);

    if (status == SOTTO_OK)
        sotto_history_add(&turn->history, &record);
    return status;
}

static void hold_mail(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects)
{
    (void)effects;
    sotto_turn_hold(turn, occasion->event->bytes);
}

static void note_ready(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                       struct sotto_turn_effects *effects)
{
    (void)effects;
    turn->is_trainer_ready = true;
    turn->site.base_model = occasion->event->base_model;
}

static void note_lost(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects)
{
    (void)occasion;
    (void)effects;
    turn->is_trainer_ready = false;
}

/* No update will come. */
static void leave_round(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                        struct sotto_turn_effects *effects)
{
    note_lost(turn, occasion, effects);
    sotto_turn_refuse(turn, effects, SOTTO_REFUSAL_UPDATE);
}

static void give_up_adoption(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                             struct sotto_turn_effects *effects)
{
    note_lost(turn, occasion, effects);
    sotto_turn_settle(turn, effects);
}

/* No row: unexpected, counted and ignored. */
static const action rules[SOTTO_PHASE_COUNT][TRIGGER_COUNT] = {
    [SOTTO_PHASE_IDLE] =
        {
            [TRIGGER_READY] = note_ready,
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_LOST] = note_lost,
        },
    [SOTTO_PHASE_FETCHING] =
        {
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_FETCHED] = sotto_join_put_item,
            [TRIGGER_NOT_FETCHED] = sotto_join_miss_item,
            [TRIGGER_LOST] = leave_round,
        },
    [SOTTO_PHASE_LOADING] =
        {
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_LOADED] = sotto_join_begin,
            [TRIGGER_LOST] = leave_round,
        },
    [SOTTO_PHASE_WORKING] =
        {
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_MESSAGE] = sotto_sum_pass_message,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_UPDATE] = sotto_sum_take_update,
            [TRIGGER_LOST] = sotto_sum_miss_update,
        },
    [SOTTO_PHASE_MASKING] =
        {
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_MASKED] = sotto_sum_upload,
            [TRIGGER_LOST] = note_lost,
        },
    [SOTTO_PHASE_CLOSING] =
        {
            [TRIGGER_READY] = note_ready,
            [TRIGGER_PLAN] = sotto_join_take_plan,
            [TRIGGER_MESSAGE] = sotto_sum_pass_message,
            [TRIGGER_OUTCOME] = sotto_home_take_outcome,
            [TRIGGER_LOST] = note_lost,
        },
    [SOTTO_PHASE_RETURNING] =
        {
            [TRIGGER_PLAN] = hold_mail,
            [TRIGGER_OUTCOME] = hold_mail,
            [TRIGGER_FETCHED] = sotto_home_put_item,
            [TRIGGER_NOT_FETCHED] = sotto_home_miss_item,
            [TRIGGER_LOST] = give_up_adoption,
        },
    [SOTTO_PHASE_RELOADING] =
        {
            [TRIGGER_PLAN] = hold_mail,
            [TRIGGER_OUTCOME] = hold_mail,
            [TRIGGER_LOADED] = sotto_home_adopt,
            [TRIGGER_LOST] = give_up_adoption,
        },
    [SOTTO_PHASE_ADOPTING] =
        {
            [TRIGGER_PLAN] = hold_mail,
            [TRIGGER_OUTCOME] = hold_mail,
            [TRIGGER_ADOPTED] = sotto_home_note_adopted,
            [TRIGGER_LOST] = give_up_adoption,
        },
};

/* NONE: a message of the protocol that is not of the running round. */
static enum trigger trigger_of_mail(const struct sotto_turn *turn, const struct sotto_mail *mail)
{
    bool is_running = turn->round == mail->round && strcmp(turn->campaign, mail->campaign) == 0;

    switch (mail->kind) {
    case SOTTO_MAIL_PLAN: return TRIGGER_PLAN;
    case SOTTO_MAIL_OUTCOME: return TRIGGER_OUTCOME;
    case SOTTO_MAIL_COHORT:
    case SOTTO_MAIL_INBOX:
    case SOTTO_MAIL_SURVIVORS:
    case SOTTO_MAIL_INCLUSIONS: return is_running ? TRIGGER_MESSAGE : TRIGGER_NONE;
    case SOTTO_MAIL_NONE: break;
    }
    return TRIGGER_NONE;
}

static enum trigger trigger_of(const struct sotto_turn *turn, struct sotto_occasion *occasion)
{
    switch (occasion->event->kind) {
    case SOTTO_TURN_TRAINER_READY: return TRIGGER_READY;
    case SOTTO_TURN_MAIL:
        if (sotto_mail_decode(&occasion->mail, occasion->event->bytes) != SOTTO_OK)
            return TRIGGER_NONE;
        return trigger_of_mail(turn, &occasion->mail);
    case SOTTO_TURN_FETCHED: return TRIGGER_FETCHED;
    case SOTTO_TURN_NOT_FETCHED: return TRIGGER_NOT_FETCHED;
    case SOTTO_TURN_LOADED: return TRIGGER_LOADED;
    case SOTTO_TURN_UPDATE: return TRIGGER_UPDATE;
    case SOTTO_TURN_MASKED: return TRIGGER_MASKED;
    case SOTTO_TURN_ADOPTED: return TRIGGER_ADOPTED;
    case SOTTO_TURN_TRAINER_LOST: return TRIGGER_LOST;
    }
    return TRIGGER_NONE;
}

static void react(struct sotto_turn *turn, const struct sotto_turn_event *event,
                  struct sotto_turn_effects *effects)
{
    struct sotto_occasion occasion = {.event = event};
    enum trigger trigger = trigger_of(turn, &occasion);
    action act = trigger == TRIGGER_NONE ? NULL : rules[turn->phase][trigger];

    if (act == NULL)
        turn->ignored_count++;
    else
        act(turn, &occasion, effects);
}

void sotto_turn_step(struct sotto_turn *turn, const struct sotto_turn_event *event,
                     struct sotto_turn_effects *effects)
{
    *effects = (struct sotto_turn_effects){0};
    turn->fault.text[0] = '\0';
    react(turn, event, effects);
    if (turn->phase == SOTTO_PHASE_IDLE && turn->is_trainer_ready && turn->held_length > 0) {
        uint8_t held[SOTTO_HELD_MAIL_MAX];
        struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

        memcpy(held, turn->held, turn->held_length);
        mail.bytes = sotto_view_of(held, turn->held_length);
        turn->held_length = 0;
        react(turn, &mail, effects);
    }
    effects->campaign = turn->campaign;
    effects->round = turn->round;
    effects->detail = turn->fault.text;
}

double sotto_turn_epsilon(const struct sotto_turn *turn)
{
    return sotto_accountant_epsilon(turn->history.rho, turn->setup.policy->delta);
}

uint32_t sotto_turn_plain_count(const struct sotto_turn *turn)
{
    return (uint32_t)turn->history.plain_count;
}

struct sotto_view sotto_turn_layout_bytes(const struct sotto_turn *turn)
{
    return sotto_items_bytes_of(&turn->items, SOTTO_ITEM_LAYOUT);
}

struct sotto_view sotto_turn_adapter_bytes(const struct sotto_turn *turn)
{
    return sotto_items_bytes_of(&turn->items, SOTTO_ITEM_ADAPTER);
}

const struct sotto_plan *sotto_turn_plan(const struct sotto_turn *turn)
{
    return turn->has_plan ? &turn->plan : NULL;
}

/* The lanes, and in the update what is left of it. */
static enum sotto_status encode(struct sotto_turn *turn, uint32_t *lanes)
{
    struct sotto_mechanism mechanism;
    enum sotto_mechanism_flaw flaw = sotto_encoding_of(&mechanism, &turn->plan);
    struct sotto_secret seed;
    enum sotto_status status = SOTTO_OK;

    assert(flaw == SOTTO_FLAW_NONE);
    if (turn->plan.feedback)
        sotto_rest_add(&turn->rest, turn->values, &turn->plan);
    sotto_entropy_fill(turn->setup.entropy, seed.bytes, sizeof seed.bytes);
    status = sotto_mechanism_encode(&mechanism, lanes, turn->values, turn->weight, &turn->context,
                                    &seed);
    sotto_wipe(&seed, sizeof seed);
    if (status == SOTTO_OK && turn->plan.feedback)
        sotto_rest_keep(&turn->rest, turn->values, &turn->plan);
    return status;
}

enum sotto_status sotto_turn_encode(struct sotto_turn *turn, uint32_t *lanes)
{
    enum sotto_status status = SOTTO_OK;

    if (turn->phase != SOTTO_PHASE_MASKING || turn->values == NULL)
        return SOTTO_UNEXPECTED;
    status = encode(turn, lanes);
    sotto_wipe(turn->values, (turn->plan.lane_count - 1) * sizeof(float));
    turn->values = NULL;
    return status;
}

enum sotto_status sotto_turn_hide(struct sotto_turn *turn, uint32_t *lanes,
                                  struct sotto_buffer *packed, struct sotto_digest *digest)
{
    struct sotto_view bytes;
    size_t lane_count = 0;
    enum sotto_status status = SOTTO_UNEXPECTED;

    if (turn->phase != SOTTO_PHASE_MASKING || turn->values != NULL)
        return SOTTO_UNEXPECTED;
    lane_count = turn->plan.lane_count;
    bytes = sotto_view_of(packed->at, sotto_lanes_packed_bytes(lane_count, turn->plan.ring_bits));
    assert(packed->capacity >= bytes.length);
    status = sotto_veil_hide(turn, lanes);
    if (status != SOTTO_OK)
        return status;
    sotto_lanes_pack(packed->at, lanes, lane_count, turn->plan.ring_bits);
    packed->length = bytes.length;
    sotto_hash(digest, &bytes, 1);
    return SOTTO_OK;
}

enum sotto_status sotto_contribute(struct sotto_turn *turn, uint32_t *lanes,
                                   struct sotto_buffer *packed, struct sotto_digest *digest)
{
    enum sotto_status status = sotto_turn_encode(turn, lanes);

    return status == SOTTO_OK ? sotto_turn_hide(turn, lanes, packed, digest) : status;
}
