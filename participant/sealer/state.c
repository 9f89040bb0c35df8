#include "participant/sealer/state.h"

#include <assert.h>
#include <string.h>

void sotto_turn_wipe_round(struct sotto_turn *turn)
{
    struct sotto_arena *arena = turn->setup.arena;

    if (turn->member != NULL)
        turn->setup.protocol->member_wipe(turn->member);
    sotto_wipe(arena->memory + turn->round_mark, arena->used - turn->round_mark);
    sotto_arena_release(arena, turn->round_mark);
    turn->member = NULL;
    turn->values = NULL;
    turn->veil = NULL;
    turn->weight = 0;
    turn->is_ready_to_mask = false;
    turn->has_plan = false;
    sotto_wipe(&turn->plan, sizeof turn->plan);
}

void sotto_turn_set_subject(struct sotto_turn *turn, const struct sotto_mail *mail)
{
    memcpy(turn->campaign, mail->campaign, sizeof turn->campaign);
    turn->round = mail->round;
}

void sotto_turn_store(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                      struct sotto_record *record)
{
    struct sotto_buffer buffer = sotto_buffer_of(turn->record_bytes, sizeof turn->record_bytes);
    enum sotto_status status = SOTTO_OK;

    memcpy(record->campaign, turn->campaign, sizeof record->campaign);
    record->round = turn->round;
    status = sotto_record_encode(&buffer, record);
    assert(status == SOTTO_OK);
    sotto_history_add(&turn->history, record);
    effects->store = sotto_view_buffer(&buffer);
}

static bool is_new_refusal(const struct sotto_turn *turn, enum sotto_refusal refusal)
{
    struct sotto_history_refusal told = {.round = turn->round, .refusal = refusal};

    memcpy(told.campaign, turn->campaign, sizeof told.campaign);
    return sotto_history_wants_refusal(&turn->history, &told);
}

void sotto_turn_refuse(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                       enum sotto_refusal refusal)
{
    struct sotto_record record = {.kind = SOTTO_RECORD_REFUSED, .refusal = refusal};
    struct sotto_view stored = effects->store;

    sotto_turn_wipe_round(turn);
    sotto_rest_wipe_other(&turn->rest, NULL);
    if (refusal != SOTTO_REFUSAL_ROUND_NOT_NEW) {
        memcpy(turn->shunned, turn->campaign, sizeof turn->shunned);
        turn->shunned_round = turn->round;
    }
    turn->phase = SOTTO_PHASE_IDLE;
    turn->notice = (uint8_t)refusal;
    *effects = (struct sotto_turn_effects){
        .store = stored,
        .refusal = refusal,
        .is_refusal_notice = true,
        .send = sotto_view_of(&turn->notice, 1),
        .is_finished = true,
    };
    if (stored.length == 0 && is_new_refusal(turn, refusal))
        sotto_turn_store(turn, effects, &record);
}

void sotto_turn_settle(struct sotto_turn *turn, struct sotto_turn_effects *effects)
{
    turn->phase = SOTTO_PHASE_IDLE;
    effects->is_finished = true;
}

void sotto_turn_hold(struct sotto_turn *turn, struct sotto_view mail)
{
    if (mail.length > sizeof turn->held)
        return;
    memcpy(turn->held, mail.at, mail.length);
    turn->held_length = mail.length;
}

void sotto_turn_fetch(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                      enum sotto_item_kind kind, const struct sotto_digest *digest)
{
    if (!sotto_items_want(&turn->items, kind, digest))
        return;
    effects->fetch[effects->fetch_count].item = kind;
    effects->fetch[effects->fetch_count++].digest = *digest;
}

enum sotto_status sotto_turn_put(struct sotto_turn *turn, const struct sotto_turn_event *event)
{
    enum sotto_status status = sotto_items_put(&turn->items, event->item, event->bytes);

    turn->round_mark = sotto_arena_mark(turn->setup.arena);
    return status;
}

void sotto_turn_order_load(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                           enum sotto_turn_phase phase)
{
    turn->phase = phase;
    effects->order = SOTTO_ORDER_LOAD;
}

enum sotto_refusal sotto_turn_compare_loaded(const struct sotto_turn *turn,
                                             const struct sotto_turn_event *event)
{
    if (!sotto_digest_equal(&event->layout, &turn->layout))
        return SOTTO_REFUSAL_LAYOUT;
    if (!sotto_digest_equal(&event->adapter, &turn->adapter))
        return SOTTO_REFUSAL_ADAPTER;
    return SOTTO_REFUSAL_NONE;
}
