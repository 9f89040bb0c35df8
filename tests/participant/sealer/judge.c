/* Every refusal of a plan before anything is fetched, each for its own reason. */
#include "tests/participant/sealer/plans.h"
#include "tests/support/cmocka.h"

static void plan__strict_site__is_accepted_unaltered(void **state)
{
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];
    struct plan_scene scene;
    struct sotto_turn_effects effects;

    (void)state;
    plan_scene_open(&scene);
    effects = plan_scene_tell(&scene, plan_scene_encode(&scene, bytes));
    assert_string_equal(sotto_refusal_name(effects.refusal), "none");
    assert_int_equal(effects.fetch_count, 3);
    plan_scene_close(&scene);
}

static void plan__altered_in_one_point__is_refused_for_its_own_reason(void **state)
{
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];

    (void)state;
    for (size_t i = 0; i < PLAN_LIES; i++) {
        struct plan_scene scene;
        struct sotto_turn_effects effects;

        plan_scene_open(&scene);
        plan_lies[i].alter(&scene);
        effects = plan_scene_tell(&scene, plan_scene_encode(&scene, bytes));
        assert_string_equal(sotto_refusal_name(effects.refusal),
                            sotto_refusal_name(plan_lies[i].refusal));
        assert_true(effects.is_refusal_notice && effects.send.length == 1);
        assert_int_equal(effects.fetch_count, 0);
        assert_null(sotto_turn_plan(scene.turn));
        plan_scene_close(&scene);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__strict_site__is_accepted_unaltered),
        cmocka_unit_test(plan__altered_in_one_point__is_refused_for_its_own_reason),
    };

    return cmocka_run_group_tests_name("participant_judge", tests, NULL, NULL);
}
