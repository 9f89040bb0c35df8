/*
 * A plan for every reason for which a site refuses one before it fetches anything: an otherwise
 * acceptable plan, altered in one point, for a site with strict rules and a past.
 */
#ifndef TESTS_PARTICIPANT_SEALER_PLANS_H
#define TESTS_PARTICIPANT_SEALER_PLANS_H

#include "core/wire/mail.h"
#include "participant/ledger/record.h"
#include "participant/sealer/turn.h"

enum { PLAN_LIES = 16 };

/* A site's turn, and the plan that its coordinator is about to sign. */
struct plan_scene {
    struct sotto_arena arena;
    struct sotto_entropy entropy;
    struct sotto_policy policy;
    struct sotto_turn *turn;
    struct sotto_plan plan;
    struct sotto_secret signing;
    uint8_t mail[SOTTO_MAIL_BYTES_MAX];
};

struct plan_lie {
    enum sotto_refusal refusal;
    void (*alter)(struct plan_scene *scene);
};

extern const struct plan_lie plan_lies[PLAN_LIES];

/* The site accepts scene->plan as it is. */
void plan_scene_open(struct plan_scene *scene);
void plan_scene_close(struct plan_scene *scene);
/* The plan as it is now, encoded. */
struct sotto_view plan_scene_encode(struct plan_scene *scene, uint8_t out[SOTTO_PLAN_BYTES_MAX]);
/* Signs these bytes as a plan and gives them to the site. */
struct sotto_turn_effects plan_scene_tell(struct plan_scene *scene, struct sotto_view plan);

#endif
