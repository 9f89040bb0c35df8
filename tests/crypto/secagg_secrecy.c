/* What leaves a site looks like noise, and what is refused leaves no secret behind. */
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_planted.h"
#include "tests/support/cmocka.h"

enum { COUNT = 5, LANES = 1 << 15, VICTIM = 2, PEER = 4 };

/* 255 degrees of freedom: mean 255, deviation 22.6. */
static double chi_square_of_top_bytes(const uint32_t *lanes, unsigned ring_bits)
{
    uint32_t bins[256] = {0};
    double expected = LANES / 256.0;
    double sum = 0;

    for (size_t lane = 0; lane < LANES; lane++)
        bins[lanes[lane] >> (ring_bits - 8) & 0xff]++;
    for (size_t bin = 0; bin < 256; bin++)
        sum += (bins[bin] - expected) * (bins[bin] - expected) / expected;
    return sum;
}

static struct chorus *play_upload(unsigned ring_bits)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 31);
    struct chorus *chorus;

    setup.lane_count = LANES;
    setup.ring_bits = ring_bits;
    chorus = chorus_open(&setup);
    chorus_play_until(chorus, SOTTO_STAGE_INCLUDING);
    return chorus;
}

static void upload__top_byte_of_the_lanes__is_uniform(void **state)
{
    static const unsigned rings[] = {12, 16, 24, 32};

    (void)state;
    for (size_t ring = 0; ring < 4; ring++) {
        struct chorus *chorus = play_upload(rings[ring]);

        for (uint32_t place = 0; place < COUNT; place++) {
            double chi_square =
                chi_square_of_top_bytes(chorus->masked + (size_t)place * LANES, rings[ring]);

            assert_true(chi_square > 170 && chi_square < 350);
        }
        chorus_close(chorus);
    }
}

/* 2^15 pairs of lanes, each equal with probability 2^-32. */
static void upload__of_two_sites__have_no_lanes_in_common(void **state)
{
    struct chorus *chorus = play_upload(32);

    (void)state;
    for (uint32_t left = 0; left < COUNT; left++) {
        for (uint32_t right = 0; right < left; right++) {
            uint32_t equal = 0;

            for (size_t lane = 0; lane < LANES; lane++)
                equal += chorus->masked[(size_t)left * LANES + lane] -
                             chorus_lane(left, (uint32_t)lane) ==
                         chorus->masked[(size_t)right * LANES + lane] -
                             chorus_lane(right, (uint32_t)lane);
            assert_true(equal < 4);
        }
    }
    chorus_close(chorus);
}

static void member__as_it_goes_on__forgets_what_it_needs_no_more(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 32);
    struct chorus *chorus = chorus_open(&setup);
    struct planted planted;

    (void)state;
    chorus_play_until(chorus, SOTTO_STAGE_SHARING);
    planted_derive(&planted, chorus, VICTIM, PEER);
    assert_true(planted_remembers(chorus, VICTIM, &planted.own, sizeof planted.own));
    (void)chorus_play(chorus, 0x1f);
    assert_false(planted_remembers(chorus, VICTIM, &planted.own.mask_key, 32));
    assert_false(planted_remembers(chorus, VICTIM, &planted.own.share_key, 32));
    assert_false(planted_remembers(chorus, VICTIM, &planted.own.self_mask, 32));
    assert_true(planted_remembers(chorus, VICTIM, &planted.pair_mask, 32));
    assert_true(planted_remembers(chorus, VICTIM, &planted.self_mask, 32));
    (void)chorus_play(chorus, 0x1f);
    assert_false(planted_remembers(chorus, VICTIM, &planted.pair_mask, 32));
    assert_false(planted_remembers(chorus, VICTIM, &planted.self_mask, 32));
    assert_true(planted_remembers(chorus, VICTIM, &planted.pair, sizeof planted.pair));
    (void)chorus_play(chorus, 0x1f);
    (void)chorus_play(chorus, 0x1f);
    assert_false(planted_remembers_any(chorus, VICTIM, &planted));
    chorus_close(chorus);
}

static void member__refusing_in_any_stage__remembers_no_secret(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 33);

    (void)state;
    for (int stage = SOTTO_STAGE_SHARING; stage <= SOTTO_STAGE_REVEALING; stage++) {
        struct chorus *chorus = chorus_open(&setup);
        struct planted planted;

        chorus_play_until(chorus, SOTTO_STAGE_SHARING);
        planted_derive(&planted, chorus, VICTIM, PEER);
        chorus_play_until(chorus, (enum sotto_stage)stage);
        assert_true(planted_remembers_any(chorus, VICTIM, &planted));
        assert_true(
            chorus_tell(chorus, VICTIM, SOTTO_MEMBER_BEGIN, (struct sotto_view){0}).refusal ==
            SOTTO_REFUSAL_SECOND_MESSAGE);
        assert_false(planted_remembers_any(chorus, VICTIM, &planted));
        chorus_close(chorus);
    }
}

static void member__wiped_twice__remembers_nothing_and_answers_nothing(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 34);
    struct chorus *chorus = chorus_open(&setup);
    struct sotto_secrets own;

    (void)state;
    sotto_secrets_derive(&own, &chorus->seeds[VICTIM], &chorus->terms.context);
    assert_true(planted_remembers(chorus, VICTIM, &own, sizeof own));
    chorus->protocol->member_wipe(chorus->members[VICTIM]);
    chorus->protocol->member_wipe(chorus->members[VICTIM]);
    assert_false(planted_remembers(chorus, VICTIM, &own.mask_key, 32));
    assert_true(chorus_tell(chorus, VICTIM, SOTTO_MEMBER_BEGIN, (struct sotto_view){0}).refusal !=
                SOTTO_REFUSAL_NONE);
    chorus_close(chorus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upload__top_byte_of_the_lanes__is_uniform),
        cmocka_unit_test(upload__of_two_sites__have_no_lanes_in_common),
        cmocka_unit_test(member__as_it_goes_on__forgets_what_it_needs_no_more),
        cmocka_unit_test(member__refusing_in_any_stage__remembers_no_secret),
        cmocka_unit_test(member__wiped_twice__remembers_nothing_and_answers_nothing),
    };

    return cmocka_run_group_tests_name("secagg_secrecy", tests, NULL, NULL);
}
