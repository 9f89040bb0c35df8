/*
 * Every way to drop out of a small cohort: each participant stops before its advert, after any of
 * its messages, or never. Walked as a tree, stage by stage, so that patterns with a common
 * beginning share it: the machines are plain memory and are put back from a copy.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT_MAX = 6, STAGES = 5 };

struct walk {
    struct chorus *chorus;
    uint64_t patterns;
    uint64_t sums;
    uint64_t failures;
};

static uint32_t places_in(uint32_t places)
{
    return (uint32_t)__builtin_popcount(places);
}

/*
 * The rule of the book, told apart from the code: t holders besides the owner, and the floors of
 * the terms.
 */
static bool is_viable(const struct chorus *chorus, enum sotto_stage stage, uint32_t cohort,
                      uint32_t answers)
{
    uint32_t threshold = (cohort - 1 + 1) / 2 + 1; /* k = n - 1, c = 1 up to twenty participants */
    uint32_t floor = chorus->terms.survivors_min;

    if (stage == SOTTO_STAGE_GATHERING)
        return answers >= chorus->terms.cohort_min;
    if (stage == SOTTO_STAGE_INCLUDING || stage == SOTTO_STAGE_REVEALING)
        return answers >= threshold + 1;
    return answers >= threshold + 1 && answers >= floor;
}

static uint64_t patterns_below(uint32_t answers, enum sotto_stage stage)
{
    uint64_t patterns = 1;

    for (uint32_t i = 0; i < answers; i++)
        patterns *= STAGES - (uint64_t)stage;
    return patterns;
}

static void walk_stage(struct walk *walk, uint32_t invited);

/* Those in `answers` answer, the others are never heard again. */
static void walk_pattern(struct walk *walk, const struct sotto_collector_event *events,
                         uint32_t answers)
{
    struct chorus *chorus = walk->chorus;
    enum sotto_stage stage = chorus->protocol->collector_stage(chorus->collector);
    struct sotto_collector_effects effects;
    enum sotto_stage next;
    bool viable;

    for (uint32_t place = 0; place < chorus->count; place++) {
        if (answers >> place & 1) {
            effects = chorus_deliver(chorus, &events[place]);
            assert_int_equal(effects.verdict, SOTTO_OK);
        }
    }
    next = chorus_end_stage(chorus, &effects);
    viable = is_viable(chorus, stage, chorus->protocol->collector_cohort_count(chorus->collector),
                       places_in(answers));
    assert_int_equal(next != SOTTO_STAGE_FAILED, viable);
    assert_int_equal(effects.liar_count, 0);
    if (next == SOTTO_STAGE_FAILED) {
        walk->failures += patterns_below(places_in(answers), stage);
        walk->patterns += patterns_below(places_in(answers), stage);
    } else if (next == SOTTO_STAGE_UNMASKED) {
        chorus_check_sum(chorus);
        walk->sums++;
        walk->patterns++;
    } else {
        walk_stage(walk, answers);
    }
}

static void walk_stage(struct walk *walk, uint32_t invited)
{
    struct chorus *chorus = walk->chorus;
    size_t lanes_bytes = (size_t)chorus->count * chorus->terms.lane_count * sizeof(uint32_t);
    struct sotto_collector_event events[COUNT_MAX] = {0};
    uint8_t *before = malloc(chorus->arena.capacity + lanes_bytes);

    assert_non_null(before);
    for (uint32_t place = 0; place < chorus->count; place++) {
        if (invited >> place & 1)
            events[place] = chorus_answer(chorus, place);
    }
    memcpy(before, chorus->arena.memory, chorus->arena.capacity);
    memcpy(before + chorus->arena.capacity, chorus->masked, lanes_bytes);
    for (uint32_t answers = invited;; answers = (answers - 1) & invited) {
        walk_pattern(walk, events, answers);
        memcpy(chorus->arena.memory, before, chorus->arena.capacity);
        memcpy(chorus->masked, before + chorus->arena.capacity, lanes_bytes);
        if (answers == 0)
            break;
    }
    free(before);
}

static void walk_cohort(uint32_t count, uint32_t survivors_min)
{
    struct chorus_setup setup = chorus_setup_of(count, 100 + count);
    struct walk walk = {0};
    uint64_t all = 1;

    for (uint32_t place = 0; place < count; place++)
        all *= STAGES + 1;
    setup.lane_count = 4;
    setup.survivors_min = survivors_min;
    walk.chorus = chorus_open(&setup);
    walk_stage(&walk, (1u << count) - 1);
    printf("# n=%u survivors_min=%u: %llu patterns, %llu exact sums, %llu clean failures\n", count,
           survivors_min, (unsigned long long)walk.patterns, (unsigned long long)walk.sums,
           (unsigned long long)walk.failures);
    assert_int_equal(walk.patterns, all);
    assert_int_equal(walk.sums + walk.failures, all);
    assert_true(walk.sums > 0);
    chorus_close(walk.chorus);
}

static void round__three_participants__every_dropout_pattern_ends_as_predicted(void **state)
{
    (void)state;
    walk_cohort(3, 3);
}

static void round__four_participants__every_dropout_pattern_ends_as_predicted(void **state)
{
    (void)state;
    walk_cohort(4, 3);
    walk_cohort(4, 4);
}

static void round__five_participants__every_dropout_pattern_ends_as_predicted(void **state)
{
    (void)state;
    walk_cohort(5, 3);
    walk_cohort(5, 5);
}

static void round__six_participants__every_dropout_pattern_ends_as_predicted(void **state)
{
    (void)state;
    walk_cohort(6, 3);
}

/* What a site writes down of a sum: those whose uploads are in it, not those who set out. */
static void member__told_the_survivors__lists_them_and_not_the_dropouts(void **state)
{
    enum { COUNT = 6, DROPOUT = 4 };
    struct chorus_setup setup = chorus_setup_of(COUNT, 107);
    struct chorus *chorus = chorus_open(&setup);
    uint32_t ids[SOTTO_COHORT_MAX];

    (void)state;
    chorus_play_until(chorus, SOTTO_STAGE_UPLOADING);
    chorus_play(chorus, ((1u << COUNT) - 1) & ~(1u << DROPOUT));
    assert_int_equal(chorus->protocol->member_survivors(chorus->members[0], ids), 0);
    chorus_answer(chorus, 0);
    assert_int_equal(chorus->protocol->member_cohort(chorus->members[0], ids), COUNT);
    assert_int_equal(chorus->protocol->member_survivors(chorus->members[0], ids), COUNT - 1);
    for (uint32_t i = 0; i < COUNT - 1; i++) {
        assert_int_not_equal(ids[i], chorus_id(DROPOUT));
        assert_true(i == 0 || ids[i - 1] < ids[i]);
    }
    chorus_close(chorus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(member__told_the_survivors__lists_them_and_not_the_dropouts),
        cmocka_unit_test(round__three_participants__every_dropout_pattern_ends_as_predicted),
        cmocka_unit_test(round__four_participants__every_dropout_pattern_ends_as_predicted),
        cmocka_unit_test(round__five_participants__every_dropout_pattern_ends_as_predicted),
        cmocka_unit_test(round__six_participants__every_dropout_pattern_ends_as_predicted),
    };

    return cmocka_run_group_tests_name("secagg_dropouts", tests, NULL, NULL);
}
