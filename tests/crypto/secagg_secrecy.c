/* What leaves a site looks like noise, and what is refused leaves no secret behind. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secagg/secaggplus/keys/pairwise.h"
#include "crypto/secagg/secaggplus/keys/secrets.h"
#include "tests/crypto/secagg_forgery.h"
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

/* Secrets of the victim, derived a second time beside it. */
struct planted {
    struct sotto_secrets own;
    struct sotto_pair_keys pair; /* with PEER */
    struct sotto_secret pair_mask;
    struct sotto_secret self_mask;
};

static void plant(struct planted *planted, struct chorus *chorus)
{
    struct sotto_digest context = forged_context(chorus);
    const struct sotto_pair pair = {
        .context = &context, .self = chorus_id(VICTIM), .peer = chorus_id(PEER)};
    struct sotto_x25519_own share_key;
    struct sotto_x25519_own mask_key;
    struct forged_cohort forged;

    forged_cohort_read(&forged, chorus);
    sotto_secrets_derive(&planted->own, &chorus->seeds[VICTIM], &chorus->terms.context);
    sotto_x25519_open(&share_key, &planted->own.share_key);
    sotto_x25519_open(&mask_key, &planted->own.mask_key);
    assert_int_equal(
        sotto_pair_keys_derive(&planted->pair, &share_key, &forged.adverts[PEER].share_key, &pair),
        SOTTO_OK);
    assert_int_equal(sotto_pair_mask_derive(&planted->pair_mask, &mask_key,
                                            &forged.adverts[PEER].mask_key, &pair),
                     SOTTO_OK);
    sotto_x25519_close(&mask_key);
    sotto_x25519_close(&share_key);
    sotto_self_mask_derive(&planted->self_mask, &planted->own.self_mask, &context,
                           chorus_id(VICTIM));
}

/* Members lie one after the other in the arena. */
static bool remembers(const struct chorus *chorus, const void *secret, size_t length)
{
    const uint8_t *from = (const uint8_t *)chorus->members[VICTIM];
    const uint8_t *to = (const uint8_t *)chorus->members[VICTIM + 1];

    return memmem(from, (size_t)(to - from), secret, length) != NULL;
}

static bool remembers_any(const struct chorus *chorus, const struct planted *planted)
{
    const struct sotto_secret *secrets = (const struct sotto_secret *)(const void *)planted;

    for (size_t i = 0; i < sizeof *planted / sizeof *secrets; i++) {
        if (remembers(chorus, &secrets[i], sizeof secrets[i]))
            return true;
    }
    return false;
}

static void member__as_it_goes_on__forgets_what_it_needs_no_more(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 32);
    struct chorus *chorus = chorus_open(&setup);
    struct planted planted;

    (void)state;
    chorus_play_until(chorus, SOTTO_STAGE_SHARING);
    plant(&planted, chorus);
    assert_true(remembers(chorus, &planted.own, sizeof planted.own));
    (void)chorus_play(chorus, 0x1f);
    assert_false(remembers(chorus, &planted.own.mask_key, 32));
    assert_false(remembers(chorus, &planted.own.share_key, 32));
    assert_false(remembers(chorus, &planted.own.self_mask, 32));
    assert_true(remembers(chorus, &planted.pair_mask, 32));
    assert_true(remembers(chorus, &planted.self_mask, 32));
    (void)chorus_play(chorus, 0x1f);
    assert_false(remembers(chorus, &planted.pair_mask, 32));
    assert_false(remembers(chorus, &planted.self_mask, 32));
    assert_true(remembers(chorus, &planted.pair, sizeof planted.pair));
    (void)chorus_play(chorus, 0x1f);
    (void)chorus_play(chorus, 0x1f);
    assert_false(remembers_any(chorus, &planted));
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
        plant(&planted, chorus);
        chorus_play_until(chorus, (enum sotto_stage)stage);
        assert_true(remembers_any(chorus, &planted));
        assert_true(
            chorus_tell(chorus, VICTIM, SOTTO_MEMBER_BEGIN, (struct sotto_view){0}).refusal ==
            SOTTO_REFUSAL_SECOND_MESSAGE);
        assert_false(remembers_any(chorus, &planted));
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
    assert_true(remembers(chorus, &own, sizeof own));
    chorus->protocol->member_wipe(chorus->members[VICTIM]);
    chorus->protocol->member_wipe(chorus->members[VICTIM]);
    assert_false(remembers(chorus, &own.mask_key, 32));
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
