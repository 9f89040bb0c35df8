#include "participant/courier/patience.h"

#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

static void patience__growing_failures__wait_within_the_doubled_bound(void **state)
{
    struct sotto_patience patience = {0};
    struct sotto_entropy entropy;
    uint32_t bound_ms = SOTTO_PATIENCE_FIRST_MS;

    (void)state;
    seed_open(&entropy, __func__);
    for (unsigned failure = 0; failure < 100; failure++) {
        assert_in_range(sotto_patience_fail(&patience, &entropy), 1, bound_ms);
        bound_ms = bound_ms * 2 < SOTTO_PATIENCE_MAX_MS ? bound_ms * 2 : SOTTO_PATIENCE_MAX_MS;
    }
}

static void patience__two_sites__do_not_wait_alike(void **state)
{
    struct sotto_patience patience[2] = {{0}, {0}};
    struct sotto_entropy entropy[2];
    unsigned same = 0;

    (void)state;
    for (unsigned site = 0; site < 2; site++)
        sotto_entropy_init_seeded(&entropy[site], site + 1);
    for (unsigned failure = 0; failure < 50; failure++)
        same += sotto_patience_fail(&patience[0], &entropy[0]) ==
                sotto_patience_fail(&patience[1], &entropy[1]);
    assert_in_range(same, 0, 5);
}

static void patience__after_success__starts_short_again(void **state)
{
    struct sotto_patience patience = {.failures = UINT32_MAX};
    struct sotto_entropy entropy;

    (void)state;
    seed_open(&entropy, __func__);
    assert_in_range(sotto_patience_fail(&patience, &entropy), 1, SOTTO_PATIENCE_MAX_MS);
    sotto_patience_reset(&patience);
    assert_in_range(sotto_patience_fail(&patience, &entropy), 1, SOTTO_PATIENCE_FIRST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patience__growing_failures__wait_within_the_doubled_bound),
        cmocka_unit_test(patience__two_sites__do_not_wait_alike),
        cmocka_unit_test(patience__after_success__starts_short_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
