/* Every refusal of a participant after its advert: given for its lie alone, and nothing is left. */
#include <string.h>

#include "tests/crypto/secagg_lies.h"
#include "tests/crypto/secagg_planted.h"
#include "tests/support/cmocka.h"

static void lie__each_one__is_refused_for_its_own_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIES; i++) {
        struct lie_scene scene;
        struct sotto_member_effects effects;

        lies_open(&scene);
        lies_play_until(&scene, lies[i].stage);
        effects = chorus_tell(scene.chorus, LIED_TO, lies[i].kind, lies[i].tell(&scene));
        assert_string_equal(sotto_refusal_name(effects.refusal),
                            sotto_refusal_name(lies[i].refusal));
        assert_true(effects.send.length == 0 && effects.store.length == 0);
        assert_false(effects.is_ready_to_mask || effects.is_done);
        lies_close(&scene);
    }
}

/* After the reveal there was nothing to forget any more. */
static void lie__each_one__leaves_no_secret(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIES; i++) {
        struct lie_scene scene;
        struct planted planted;

        lies_open(&scene);
        planted_derive(&planted, scene.chorus, LIED_TO, LIED_TO + 1);
        lies_play_until(&scene, lies[i].stage);
        assert_int_equal(planted_remembers_any(scene.chorus, LIED_TO, &planted),
                         lies[i].refusal != SOTTO_REFUSAL_AFTER_REVEAL);
        (void)chorus_tell(scene.chorus, LIED_TO, lies[i].kind, lies[i].tell(&scene));
        assert_false(planted_remembers_any(scene.chorus, LIED_TO, &planted));
        lies_close(&scene);
    }
}

/* From the first refusal of a cohort to the last one of all there is a lie for each. */
static void lie__for_every_refusal_of_the_protocol__is_there(void **state)
{
    (void)state;
    for (int refusal = SOTTO_REFUSAL_COHORT_MALFORMED; refusal <= SOTTO_REFUSAL_AFTER_REVEAL;
         refusal++) {
        size_t count = 0;

        for (size_t i = 0; i < LIES; i++)
            count += lies[i].refusal == (enum sotto_refusal)refusal;
        assert_int_equal(count, refusal != SOTTO_REFUSAL_DIFFERENCING);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lie__each_one__is_refused_for_its_own_reason),
        cmocka_unit_test(lie__each_one__leaves_no_secret),
        cmocka_unit_test(lie__for_every_refusal_of_the_protocol__is_there),
    };

    return cmocka_run_group_tests_name("secagg_refuse", tests, NULL, NULL);
}
