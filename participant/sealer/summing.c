#include "participant/sealer/summing.h"

#include <assert.h>
#include <string.h>

#include "crypto/privacy/accountant.h"
#include "participant/sealer/members.h"

static void member_step(struct sotto_turn *turn, const struct sotto_member_event *event,
                        struct sotto_member_effects *effects)
{
    *effects = (struct sotto_member_effects){0};
    turn->setup.protocol->member_step(turn->member, event, effects);
}

/* The job can run as soon as both halves are there; the masks need not wait for the update. */
static void contribute_when_due(struct sotto_turn *turn, struct sotto_turn_effects *effects)
{
    if (!turn->is_ready_to_mask)
        return;
    if (turn->values == NULL) {
        effects->run_expand = turn->veil == NULL;
        return;
    }
    turn->phase = SOTTO_PHASE_MASKING;
    effects->run_contribute = true;
}

static enum sotto_member_event_kind member_event_of(enum sotto_mail_kind kind)
{
    switch (kind) {
    case SOTTO_MAIL_COHORT: return SOTTO_MEMBER_COHORT;
    case SOTTO_MAIL_INBOX: return SOTTO_MEMBER_INBOX;
    case SOTTO_MAIL_SURVIVORS: return SOTTO_MEMBER_SURVIVORS;
    case SOTTO_MAIL_INCLUSIONS: return SOTTO_MEMBER_INCLUSIONS;
    case SOTTO_MAIL_NONE:
    case SOTTO_MAIL_PLAN:
    case SOTTO_MAIL_OUTCOME: break;
    }
    assert(0 && "not a mail of the protocol");
    return SOTTO_MEMBER_BEGIN;
}

/*
 * Whoever picks dropouts picks what a sum is of: the cohort is looked at as soon as it is told, and
 * its survivors again before they are confirmed.
 */
static bool is_close(const struct sotto_turn *turn, enum sotto_mail_kind kind)
{
    const struct sotto_protocol *protocol = turn->setup.protocol;
    uint32_t members[SOTTO_COHORT_MAX];
    struct sotto_history_cohort cohort = {
        .campaign = turn->campaign, .start = turn->plan.adapter, .members = members};

    if (kind == SOTTO_MAIL_COHORT)
        cohort.member_count = protocol->member_cohort(turn->member, members);
    else if (kind == SOTTO_MAIL_SURVIVORS)
        cohort.member_count = protocol->member_survivors(turn->member, members);
    else
        return false;
    return sotto_history_is_close(&turn->history, &cohort, turn->setup.policy->survivors_min,
                                  turn->setup.policy->refuse_close_cohorts);
}

static enum sotto_refusal check_members(const struct sotto_turn *turn, enum sotto_mail_kind kind)
{
    const struct sotto_protocol *protocol = turn->setup.protocol;
    uint32_t ids[SOTTO_COHORT_MAX];
    struct sotto_members members = {.ids = ids};
    enum sotto_refusal refusal = SOTTO_REFUSAL_NONE;

    if (kind == SOTTO_MAIL_COHORT) {
        members.count = protocol->member_cohort(turn->member, ids);
        members.sum_min = protocol->member_sum_min(turn->member);
        refusal = sotto_judge_members(&members, &turn->roster.roster, &turn->plan, &turn->site);
    }
    if (refusal == SOTTO_REFUSAL_NONE && is_close(turn, kind))
        refusal = SOTTO_REFUSAL_DIFFERENCING;
    return refusal;
}

static void store_answer(struct sotto_turn *turn, struct sotto_turn_effects *effects,
                         const struct sotto_member_effects *member)
{
    struct sotto_record record = {.kind = SOTTO_RECORD_ANSWERED, .note = member->store};

    if (member->is_done) {
        record.kind = SOTTO_RECORD_REVEALED;
        record.start = turn->plan.adapter;
        record.member_count = turn->setup.protocol->member_survivors(turn->member, record.members);
    }
    if (member->is_done || member->store.length > 0)
        sotto_turn_store(turn, effects, &record);
}

void sotto_sum_pass_message(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                            struct sotto_turn_effects *effects)
{
    enum sotto_mail_kind kind = occasion->mail.kind;
    struct sotto_member_event event = {.kind = member_event_of(kind), .bytes = occasion->mail.body};
    struct sotto_member_effects member;
    enum sotto_refusal refusal = SOTTO_REFUSAL_NONE;

    member_step(turn, &event, &member);
    refusal = member.refusal;
    if (refusal == SOTTO_REFUSAL_NONE)
        refusal = check_members(turn, kind);
    if (refusal != SOTTO_REFUSAL_NONE) {
        sotto_turn_refuse(turn, effects, refusal);
        return;
    }
    store_answer(turn, effects, &member);
    if (member.send.length > 0) {
        effects->answers = kind;
        effects->send = member.send;
    }
    turn->is_ready_to_mask = turn->is_ready_to_mask || member.is_ready_to_mask;
    if (turn->phase == SOTTO_PHASE_WORKING)
        contribute_when_due(turn, effects);
}

/* Room for an update; NULL: the round was refused for want of it. */
static float *update_place(struct sotto_turn *turn, struct sotto_turn_effects *effects)
{
    turn->values = sotto_arena_take(turn->setup.arena, turn->plan.lane_count - 1, sizeof(float));
    if (turn->values == NULL)
        sotto_turn_refuse(turn, effects, SOTTO_REFUSAL_UPDATE);
    return turn->values;
}

void sotto_sum_take_update(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                           struct sotto_turn_effects *effects)
{
    const struct sotto_turn_event *event = occasion->event;
    uint32_t weight_max = turn->plan.weight_max < turn->setup.policy->weight_max
                              ? turn->plan.weight_max
                              : turn->setup.policy->weight_max;

    if (turn->values != NULL)
        return;
    if (event->value_count + 1 != turn->plan.lane_count || event->weight == 0) {
        sotto_turn_refuse(turn, effects, SOTTO_REFUSAL_UPDATE);
        return;
    }
    if (update_place(turn, effects) == NULL)
        return;
    memcpy(turn->values, event->values, event->value_count * sizeof(float));
    turn->weight = event->weight < weight_max ? event->weight : weight_max;
    contribute_when_due(turn, effects);
}

void sotto_sum_miss_update(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                           struct sotto_turn_effects *effects)
{
    (void)occasion;
    if (turn->plan.noise_multiplier == 0) {
        turn->is_trainer_ready = false;
        sotto_turn_refuse(turn, effects, SOTTO_REFUSAL_UPDATE);
        return;
    }
    if (turn->values != NULL || update_place(turn, effects) == NULL)
        return;
    memset(turn->values, 0, (turn->plan.lane_count - 1) * sizeof(float));
    turn->weight = 1;
    contribute_when_due(turn, effects);
}

void sotto_sum_upload(struct sotto_turn *turn, const struct sotto_occasion *occasion,
                      struct sotto_turn_effects *effects)
{
    static const struct sotto_digest nothing;
    struct sotto_member_event event = {.kind = SOTTO_MEMBER_MASKED,
                                       .digest = occasion->event->digest};
    struct sotto_record record = {.kind = SOTTO_RECORD_UPLOADED, .digest = event.digest};
    struct sotto_member_effects member = {.refusal = SOTTO_REFUSAL_UPDATE};

    if (!sotto_digest_equal(&event.digest, &nothing))
        member_step(turn, &event, &member);
    if (member.refusal != SOTTO_REFUSAL_NONE) {
        sotto_turn_refuse(turn, effects, member.refusal);
        return;
    }
    record.note = member.store;
    if (turn->plan.noise_multiplier > 0)
        record.charge = sotto_accountant_charge(turn->plan.noise_multiplier);
    sotto_turn_store(turn, effects, &record);
    effects->is_upload = true;
    effects->digest = event.digest;
    turn->phase = SOTTO_PHASE_CLOSING;
}
