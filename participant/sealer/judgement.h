/*
 * What a site thinks of a plan and of what was fetched for it, before it answers. Pure; each check
 * has its own refusal.
 */
#ifndef SOTTO_PARTICIPANT_SEALER_JUDGEMENT_H
#define SOTTO_PARTICIPANT_SEALER_JUDGEMENT_H

#include "core/wire/mail.h"
#include "core/wire/roster.h"
#include "crypto/primitives/ed25519.h"
#include "participant/ledger/history.h"
#include "participant/sealer/items.h"
#include "participant/sealer/policy.h"

struct sotto_site_view {
    const struct sotto_policy *policy;
    const struct sotto_history *history;
    const char *protocol; /* the name of the one it speaks */
    uint32_t id;
    struct sotto_ed25519_public identity;
    struct sotto_ed25519_public coordinator;
    struct sotto_digest base_model; /* of the bytes that the trainer loaded */
};

/*
 * Signature, form, number, roster's epoch, base model and policy, in this order. `plan` is set
 * unless it is malformed.
 */
enum sotto_refusal sotto_judge_plan(struct sotto_plan *plan, const struct sotto_mail *mail,
                                    const struct sotto_site_view *site);

/* Room for a decoded roster; the entries are in ascending order of id. */
struct sotto_roster_room {
    struct sotto_roster roster;
    struct sotto_roster_entry entries[SOTTO_ROSTER_MAX];
};

/* The fetched roster against the plan, with this site in it under its own key. */
enum sotto_refusal sotto_judge_roster(struct sotto_roster_room *room, struct sotto_items *items,
                                      const struct sotto_plan *plan,
                                      const struct sotto_site_view *site);

/*
 * The fetched layout against its digest and, unless `plan` is NULL, against the plan and the
 * policy.
 *
 *   layout  out  untouched by a refusal
 */
enum sotto_refusal sotto_judge_layout(struct sotto_layout *layout, struct sotto_items *items,
                                      const struct sotto_plan *plan,
                                      const struct sotto_policy *policy);

/* The fetched adapter against its digest, whose layout was judged. The fault names the tensor. */
enum sotto_refusal sotto_judge_adapter(struct sotto_items *items, const struct sotto_layout *layout,
                                       struct sotto_fault *fault);

#endif
