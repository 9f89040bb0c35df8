#include "tests/participant/sealer/plans.h"

#include <assert.h>
#include <string.h>

#include "crypto/primitives/ed25519.h"
#include "crypto/secagg/endorsement.h"
#include "tests/support/plan.h"

enum { LANES_MAX = 4096 };

static const struct sotto_secret coordinator = {{0x77}};
static const struct sotto_secret authority = {{0x41}};
static const struct sotto_secret identity = {{0x11}};

static void must(enum sotto_status status)
{
    assert(status == SOTTO_OK);
    (void)status;
}

static void endorse(struct sotto_plan *plan)
{
    struct sotto_endorsed endorsed = {.epoch = plan->roster_epoch, .roster = plan->roster};
    struct sotto_signature signature;

    sotto_endorsement_sign(&signature, &authority, &endorsed);
    memcpy(plan->roster_signature, signature.bytes, sizeof signature.bytes);
}

static void policy_make_strict(struct sotto_policy *policy, const struct sotto_plan *plan)
{
    sotto_policy_init(policy);
    policy->cohort_min = plan->cohort_min;
    policy->survivors_min = plan->survivors_min;
    policy->epochs_max = plan->recipe.epochs;
    policy->has_base_model = policy->has_roster = policy->has_roster_authority = true;
    policy->base_model = plan->base_model;
    policy->roster = plan->roster;
    sotto_ed25519_public_of(&policy->roster_authority, &authority);
    policy->organisation_max = 2;
    policy->epsilon_max = 100;
}

/* Round 2 of the plan's campaign, with a roster of the plan's epoch. */
static void remember(struct plan_scene *scene, double charge)
{
    uint8_t bytes[SOTTO_RECORD_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_record record = {.kind = SOTTO_RECORD_JOINED,
                                  .campaign = "wards",
                                  .round = 2,
                                  .roster_epoch = scene->plan.roster_epoch};

    if (charge > 0)
        record.kind = SOTTO_RECORD_UPLOADED;
    record.charge = charge;
    must(sotto_record_encode(&buffer, &record));
    must(sotto_turn_replay(scene->turn, sotto_view_buffer(&buffer)));
}

void plan_scene_open(struct plan_scene *scene)
{
    struct sotto_turn_setup setup = {.protocol = &sotto_secaggplus,
                                     .policy = &scene->policy,
                                     .id = 1,
                                     .identity = &identity,
                                     .entropy = &scene->entropy,
                                     .arena = &scene->arena};
    struct sotto_turn_event ready = {.kind = SOTTO_TURN_TRAINER_READY};
    struct sotto_turn_effects effects;

    plan_sample(&scene->plan);
    scene->plan.weight_max = 1;
    scene->plan.noise_multiplier = 2;
    scene->plan.organisation_max = 2;
    endorse(&scene->plan);
    scene->signing = coordinator;
    policy_make_strict(&scene->policy, &scene->plan);
    sotto_entropy_init_seeded(&scene->entropy, 1);
    must(sotto_arena_open(&scene->arena, sotto_turn_bytes(LANES_MAX, LANES_MAX)));
    sotto_ed25519_public_of(&setup.coordinator, &coordinator);
    must(sotto_turn_open(&scene->turn, &setup));
    remember(scene, 0);
    ready.base_model = scene->plan.base_model;
    sotto_turn_step(scene->turn, &ready, &effects);
}

void plan_scene_close(struct plan_scene *scene)
{
    sotto_turn_close(scene->turn);
    sotto_arena_close(&scene->arena);
}

struct sotto_view plan_scene_encode(struct plan_scene *scene, uint8_t out[SOTTO_PLAN_BYTES_MAX])
{
    struct sotto_buffer buffer = sotto_buffer_of(out, SOTTO_PLAN_BYTES_MAX);

    must(sotto_plan_encode(&buffer, &scene->plan));
    return sotto_view_buffer(&buffer);
}

struct sotto_turn_effects plan_scene_tell(struct plan_scene *scene, struct sotto_view plan)
{
    struct sotto_mail mail = {.kind = SOTTO_MAIL_PLAN, .round = scene->plan.round, .body = plan};
    struct sotto_buffer buffer = sotto_buffer_of(scene->mail, sizeof scene->mail);
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MAIL};
    struct sotto_turn_effects effects;
    struct sotto_signature signature;

    memcpy(mail.campaign, scene->plan.campaign, sizeof mail.campaign);
    sotto_sign(&signature, &scene->signing, "sotto/1 plan", plan);
    memcpy(mail.signature, signature.bytes, sizeof mail.signature);
    must(sotto_mail_encode(&buffer, &mail));
    event.bytes = sotto_view_buffer(&buffer);
    sotto_turn_step(scene->turn, &event, &effects);
    return effects;
}

static void more_survivors_than_cohort(struct plan_scene *scene)
{
    scene->plan.survivors_min = scene->plan.cohort_min + 1;
}

static void signed_by_another(struct plan_scene *scene)
{
    scene->signing = authority;
}

static void of_an_earlier_round(struct plan_scene *scene)
{
    scene->plan.round = 2;
}

static void of_another_model(struct plan_scene *scene)
{
    scene->plan.base_model.bytes[0] ^= 1;
}

static void of_a_smaller_cohort(struct plan_scene *scene)
{
    scene->policy.cohort_min++;
}

static void of_fewer_survivors(struct plan_scene *scene)
{
    scene->plan.survivors_min--;
}

static void of_fewer_colluders(struct plan_scene *scene)
{
    scene->plan.corrupt_fraction = 0;
}

static void of_a_longer_clip(struct plan_scene *scene)
{
    scene->plan.clip_norm = 11;
}

/* Without noise no sum could wrap. */
static void of_a_sum_that_wraps(struct plan_scene *scene)
{
    scene->plan.ring_bits = 19;
}

static void of_more_epochs(struct plan_scene *scene)
{
    scene->plan.recipe.epochs++;
}

static void of_another_roster(struct plan_scene *scene)
{
    scene->plan.roster.bytes[0] ^= 1;
    endorse(&scene->plan);
}

static void of_a_roster_without_authority(struct plan_scene *scene)
{
    scene->plan.roster_signature[0] ^= 1;
}

static void of_an_older_roster(struct plan_scene *scene)
{
    scene->plan.roster_epoch--;
    endorse(&scene->plan);
}

static void of_more_of_one_organisation(struct plan_scene *scene)
{
    scene->plan.organisation_max++;
}

static void of_no_noise(struct plan_scene *scene)
{
    scene->plan.noise_multiplier = 0;
}

static void beyond_the_budget(struct plan_scene *scene)
{
    remember(scene, 1e6);
}

/* In the order of enum sotto_refusal. */
const struct plan_lie plan_lies[PLAN_LIES] = {
    {SOTTO_REFUSAL_PLAN_MALFORMED, more_survivors_than_cohort},
    {SOTTO_REFUSAL_PLAN_SIGNATURE, signed_by_another},
    {SOTTO_REFUSAL_ROUND_NOT_NEW, of_an_earlier_round},
    {SOTTO_REFUSAL_BASE_MODEL, of_another_model},
    {SOTTO_REFUSAL_POLICY_COHORT, of_a_smaller_cohort},
    {SOTTO_REFUSAL_POLICY_SURVIVORS, of_fewer_survivors},
    {SOTTO_REFUSAL_POLICY_CORRUPT, of_fewer_colluders},
    {SOTTO_REFUSAL_POLICY_CLIP, of_a_longer_clip},
    {SOTTO_REFUSAL_POLICY_QUANTISER, of_a_sum_that_wraps},
    {SOTTO_REFUSAL_POLICY_WORK, of_more_epochs},
    {SOTTO_REFUSAL_ROSTER, of_another_roster},
    {SOTTO_REFUSAL_POLICY_ORGANISATION, of_more_of_one_organisation},
    {SOTTO_REFUSAL_ROSTER_AUTHORITY, of_a_roster_without_authority},
    {SOTTO_REFUSAL_ROSTER_EPOCH, of_an_older_roster},
    {SOTTO_REFUSAL_POLICY_NOISE, of_no_noise},
    {SOTTO_REFUSAL_BUDGET, beyond_the_budget},
};
