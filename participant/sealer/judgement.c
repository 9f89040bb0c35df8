#include "participant/sealer/judgement.h"

#include <string.h>

#include "models/trainer.h"

static enum sotto_refusal judge_form(struct sotto_plan *plan, const struct sotto_mail *mail,
                                     const struct sotto_site_view *site)
{
    struct sotto_signature signature;

    memcpy(signature.bytes, mail->signature, sizeof signature.bytes);
    if (sotto_verify(&signature, &site->coordinator, "sotto/1 plan", mail->body) != SOTTO_OK)
        return SOTTO_REFUSAL_PLAN_SIGNATURE;
    if (sotto_plan_decode(plan, mail->body) != SOTTO_OK)
        return SOTTO_REFUSAL_PLAN_MALFORMED;
    if (strcmp(plan->campaign, mail->campaign) != 0 || plan->round != mail->round)
        return SOTTO_REFUSAL_PLAN_MALFORMED;
    if (strcmp(plan->protocol, site->protocol) != 0)
        return SOTTO_REFUSAL_PLAN_MALFORMED;
    return SOTTO_REFUSAL_NONE;
}

enum sotto_refusal sotto_judge_plan(struct sotto_plan *plan, const struct sotto_mail *mail,
                                    const struct sotto_site_view *site)
{
    enum sotto_refusal refusal = judge_form(plan, mail, site);

    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    if (!sotto_history_is_new_round(site->history, plan->campaign, plan->round))
        return SOTTO_REFUSAL_ROUND_NOT_NEW;
    if (plan->roster_epoch < site->history->roster_epoch)
        return SOTTO_REFUSAL_ROSTER_EPOCH;
    if (!sotto_digest_equal(&plan->base_model, &site->base_model))
        return SOTTO_REFUSAL_BASE_MODEL;
    refusal = sotto_policy_check(site->policy, plan);
    if (refusal != SOTTO_REFUSAL_NONE)
        return refusal;
    return sotto_policy_check_budget(site->policy, plan, site->history->rho);
}

static void roster_fill(struct sotto_roster_room *room, const struct sotto_roster_message *message)
{
    for (size_t index = 0; index < message->count; index++) {
        struct sotto_roster_entry *entry = &room->entries[index];

        entry->id = message->lines[index].id;
        memcpy(entry->identity.bytes, message->lines[index].identity, sizeof entry->identity.bytes);
        entry->certificate = message->lines[index].certificate;
        entry->organisation = message->lines[index].organisation;
    }
    room->roster = (struct sotto_roster){
        .epoch = message->epoch, .entries = room->entries, .entry_count = message->count};
}

enum sotto_refusal sotto_judge_roster(struct sotto_roster_room *room, struct sotto_items *items,
                                      const struct sotto_plan *plan,
                                      const struct sotto_site_view *site)
{
    struct sotto_roster_message message;
    const struct sotto_roster_entry *own = NULL;

    if (!sotto_items_check(items, SOTTO_ITEM_ROSTER))
        return SOTTO_REFUSAL_ROSTER;
    if (sotto_roster_decode(&message, sotto_items_bytes_of(items, SOTTO_ITEM_ROSTER)) != SOTTO_OK)
        return SOTTO_REFUSAL_ROSTER;
    roster_fill(room, &message);
    own = sotto_roster_find(&room->roster, site->id);
    if (message.epoch != plan->roster_epoch || own == NULL ||
        memcmp(own->identity.bytes, site->identity.bytes, sizeof own->identity.bytes) != 0)
        return SOTTO_REFUSAL_ROSTER;
    return SOTTO_REFUSAL_NONE;
}

enum sotto_refusal sotto_judge_layout(struct sotto_layout *layout, struct sotto_items *items,
                                      const struct sotto_plan *plan,
                                      const struct sotto_policy *policy)
{
    if (!sotto_items_check(items, SOTTO_ITEM_LAYOUT))
        return SOTTO_REFUSAL_LAYOUT;
    if (sotto_layout_decode(layout, sotto_items_bytes_of(items, SOTTO_ITEM_LAYOUT)) != SOTTO_OK)
        return SOTTO_REFUSAL_LAYOUT;
    return sotto_policy_check_layout(policy, plan, layout);
}

enum sotto_refusal sotto_judge_adapter(struct sotto_items *items, const struct sotto_layout *layout,
                                       struct sotto_fault *fault)
{
    return sotto_items_check_adapter(items, layout, fault) == SOTTO_OK ? SOTTO_REFUSAL_NONE
                                                                       : SOTTO_REFUSAL_ADAPTER;
}
