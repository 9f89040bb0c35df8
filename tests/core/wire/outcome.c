#include "core/wire/outcome.h"

#include <string.h>

#include "core/wire/roster.h"
#include "tests/support/cmocka.h"

static struct sotto_outcome finished_sample(void)
{
    struct sotto_outcome outcome = {.kind = SOTTO_OUTCOME_FINISHED,
                                    .campaign = "wards",
                                    .round = 3,
                                    .adapter = {{1}},
                                    .layout = {{2}},
                                    .survivors = 4};

    return outcome;
}

static enum sotto_status pass(struct sotto_outcome *out, const struct sotto_outcome *outcome)
{
    uint8_t bytes[SOTTO_OUTCOME_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_outcome_encode(&buffer, outcome), SOTTO_OK);
    return sotto_outcome_decode(out, sotto_view_buffer(&buffer));
}

static void outcome__finished__comes_back(void **state)
{
    struct sotto_outcome outcome = finished_sample();
    struct sotto_outcome back;

    (void)state;
    outcome.is_last = true;
    assert_int_equal(pass(&back, &outcome), SOTTO_OK);
    assert_int_equal(back.kind, SOTTO_OUTCOME_FINISHED);
    assert_string_equal(back.campaign, "wards");
    assert_int_equal(back.round, 3);
    assert_true(back.is_last);
    assert_int_equal(back.adapter.bytes[0], 1);
    assert_int_equal(back.layout.bytes[0], 2);
    assert_int_equal(back.survivors, 4);
    assert_string_equal(back.reason, "");
}

static void outcome__survivors_of_the_largest_cohort__come_back(void **state)
{
    struct sotto_outcome outcome = finished_sample();
    struct sotto_outcome back;

    (void)state;
    outcome.survivors = SOTTO_ROSTER_MAX;
    assert_int_equal(pass(&back, &outcome), SOTTO_OK);
    assert_int_equal(back.survivors, SOTTO_ROSTER_MAX);
}

static void outcome__abandoned_with_the_longest_reason__comes_back(void **state)
{
    struct sotto_outcome outcome = finished_sample();
    struct sotto_outcome back;

    (void)state;
    outcome.kind = SOTTO_OUTCOME_ABANDONED;
    outcome.survivors = 0;
    memset(outcome.reason, 'r', sizeof outcome.reason - 1);
    memset(outcome.campaign, 'c', sizeof outcome.campaign - 1);
    assert_int_equal(pass(&back, &outcome), SOTTO_OK);
    assert_string_equal(back.reason, outcome.reason);
}

static void outcome__fields_contradict__is_malformed(void **state)
{
    struct sotto_outcome back = {.round = 77};
    struct sotto_outcome outcome = finished_sample();

    (void)state;
    strcpy(outcome.reason, "a finished round has none");
    assert_int_equal(pass(&back, &outcome), SOTTO_MALFORMED);
    outcome = finished_sample();
    outcome.survivors = 2;
    assert_int_equal(pass(&back, &outcome), SOTTO_MALFORMED);
    outcome = finished_sample();
    outcome.survivors = SOTTO_ROSTER_MAX + 1;
    assert_int_equal(pass(&back, &outcome), SOTTO_OVER_LIMIT);
    outcome = finished_sample();
    outcome.round = 0;
    assert_int_equal(pass(&back, &outcome), SOTTO_MALFORMED);
    outcome = finished_sample();
    outcome.kind = (enum sotto_outcome_kind)0;
    assert_int_equal(pass(&back, &outcome), SOTTO_MALFORMED);
    assert_int_equal(back.round, 77);
}

static void outcome__reason_that_breaks_the_line__is_malformed(void **state)
{
    struct sotto_outcome outcome = finished_sample();

    (void)state;
    outcome.kind = SOTTO_OUTCOME_ABANDONED;
    strcpy(outcome.reason, "late\nand more");
    assert_int_equal(pass(&outcome, &outcome), SOTTO_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome__finished__comes_back),
        cmocka_unit_test(outcome__survivors_of_the_largest_cohort__come_back),
        cmocka_unit_test(outcome__abandoned_with_the_longest_reason__comes_back),
        cmocka_unit_test(outcome__fields_contradict__is_malformed),
        cmocka_unit_test(outcome__reason_that_breaks_the_line__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
