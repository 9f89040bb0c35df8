/*
 * A coordinator that asks for two sums which differ by a single site: from the same adapter, with
 * the same cohort, and with a dropout of its choice.
 */
#include <string.h>

#include "tests/participant/sealer/circle.h"
#include "tests/support/cmocka.h"

static int circle_setup(void **state)
{
    *state = circle_open();
    return 0;
}

static int circle_teardown(void **state)
{
    circle_close(*state);
    return 0;
}

/* An earlier sum over the present cohort and site 9. */
static void remember_sum(const struct circle *circle, const struct sotto_digest *start)
{
    struct sotto_record earlier = {.kind = SOTTO_RECORD_REVEALED,
                                   .campaign = "other",
                                   .round = 1,
                                   .start = *start,
                                   .member_count = 4,
                                   .members = {1, 2, 3, 9}};

    sotto_history_add(&circle->sites[0].turn->history, &earlier);
}

/* What the site does from its upload on. */
static const char *play_on(struct circle *circle)
{
    circle->sites[0].trace[0] = '\0';
    circle_play(circle);
    return circle->sites[0].trace;
}

static void survivors__one_less_than_in_an_earlier_sum__are_not_confirmed(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    remember_sum(circle, &circle->plan.adapter);
    assert_non_null(strstr(play_on(circle), " store-refused send-differencing-0 finished\n"));
    assert_null(strstr(circle->sites[0].trace, "store-answered"));
    assert_int_not_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
}

static void survivors__one_less_from_another_adapter__are_confirmed(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    remember_sum(circle, &circle->next);
    assert_non_null(strstr(play_on(circle), "store-revealed"));
}

int main(void)
{
#define CIRCLE_TEST(test) cmocka_unit_test_setup_teardown(test, circle_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        CIRCLE_TEST(survivors__one_less_than_in_an_earlier_sum__are_not_confirmed),
        CIRCLE_TEST(survivors__one_less_from_another_adapter__are_confirmed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
