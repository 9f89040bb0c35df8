#include "participant/sealer/joining.h"

#include "crypto/primitives/hash.h"

static void member_step(struct sotto_turn *turn, const struct sotto_member_event *event,
                        struct sotto_member_effects *effects)
{
    *effects = (struct sotto_member_effects){0};
    turn->setup.protocol->member_step(turn->member, event, effects);
}

/*
 * The plan tells how many lanes a round has, and only the layout how many the adapter has, of which
 * a round may train a part.
 */
static enum sotto_refusal check_room(struct sotto_turn *turn, const struct sotto_layout *layout)
{
    size_t wanted = sotto_turn_bytes(layout->lane_count, turn->plan.lane_count);
    size_t capacity = turn->setup.arena->capacity;

    if (wanted <= capacity)
        return SOTTO_REFUSAL_NONE;
    (void)sotto_fault_set(&turn->fault, SOTTO_OVER_LIMIT,
                          "an adapter of %zu values with %u in a round takes %zu MiB of the "
                          "sealer's %zu: choose a lower rank or fewer layers",
                          layout->lane_count, turn->plan.lane_count, wanted >> 20, capacity >> 20);
    return SOTTO_REFUSAL_LAYOUT;
}

/* The layout as soon as it is here: what it says may make the adapter not worth fetching. */
static void look_at_plan(struct sotto_turn *turn, struct sotto_turn_effects *effects)
{
    struct sotto_layout layout;
    enum sotto_refusal refusal = SOTTO_REFUSAL_NONE;
    bool is_complete = sotto_items_has(&turn->items, SOTTO_ITEM_ROSTER) &&
                       sotto_items_has(&turn->items, SOTTO_ITEM_ADAPTER);

    if (!sotto_items_has(&turn->items, SOTTO_ITEM_LAYOUT))
        return;
    refusal = sotto_judge_layout(&layout, &turn->items, &turn->plan, turn->setup.policy);
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_room(turn, &layout);
    if (refusal == SOTTO_REFUSAL_NONE && is_complete)
        refusal = sotto_judge_roster(&turn->roster, &turn->items, &turn->plan, &turn->site);
    if (refusal == SOTTO_REFUSAL_NONE && is_complete)
        refusal = sotto_judge_adapter(&turn->items, &layout, &turn->fault);
    if (refusal != SOTTO_REFUSAL_NONE)
        sotto_turn_refuse(turn, effects, refusal);
    else if (is_complete)
        sotto_turn_order_load(turn, effects, SOTTO_PHASE_LOADING);
}

void sotto_join_take_plan(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects)
{
    struct sotto_view parts[] = {sotto_view_text("sotto/1 plan"), occasion->mail.body};
    struct sotto_digest context;
    struct sotto_plan plan = {0};
    enum sotto_refusal refusal = SOTTO_REFUSAL_NONE;

    if (!turn->is_trainer_ready) {
        sotto_turn_hold(turn, occasion->event->bytes);
        return;
    }
    sotto_hash(&context, parts, 2);
    if (turn->has_plan && sotto_digest_equal(&context, &turn->context))
        return;
    refusal = sotto_judge_plan(&plan, &occasion->mail, &turn->site);
    sotto_turn_wipe_round(turn);
    sotto_turn_set_subject(turn, &occasion->mail);
    if (refusal == SOTTO_REFUSAL_NONE &&
        sotto_turn_bytes(plan.lane_count - 1, plan.lane_count) > turn->setup.arena->capacity)
        refusal = SOTTO_REFUSAL_LAYOUT;
    if (refusal == SOTTO_REFUSAL_NONE && plan.feedback &&
        !sotto_rest_has_room(&turn->rest, plan.lane_count))
        refusal = SOTTO_REFUSAL_LAYOUT;
    if (refusal != SOTTO_REFUSAL_NONE) {
        sotto_turn_refuse(turn, effects, refusal);
        return;
    }
    sotto_rest_wipe_other(&turn->rest, plan.campaign);
    turn->plan = plan;
    turn->has_plan = true;
    turn->context = context;
    turn->adapter = plan.adapter;
    turn->layout = plan.layout;
    turn->phase = SOTTO_PHASE_FETCHING;
    sotto_turn_fetch(turn, effects, SOTTO_ITEM_ROSTER, &plan.roster);
    sotto_turn_fetch(turn, effects, SOTTO_ITEM_LAYOUT, &plan.layout);
    sotto_turn_fetch(turn, effects, SOTTO_ITEM_ADAPTER, &plan.adapter);
    look_at_plan(turn, effects);
}

static enum sotto_refusal refusal_of_item(enum sotto_item_kind kind)
{
    switch (kind) {
    case SOTTO_ITEM_ROSTER: return SOTTO_REFUSAL_ROSTER;
    case SOTTO_ITEM_LAYOUT: return SOTTO_REFUSAL_LAYOUT;
    case SOTTO_ITEM_ADAPTER: return SOTTO_REFUSAL_ADAPTER;
    }
    return SOTTO_REFUSAL_PLAN_MALFORMED;
}

void sotto_join_put_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                         struct sotto_turn_effects *effects)
{
    enum sotto_status status = sotto_turn_put(turn, occasion->event);

    if (status == SOTTO_OVER_LIMIT)
        sotto_turn_refuse(turn, effects, refusal_of_item(occasion->event->item));
    else if (status == SOTTO_OK)
        look_at_plan(turn, effects);
}

void sotto_join_miss_item(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                          struct sotto_turn_effects *effects)
{
    sotto_turn_refuse(turn, effects, refusal_of_item(occasion->event->item));
}

/*
 * The seed goes at once: the member forgets what came of it as soon as it may, and nobody can make
 * it again.
 */
static enum sotto_status member_open(struct sotto_turn *turn)
{
    struct sotto_secret seed;
    struct sotto_terms terms = {
        .context = turn->context,
        .lane_count = turn->plan.lane_count,
        .ring_bits = turn->plan.ring_bits,
        .cohort_min = turn->plan.cohort_min,
        .cohort_max = turn->plan.cohort_max,
        .survivors_min = turn->plan.survivors_min,
        .corrupt_fraction = turn->plan.corrupt_fraction,
        .dropout_fraction = turn->plan.dropout_fraction,
        .organisation_max = turn->plan.organisation_max,
    };
    struct sotto_member_setup setup = {
        .terms = &terms,
        .roster = &turn->roster.roster,
        .id = turn->setup.id,
        .identity = turn->setup.identity,
        .coordinator = turn->setup.coordinator,
        .seed = &seed,
    };
    enum sotto_status status = SOTTO_OK;

    sotto_entropy_fill(turn->setup.entropy, seed.bytes, sizeof seed.bytes);
    status = turn->setup.protocol->member_open(&turn->member, turn->setup.arena, &setup);
    sotto_wipe(&seed, sizeof seed);
    return status;
}

void sotto_join_begin(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects)
{
    struct sotto_member_event begin = {.kind = SOTTO_MEMBER_BEGIN};
    struct sotto_record record = {.kind = SOTTO_RECORD_JOINED, .digest = turn->context};
    struct sotto_member_effects member;
    enum sotto_refusal refusal = sotto_turn_compare_loaded(turn, occasion->event);

    if (refusal == SOTTO_REFUSAL_NONE && member_open(turn) != SOTTO_OK)
        refusal = SOTTO_REFUSAL_PLAN_MALFORMED;
    if (refusal == SOTTO_REFUSAL_NONE) {
        member_step(turn, &begin, &member);
        refusal = member.refusal;
    }
    if (refusal != SOTTO_REFUSAL_NONE) {
        sotto_turn_refuse(turn, effects, refusal);
        return;
    }
    record.start = turn->plan.adapter;
    record.roster_epoch = turn->plan.roster_epoch;
    record.note = member.store;
    turn->phase = SOTTO_PHASE_WORKING;
    sotto_turn_store(turn, effects, &record);
    effects->answers = SOTTO_MAIL_PLAN;
    effects->send = member.send;
    effects->order = SOTTO_ORDER_TRAIN;
}
