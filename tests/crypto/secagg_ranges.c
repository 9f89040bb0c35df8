/* Masks taken off over ranges of lanes: the same sum, in however many and by whichever threads. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT = 7, DROPOUT = 2, LANES = 70001, PARTS_MAX = 9 };

struct part {
    const struct chorus *chorus;
    uint32_t *sum;
    struct sotto_lane_range range;
    enum sotto_status status;
    pthread_t thread;
};

static bool stays(uint32_t place)
{
    return place != DROPOUT;
}

/* Unmasked, with one dropout. */
static struct chorus *chorus_done(unsigned ring_bits)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 5);
    struct chorus *chorus;

    setup.lane_count = LANES;
    setup.ring_bits = ring_bits;
    chorus = chorus_open(&setup);
    chorus_play_until(chorus, SOTTO_STAGE_UPLOADING);
    while (chorus->protocol->collector_stage(chorus->collector) != SOTTO_STAGE_UNMASKED)
        assert_int_not_equal(chorus_play(chorus, ~(1u << DROPOUT)), SOTTO_STAGE_FAILED);
    return chorus;
}

static uint32_t *masked_sum(const struct chorus *chorus)
{
    uint32_t *sum = calloc(LANES, sizeof *sum);

    assert_non_null(sum);
    for (uint32_t place = 0; place < COUNT; place++)
        for (uint32_t lane = 0; stays(place) && lane < LANES; lane++)
            sum[lane] += chorus->masked[(size_t)place * LANES + lane];
    return sum;
}

static void *unmask(void *argument)
{
    struct part *part = argument;

    part->status =
        part->chorus->protocol->collector_unmask(part->chorus->collector, part->sum, part->range);
    return NULL;
}

/* As the coordinator's jobs divide it: whole eights, the last takes the rest. */
static uint32_t *unmasked_by(const struct chorus *chorus, size_t threads)
{
    const size_t share = LANES / threads / 8 * 8;
    uint32_t *sum = masked_sum(chorus);
    struct part parts[PARTS_MAX];

    for (size_t i = 0; i < threads; i++) {
        size_t count = i + 1 == threads ? LANES - i * share : share;

        parts[i] =
            (struct part){.chorus = chorus, .sum = sum + i * share, .range = {i * share, count}};
        assert_int_equal(pthread_create(&parts[i].thread, NULL, unmask, &parts[i]), 0);
    }
    for (size_t i = 0; i < threads; i++) {
        pthread_join(parts[i].thread, NULL);
        assert_int_equal(parts[i].status, SOTTO_OK);
    }
    return sum;
}

static void assert_any_threads_give_the_sum(unsigned ring_bits)
{
    const uint32_t ring_mask = (uint32_t)(UINT64_MAX >> (64 - ring_bits));
    struct chorus *chorus = chorus_done(ring_bits);

    for (size_t threads = 1; threads <= PARTS_MAX; threads++) {
        uint32_t *sum = unmasked_by(chorus, threads);

        for (uint32_t lane = 0; lane < LANES; lane++) {
            uint32_t plain = 0;

            for (uint32_t place = 0; place < COUNT; place++)
                plain += stays(place) ? chorus_lane(place, lane) : 0;
            assert_int_equal(sum[lane] & ring_mask, plain & ring_mask);
        }
        free(sum);
    }
    chorus_close(chorus);
}

static void unmask__any_number_of_threads__gives_the_sum(void **state)
{
    (void)state;
    assert_any_threads_give_the_sum(32);
    assert_any_threads_give_the_sum(17);
}

static void unmask__narrow_lanes__any_number_of_threads_gives_the_sum(void **state)
{
    (void)state;
    assert_any_threads_give_the_sum(16);
    assert_any_threads_give_the_sum(11);
}

static void unmask__range_that_is_none__is_unexpected(void **state)
{
    static const struct sotto_lane_range wrong[] = {
        {4, 8}, {LANES + 7, 0}, {8, LANES}, {0, LANES + 1}};
    struct chorus *chorus = chorus_done(32);
    uint32_t *sum = masked_sum(chorus);

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, sum, wrong[i]),
                         SOTTO_UNEXPECTED);
    free(sum);
    chorus_close(chorus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unmask__any_number_of_threads__gives_the_sum),
        cmocka_unit_test(unmask__narrow_lanes__any_number_of_threads_gives_the_sum),
        cmocka_unit_test(unmask__range_that_is_none__is_unexpected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
