/* Holders that reveal false shares: the round ends all the same, and they are named. */
#include <stdio.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/primitives/hash.h"
#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "crypto/secagg/secaggplus/reconstruct.h"
#include "tests/crypto/secagg_chorus.h"
#include "tests/support/cmocka.h"

enum { COUNT = 10, DROPOUT = 4, EVERY_OWNER = -1 };
/* n = 10: t = 6. One dropout: nine holders of its key, and eight of each survivor's. */

/* Whose share stands at a slot of a reveal: everybody's but the sender's, by place. */
static int owner_at(uint32_t place, size_t slot)
{
    return (int)(slot < place ? slot : slot + 1);
}

/* Everybody but DROPOUT reveals; those in `liars` flip a bit in the share of `owner`. */
static struct sotto_collector_effects reveal(struct chorus *chorus, uint32_t liars, int owner,
                                             size_t at)
{
    struct sotto_collector_effects effects;

    for (uint32_t place = 0; place < COUNT; place++) {
        struct sotto_collector_event answer;
        uint8_t bytes[SOTTO_REVEAL_BYTES_MAX];

        if (place == DROPOUT)
            continue;
        answer = chorus_answer(chorus, place);
        memcpy(bytes, answer.bytes.at, answer.bytes.length);
        answer.bytes.at = bytes;
        for (size_t slot = 0; slot < answer.bytes.length / SOTTO_REVEALED_BYTES; slot++) {
            if (liars >> place & 1 && (owner == EVERY_OWNER || owner_at(place, slot) == owner))
                bytes[slot * SOTTO_REVEALED_BYTES + 4 + at] ^= 0x10;
        }
        effects = chorus_deliver(chorus, &answer);
        assert_int_equal(effects.verdict, SOTTO_OK);
    }
    (void)chorus_end_stage(chorus, &effects);
    return effects;
}

static struct chorus *play_until_reveal(void)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 12);
    struct chorus *chorus = chorus_open(&setup);
    uint32_t all = (1u << COUNT) - 1;

    (void)chorus_play(chorus, all);
    (void)chorus_play(chorus, all);
    (void)chorus_play(chorus, all & ~(1u << DROPOUT));
    assert_int_equal(chorus_play(chorus, all & ~(1u << DROPOUT)), SOTTO_STAGE_REVEALING);
    return chorus;
}

static void check_named(uint32_t liars, int owner, size_t at)
{
    struct chorus *chorus = play_until_reveal();
    struct sotto_collector_effects effects = reveal(chorus, liars, owner, at);
    uint32_t named = 0;

    for (uint32_t i = 0; i < effects.liar_count; i++) {
        for (uint32_t place = 0; place < COUNT; place++)
            named |= (uint32_t)(effects.liars[i] == chorus_id(place)) << place;
    }
    assert_int_equal(named, liars);
    assert_int_equal(chorus->protocol->collector_stage(chorus->collector), SOTTO_STAGE_UNMASKED);
    chorus_check_sum(chorus);
    chorus_close(chorus);
}

static void liar__on_every_share__is_named_and_the_sum_is_exact(void **state)
{
    (void)state;
    for (uint32_t place = 0; place < COUNT; place++) {
        if (place != DROPOUT)
            check_named(1u << place, EVERY_OWNER, 0);
    }
}

static void liar__on_a_share_of_the_dropouts_mask_key__is_named(void **state)
{
    (void)state;
    check_named(1u << 0, DROPOUT, 3);
    check_named(1u << 9, DROPOUT, 3);
}

static void liar__on_a_share_of_one_survivor__is_named(void **state)
{
    (void)state;
    check_named(1u << 1, 7, 20);
    check_named(1u << 9, 7, 20);
}

/* The top byte of a limb: no element of the field any more. */
static void liar__with_a_share_out_of_the_field__is_named(void **state)
{
    (void)state;
    for (uint32_t place = 0; place < COUNT; place += 3) {
        struct chorus *chorus = play_until_reveal();
        struct sotto_collector_effects effects;

        effects = reveal(chorus, 1u << place, EVERY_OWNER, 7);
        assert_int_equal(effects.liar_count, 1);
        assert_int_equal(effects.liars[0], chorus_id(place));
        chorus_check_sum(chorus);
        chorus_close(chorus);
    }
}

static void liars__two_of_eight_holders__are_named(void **state)
{
    (void)state;
    check_named(1u << 0 | 1u << 1, EVERY_OWNER, 0);
    check_named(1u << 0 | 1u << 9, EVERY_OWNER, 0);
    check_named(1u << 8 | 1u << 9, EVERY_OWNER, 0);
    check_named(1u << 2 | 1u << 6, 3, 0);
}

/* Eight holders, three of them false: five true shares are fewer than t. */
static void liars__too_many__end_the_round_without_a_sum(void **state)
{
    struct chorus *chorus = play_until_reveal();
    struct sotto_lane_range all = {.first = 0, .count = 8};
    uint32_t sum[8] = {0};

    (void)state;
    (void)reveal(chorus, 1u << 0 | 1u << 3 | 1u << 7, EVERY_OWNER, 0);
    assert_int_equal(chorus->protocol->collector_stage(chorus->collector), SOTTO_STAGE_FAILED);
    assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, sum, all),
                     SOTTO_UNEXPECTED);
    chorus_close(chorus);
}

/* A secret shared by t of n, and what its holders say of it. */
static void deal(struct sotto_shared *shared, struct sotto_secret *secret, uint32_t threshold,
                 uint32_t count)
{
    const struct sotto_view bytes = sotto_view_of(secret->bytes, sizeof secret->bytes);
    struct sotto_entropy entropy;
    struct sotto_secret seed;

    sotto_entropy_init_seeded(&entropy, threshold * 1000 + count);
    sotto_entropy_fill(&entropy, secret->bytes, sizeof secret->bytes);
    sotto_entropy_fill(&entropy, seed.bytes, sizeof seed.bytes);
    *shared = (struct sotto_shared){.threshold = threshold, .count = count};
    shared->commitment.is_self_mask = true;
    sotto_hash(&shared->commitment.self_mask, &bytes, 1);
    sotto_share_split(shared->shares, secret, &seed, threshold, count);
    for (uint32_t i = 0; i < count; i++)
        shared->holders[i] = i;
}

static void check_reconstruct(uint32_t threshold, uint32_t count, const uint32_t *liars,
                              uint32_t liar_count, enum sotto_status expected)
{
    struct sotto_seats named = {0};
    struct sotto_secret secret;
    struct sotto_secret joined;
    struct sotto_shared shared;

    deal(&shared, &secret, threshold, count);
    for (uint32_t i = 0; i < liar_count; i++)
        shared.shares[liars[i]].bytes[9] ^= 1;
    assert_int_equal(sotto_reconstruct(&joined, &named, &shared), expected);
    if (expected != SOTTO_OK)
        return;
    assert_memory_equal(joined.bytes, secret.bytes, sizeof secret.bytes);
    assert_int_equal(sotto_seats_count(&named), liar_count);
    for (uint32_t i = 0; i < liar_count; i++)
        assert_true(sotto_seats_has(&named, liars[i]));
}

static void reconstruct__two_liars_in_the_largest_cohort__are_found_wherever_they_are(void **state)
{
    const uint32_t pairs[][2] = {{0, 1}, {68, 69}, {0, 69}, {33, 34}, {0, 120}, {100, 126}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        check_reconstruct(68, 127, pairs[i], 2, SOTTO_OK);
}

static void reconstruct__at_the_documented_bounds__still_succeeds(void **state)
{
    const uint32_t last_two[] = {88, 89};
    const uint32_t last_three[] = {26, 27, 28};
    const uint32_t first_three[] = {0, 1, 2};

    (void)state;
    check_reconstruct(88, 90, last_two, 2, SOTTO_OK);
    check_reconstruct(88, 90, first_three, 2, SOTTO_OK);
    check_reconstruct(26, 29, first_three, 3, SOTTO_OK);
    check_reconstruct(26, 29, last_three, 3, SOTTO_OK);
    check_reconstruct(26, 28, first_three, 3, SOTTO_FORGED);
}

static void reconstruct__dealer_committed_to_another_secret__is_forged_and_names_nobody(
    void **state)
{
    struct sotto_seats named = {0};
    struct sotto_secret secret;
    struct sotto_shared shared;
    const struct sotto_secret zeros = {{0}};

    (void)state;
    deal(&shared, &secret, 4, 6);
    shared.commitment.self_mask.bytes[0] ^= 1;
    assert_int_equal(sotto_reconstruct(&secret, &named, &shared), SOTTO_FORGED);
    assert_memory_equal(secret.bytes, zeros.bytes, sizeof zeros.bytes);
    assert_int_equal(sotto_seats_count(&named), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(liar__on_every_share__is_named_and_the_sum_is_exact),
        cmocka_unit_test(liar__on_a_share_of_the_dropouts_mask_key__is_named),
        cmocka_unit_test(liar__on_a_share_of_one_survivor__is_named),
        cmocka_unit_test(liar__with_a_share_out_of_the_field__is_named),
        cmocka_unit_test(liars__two_of_eight_holders__are_named),
        cmocka_unit_test(liars__too_many__end_the_round_without_a_sum),
        cmocka_unit_test(reconstruct__two_liars_in_the_largest_cohort__are_found_wherever_they_are),
        cmocka_unit_test(reconstruct__at_the_documented_bounds__still_succeeds),
        cmocka_unit_test(
            reconstruct__dealer_committed_to_another_secret__is_forged_and_names_nobody),
    };

    return cmocka_run_group_tests_name("secagg_liars", tests, NULL, NULL);
}
