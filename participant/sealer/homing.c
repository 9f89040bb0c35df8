#include "participant/sealer/homing.h"

#include <string.h>

#include "core/wire/outcome.h"

static void look_at_outcome(struct sotto_turn *turn, struct sotto_turn_effects *effects)
{
    struct sotto_layout layout;
    enum sotto_refusal refusal = SOTTO_REFUSAL_NONE;

    if (!sotto_items_has(&turn->items, SOTTO_ITEM_LAYOUT) ||
        !sotto_items_has(&turn->items, SOTTO_ITEM_ADAPTER))
        return;
    refusal = sotto_judge_layout(&layout, &turn->items, NULL, turn->setup.policy);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = sotto_judge_adapter(&turn->items, &layout, &turn->fault);
    if (refusal == SOTTO_REFUSAL_NONE)
        sotto_turn_order_load(turn, effects, SOTTO_PHASE_RELOADING);
    else
        sotto_turn_settle(turn, effects);
}

/* Signed, for the round that it came with, and of the running round if there is one. */
static bool is_outcome(struct sotto_outcome *outcome, const struct sotto_turn *turn,
                       const struct sotto_mail *mail)
{
    struct sotto_signature signature;

    memcpy(signature.bytes, mail->signature, sizeof signature.bytes);
    if (sotto_verify(&signature, &turn->setup.coordinator, "sotto/1 outcome", mail->body) !=
            SOTTO_OK ||
        sotto_outcome_decode(outcome, mail->body) != SOTTO_OK)
        return false;
    if (strcmp(outcome->campaign, mail->campaign) != 0 || outcome->round != mail->round)
        return false;
    return turn->phase == SOTTO_PHASE_IDLE ||
           (strcmp(outcome->campaign, turn->campaign) == 0 && outcome->round == turn->round);
}

static bool is_worth_taking(const struct sotto_turn *turn, const struct sotto_outcome *outcome)
{
    if (outcome->kind != SOTTO_OUTCOME_FINISHED)
        return false;
    if (outcome->round == turn->shunned_round && strcmp(outcome->campaign, turn->shunned) == 0)
        return false;
    return sotto_history_is_new_adapter(&turn->history, outcome->campaign, outcome->round);
}

void sotto_home_take_outcome(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                             struct sotto_turn_effects *effects)
{
    struct sotto_outcome outcome;

    if (!turn->is_trainer_ready && turn->phase == SOTTO_PHASE_IDLE) {
        sotto_turn_hold(turn, occasion->event->bytes);
        return;
    }
    if (!is_outcome(&outcome, turn, &occasion->mail)) {
        turn->ignored_count++;
        return;
    }
    sotto_turn_wipe_round(turn);
    if (outcome.is_last && strcmp(outcome.campaign, turn->rest.campaign) == 0)
        sotto_rest_wipe_other(&turn->rest, NULL);
    sotto_turn_set_subject(turn, &occasion->mail);
    if (!turn->is_trainer_ready || !is_worth_taking(turn, &outcome)) {
        sotto_turn_settle(turn, effects);
        return;
    }
    turn->adapter = outcome.adapter;
    turn->layout = outcome.layout;
    turn->phase = SOTTO_PHASE_RETURNING;
    sotto_turn_fetch(turn, effects, SOTTO_ITEM_LAYOUT, &outcome.layout);
    sotto_turn_fetch(turn, effects, SOTTO_ITEM_ADAPTER, &outcome.adapter);
    look_at_outcome(turn, effects);
}

void sotto_home_put_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                         struct sotto_turn_effects *effects)
{
    enum sotto_status status = sotto_turn_put(turn, occasion->event);

    if (status == SOTTO_OVER_LIMIT)
        sotto_turn_settle(turn, effects);
    else if (status == SOTTO_OK)
        look_at_outcome(turn, effects);
}

void sotto_home_adopt(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects)
{
    if (sotto_turn_compare_loaded(turn, occasion->event) != SOTTO_REFUSAL_NONE) {
        sotto_turn_settle(turn, effects);
        return;
    }
    turn->phase = SOTTO_PHASE_ADOPTING;
    effects->order = SOTTO_ORDER_ADOPT;
    effects->is_finished = true;
}

void sotto_home_note_adopted(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                             struct sotto_turn_effects *effects)
{
    struct sotto_record record = {.kind = SOTTO_RECORD_ADOPTED, .digest = turn->adapter};

    turn->phase = SOTTO_PHASE_IDLE;
    if (occasion->event->is_kept)
        sotto_turn_store(turn, effects, &record);
}

void sotto_home_miss_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects)
{
    (void)occasion;
    sotto_turn_settle(turn, effects);
}
