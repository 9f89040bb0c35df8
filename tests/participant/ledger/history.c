#include "participant/ledger/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka.h"

static int history_setup(void **state)
{
    *state = calloc(1, sizeof(struct sotto_history));
    return *state == NULL;
}

static int history_teardown(void **state)
{
    free(*state);
    return 0;
}

static void add(struct sotto_history *history, enum sotto_record_kind kind, const char *campaign,
                uint32_t round)
{
    struct sotto_record record = {.kind = kind, .round = round};

    snprintf(record.campaign, sizeof record.campaign, "%s", campaign);
    sotto_history_add(history, &record);
}

/* {1, 2, 3, 4} was opened from adapter 0x11.. in campaign wards. */
static void add_reveal(struct sotto_history *history)
{
    struct sotto_record record = {.kind = SOTTO_RECORD_REVEALED,
                                  .campaign = "wards",
                                  .round = 1,
                                  .member_count = 4,
                                  .members = {1, 2, 3, 4}};

    memset(&record.start, 0x11, sizeof record.start);
    sotto_history_add(history, &record);
}

static bool is_close(const struct sotto_history *history, const uint32_t *members, size_t count,
                     bool is_strict)
{
    struct sotto_history_cohort cohort = {
        .campaign = "wards", .members = members, .member_count = count};

    memset(&cohort.start, is_strict ? 0x22 : 0x11, sizeof cohort.start);
    return sotto_history_is_close(history, &cohort, 3, is_strict);
}

static void history__round_taken__only_higher_ones_are_new(void **state)
{
    add(*state, SOTTO_RECORD_JOINED, "wards", 7);
    add(*state, SOTTO_RECORD_JOINED, "wards", 3);
    assert_false(sotto_history_is_new_round(*state, "wards", 7));
    assert_true(sotto_history_is_new_round(*state, "wards", 8));
    assert_true(sotto_history_is_new_round(*state, "clinics", 1));
}

static void history__refused_round__is_not_used_up(void **state)
{
    add(*state, SOTTO_RECORD_REFUSED, "wards", 7);
    assert_true(sotto_history_is_new_round(*state, "wards", 7));
}

static void history__adapter_kept__older_ones_are_not_new(void **state)
{
    add(*state, SOTTO_RECORD_ADOPTED, "wards", 4);
    assert_false(sotto_history_is_new_adapter(*state, "wards", 4));
    assert_true(sotto_history_is_new_adapter(*state, "wards", 5));
    assert_true(sotto_history_is_new_round(*state, "wards", 1));
}

static void history__full__admits_no_further_campaign(void **state)
{
    char name[SOTTO_CAMPAIGN_NAME_MAX + 1];

    for (unsigned index = 0; index < SOTTO_HISTORY_CAMPAIGNS_MAX; index++) {
        snprintf(name, sizeof name, "campaign-%u", index);
        add(*state, SOTTO_RECORD_JOINED, name, 1);
    }
    assert_false(sotto_history_is_new_round(*state, "one-more", 1));
    assert_true(sotto_history_is_new_round(*state, "campaign-9", 2));
}

static void history__close_cohorts__are_seen_by_their_distance(void **state)
{
    static const uint32_t same[] = {1, 2, 3, 4};
    static const uint32_t one_less[] = {1, 2, 4};
    static const uint32_t one_other[] = {1, 2, 3, 9};
    static const uint32_t three_apart[] = {1, 2, 3, 4, 5, 6, 7};

    add_reveal(*state);
    assert_false(is_close(*state, same, 4, false));
    assert_true(is_close(*state, one_less, 3, false));
    assert_true(is_close(*state, one_other, 4, false));
    assert_false(is_close(*state, three_apart, 7, false));
}

static void history__close_cohort_from_another_adapter__counts_if_strict(void **state)
{
    static const uint32_t one_less[] = {1, 2, 4};
    struct sotto_history_cohort cohort = {
        .campaign = "wards", .members = one_less, .member_count = 3};

    add_reveal(*state);
    assert_false(sotto_history_is_close(*state, &cohort, 3, false));
    assert_true(sotto_history_is_close(*state, &cohort, 3, true));
    cohort.campaign = "clinics";
    assert_false(sotto_history_is_close(*state, &cohort, 3, true));
}

/* Whatever the campaign; a plan that was only refused uses no epoch up. */
static void history__rosters_accepted__the_highest_epoch_counts(void **state)
{
    struct sotto_history *history = *state;
    struct sotto_record record = {
        .kind = SOTTO_RECORD_JOINED, .campaign = "wards", .round = 1, .roster_epoch = 7};

    sotto_history_add(history, &record);
    record.roster_epoch = 5;
    memcpy(record.campaign, "clinics", sizeof "clinics");
    sotto_history_add(history, &record);
    assert_int_equal(history->roster_epoch, 7);
    record.kind = SOTTO_RECORD_REFUSED;
    record.roster_epoch = 9;
    sotto_history_add(history, &record);
    assert_int_equal(history->roster_epoch, 7);
}

static void history__refusals__are_recorded_once_and_not_for_ever(void **state)
{
    struct sotto_history *history = *state;
    struct sotto_history_refusal refusal = {
        .campaign = "wards", .round = 3, .refusal = SOTTO_REFUSAL_ROSTER};
    struct sotto_record record = {
        .kind = SOTTO_RECORD_REFUSED, .campaign = "wards", .round = 3, .refusal = refusal.refusal};

    assert_true(sotto_history_wants_refusal(history, &refusal));
    sotto_history_add(history, &record);
    assert_false(sotto_history_wants_refusal(history, &refusal));
    refusal.round = 4;
    assert_true(sotto_history_wants_refusal(history, &refusal));
    refusal.round = 3;
    refusal.refusal = SOTTO_REFUSAL_LAYOUT;
    assert_true(sotto_history_wants_refusal(history, &refusal));
    refusal.campaign[0] = 'W';
    refusal.refusal = SOTTO_REFUSAL_ROSTER;
    assert_true(sotto_history_wants_refusal(history, &refusal));
    for (uint32_t round = 4; history->refusal_count < SOTTO_HISTORY_REFUSALS_MAX; round++) {
        record.round = round;
        sotto_history_add(history, &record);
    }
    assert_false(sotto_history_wants_refusal(history, &refusal));
}

/* Ids far apart fill the pool before there are as many sums as are held. */
static void history__sums_larger_than_the_pool__the_newest_are_held(void **state)
{
    struct sotto_history *history = *state;
    static struct sotto_record record = {
        .kind = SOTTO_RECORD_REVEALED, .campaign = "wards", .round = 1, .member_count = 9000};
    struct sotto_history_cohort cohort = {
        .campaign = "wards", .members = record.members, .member_count = record.member_count - 1};

    for (uint32_t round = 1; round <= 300; round++) {
        record.round = round;
        record.start.bytes[0] = (uint8_t)round;
        record.start.bytes[1] = (uint8_t)(round >> 8);
        for (uint32_t i = 0; i < record.member_count; i++)
            record.members[i] = round + (i + 1) * 400000u;
        sotto_history_add(history, &record);
        cohort.start = record.start;
        assert_true(sotto_history_is_close(history, &cohort, 2, false));
        assert_false(sotto_history_is_close(history, &cohort, 1, false));
        assert_in_range(history->reveal_count - history->reveal_first, 1,
                        SOTTO_HISTORY_POOL_BYTES / (3 * 9000));
    }
    assert_true(history->reveal_first > 200);
    cohort.start.bytes[0] = 0x28; /* the 296th */
    assert_true(sotto_history_is_close(history, &cohort, 20000, false));
}

int main(void)
{
#define HISTORY_TEST(test) cmocka_unit_test_setup_teardown(test, history_setup, history_teardown)
    const struct CMUnitTest tests[] = {
        HISTORY_TEST(history__round_taken__only_higher_ones_are_new),
        HISTORY_TEST(history__rosters_accepted__the_highest_epoch_counts),
        HISTORY_TEST(history__refusals__are_recorded_once_and_not_for_ever),
        HISTORY_TEST(history__refused_round__is_not_used_up),
        HISTORY_TEST(history__adapter_kept__older_ones_are_not_new),
        HISTORY_TEST(history__full__admits_no_further_campaign),
        HISTORY_TEST(history__close_cohorts__are_seen_by_their_distance),
        HISTORY_TEST(history__sums_larger_than_the_pool__the_newest_are_held),
        HISTORY_TEST(history__close_cohort_from_another_adapter__counts_if_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
