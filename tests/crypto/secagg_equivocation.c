/* A coordinator that tells its participants different stories. */
#include <stdlib.h>
#include <string.h>

#include "crypto/secagg/secaggplus/messages/reveal.h"
#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"
#include "tests/support/seed.h"

enum { COUNT_MAX = 12 };

/* What each participant was told and what came of it. */
struct story {
    struct chorus *chorus;
    struct sotto_digest context;
    uint32_t sets[COUNT_MAX];
    uint32_t confirmed; /* places that answered with MACs */
    uint32_t revealed;  /* places that revealed shares */
    uint8_t macs[COUNT_MAX][COUNT_MAX][16];
    uint32_t self_shares[COUNT_MAX]; /* by owner: holders that revealed a share of its self mask */
    uint32_t mask_shares[COUNT_MAX];
};

/* Everybody has uploaded. */
static void story_open(struct story *story, uint32_t count, uint64_t seed)
{
    struct chorus_setup setup = chorus_setup_of(count, seed);

    memset(story, 0, sizeof *story);
    story->chorus = chorus_open(&setup);
    chorus_play_until(story->chorus, SOTTO_STAGE_SHARING);
    story->context = forged_context(story->chorus);
    chorus_play_until(story->chorus, SOTTO_STAGE_INCLUDING);
}

/* Tells each place its own survivor set and keeps the MACs of those that confirm. */
static void story_tell(struct story *story)
{
    struct chorus *chorus = story->chorus;

    for (uint32_t place = 0; place < chorus->count; place++) {
        struct sotto_member_effects effects =
            chorus_tell(chorus, place, SOTTO_MEMBER_SURVIVORS,
                        forged_survivors(chorus, &story->context, story->sets[place]));
        const uint8_t *mac = effects.send.at + SOTTO_SIGNATURE_BYTES;

        if (effects.refusal != SOTTO_REFUSAL_NONE)
            continue;
        story->confirmed |= 1u << place;
        for (uint32_t to = 0; to < chorus->count; to++) {
            if (to == place || (story->sets[place] >> to & 1) == 0)
                continue;
            memcpy(story->macs[place][to], mac, 16);
            mac += 16;
        }
    }
}

static void note_reveal(struct story *story, uint32_t place, struct sotto_view reveal)
{
    struct sotto_cursor cursor = sotto_cursor_of(reveal);

    story->revealed |= 1u << place;
    for (uint32_t owner = 0; owner < story->chorus->count; owner++) {
        struct sotto_revealed revealed;

        if (owner == place)
            continue;
        sotto_revealed_decode(&revealed, &cursor);
        assert_int_equal(revealed.owner, chorus_id(owner));
        if (story->sets[place] >> owner & 1)
            story->self_shares[owner]++;
        else
            story->mask_shares[owner]++;
    }
    assert_int_equal(sotto_cursor_finish(&cursor), SOTTO_OK);
}

/* Hands everybody every MAC that was made for it. */
static void story_confirm(struct story *story)
{
    struct chorus *chorus = story->chorus;

    for (uint32_t place = 0; place < chorus->count; place++) {
        struct sotto_buffer out = sotto_buffer_of(chorus->wire, sizeof chorus->wire);
        struct sotto_seats senders = {0};
        struct sotto_member_effects effects;

        if ((story->confirmed >> place & 1) == 0)
            continue;
        for (uint32_t from = 0; from < chorus->count; from++) {
            if (from != place && story->confirmed >> from & 1)
                sotto_seats_add(&senders, from);
        }
        assert_int_equal(sotto_buffer_add(&out, sotto_seats_encode(&senders, chorus->count)), 0);
        for (uint32_t from = 0; from < chorus->count; from++) {
            if (sotto_seats_has(&senders, from))
                assert_int_equal(
                    sotto_buffer_add(&out, sotto_view_of(story->macs[from][place], 16)), 0);
        }
        effects = chorus_tell(chorus, place, SOTTO_MEMBER_INCLUSIONS, sotto_view_buffer(&out));
        if (effects.refusal == SOTTO_REFUSAL_NONE)
            note_reveal(story, place, effects.send);
        else
            assert_int_equal(effects.refusal, SOTTO_REFUSAL_INCLUSION);
    }
}

static void survivors__one_set_for_all__everybody_reveals(void **state)
{
    struct story story;

    (void)state;
    story_open(&story, 6, 1);
    for (uint32_t place = 0; place < 6; place++)
        story.sets[place] = 0x3f;
    story_tell(&story);
    story_confirm(&story);
    assert_int_equal(story.revealed, 0x3f);
    chorus_close(story.chorus);
}

static void survivors__two_sets_to_two_halves__nobody_reveals(void **state)
{
    struct story story;

    (void)state;
    story_open(&story, 6, 2);
    for (uint32_t place = 0; place < 6; place++)
        story.sets[place] = place < 3 ? 0x1f : 0x3e;
    story_tell(&story);
    assert_int_equal(story.confirmed, 0x3f);
    story_confirm(&story);
    assert_int_equal(story.revealed, 0);
    chorus_close(story.chorus);
}

/*
 * The victim hears that all are alive; the others hear that it is dead, so that they reveal its
 * mask key. Its upload stays hidden under its self mask, of which no share is ever told.
 */
static void isolation__victim_declared_dead_to_the_others__keeps_its_self_mask(void **state)
{
    const uint32_t victim = 2;
    struct story story;

    (void)state;
    story_open(&story, 6, 3);
    for (uint32_t place = 0; place < 6; place++)
        story.sets[place] = place == victim ? 0x3f : 0x3f & ~(1u << victim);
    story_tell(&story);
    assert_int_equal(story.confirmed, 0x3f);
    story_confirm(&story);
    assert_int_equal(story.revealed, 0x3f & ~(1u << victim));
    assert_int_equal(story.self_shares[victim], 0);
    assert_int_equal(story.mask_shares[victim], 5);
    chorus_close(story.chorus);
}

/*
 * Every holder hears that the victim is alive, and that other neighbours are dead, as many as the
 * floor allows, so that the victim's self mask and as many mask keys as possible are told. With
 * MACs over the set nobody tells anything.
 */
static void isolation__neighbours_declared_dead_in_turn__nobody_reveals(void **state)
{
    enum { COUNT = 12, DEAD = 4 }; /* t = 7, floor 8 */
    const uint32_t victim = 0;
    struct story story;

    (void)state;
    story_open(&story, COUNT, 4);
    for (uint32_t place = 0; place < COUNT; place++) {
        story.sets[place] = (1u << COUNT) - 1;
        for (uint32_t dead = 0, other = place + 1; dead < DEAD; other++) {
            if (other % COUNT == victim)
                continue;
            story.sets[place] &= ~(1u << other % COUNT);
            dead++;
        }
    }
    story_tell(&story);
    assert_int_equal(story.confirmed, (1u << COUNT) - 1);
    story_confirm(&story);
    assert_int_equal(story.revealed, 0);
    chorus_close(story.chorus);
}

/*
 * 2 (t + 1) > n: two sets cannot both be confirmed by t + 1, so whoever reveals does so for one and
 * the same sum.
 */
static void check_one_set(const struct story *story)
{
    uint32_t first = 0;

    for (uint32_t place = 0; place < story->chorus->count; place++) {
        if ((story->revealed >> place & 1) == 0)
            continue;
        if (first == 0)
            first = story->sets[place];
        assert_int_equal(story->sets[place], first);
    }
    for (uint32_t owner = 0; owner < story->chorus->count; owner++)
        assert_true(story->self_shares[owner] == 0 || story->mask_shares[owner] == 0);
}

static void survivors__any_mixture_of_sets__all_reveals_are_for_one(void **state)
{
    struct sotto_entropy entropy;
    uint32_t rounds_with_reveals = 0;

    (void)state;
    seed_open(&entropy, "secagg_equivocation");
    for (int trial = 0; trial < 60; trial++) {
        uint32_t count = 5 + (uint32_t)sotto_entropy_below(&entropy, 4);
        uint32_t all = (1u << count) - 1;
        uint32_t sets[2] = {all, all & ~(1u << sotto_entropy_below(&entropy, count))};
        struct story story;

        story_open(&story, count, sotto_entropy_u64(&entropy));
        for (uint32_t place = 0; place < count; place++)
            story.sets[place] = sets[sotto_entropy_below(&entropy, 5) == 0];
        story_tell(&story);
        story_confirm(&story);
        check_one_set(&story);
        rounds_with_reveals += story.revealed != 0;
        chorus_close(story.chorus);
    }
    assert_in_range(rounds_with_reveals, 5, 55);
}

/* The shares that `place` seals for everybody else in a cohort without `left_out`; by slot. */
static void share_without(struct chorus *chorus, uint32_t place, uint32_t left_out, uint8_t *out)
{
    struct forged_cohort forged;
    struct sotto_member_effects effects;

    forged_cohort_read(&forged, chorus);
    forged_cohort_remove(&forged, left_out);
    effects = chorus_tell(chorus, place, SOTTO_MEMBER_COHORT, forged_cohort_write(&forged, chorus));
    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    memcpy(out, effects.send.at + SOTTO_DIGEST_BYTES, effects.send.length - SOTTO_DIGEST_BYTES);
}

/*
 * Places 0 to 2 are given the cohort 0 to 4. Places 3 and 4 are given the same, or that of 1 to 5.
 * Returns what place 1 says to the shares of all of them.
 */
static enum sotto_refusal mix_cohorts(bool are_two)
{
    struct chorus_setup setup = chorus_setup_of(6, 9);
    struct chorus *chorus = chorus_open(&setup);
    uint8_t sealed[5][4 * 96];
    uint8_t inbox[1 + 4 * 96] = {0x1f};
    const uint32_t slots[] = {0, 0, 1, are_two ? 0 : 1, are_two ? 0 : 1}; /* of place 1 */
    enum sotto_refusal refusal;
    size_t length = 1;

    chorus_play_until(chorus, SOTTO_STAGE_SHARING);
    for (uint32_t place = 0; place < 5; place++) {
        share_without(chorus, place, are_two && place > 2 ? 0 : 5, sealed[place]);
        if (place == 1)
            continue;
        memcpy(inbox + length, sealed[place] + (size_t)slots[place] * 96, 96);
        length += 96;
    }
    refusal =
        chorus_tell(chorus, 1, SOTTO_MEMBER_INBOX, sotto_view_of(inbox, sizeof inbox)).refusal;
    chorus_close(chorus);
    return refusal;
}

static void cohort__two_for_two_halves__shares_between_them_do_not_open(void **state)
{
    (void)state;
    assert_int_equal(mix_cohorts(false), SOTTO_REFUSAL_NONE);
    assert_int_equal(mix_cohorts(true), SOTTO_REFUSAL_SHARE_SEALED);
}

/* The advert of place 0 under another plan, in place of the one that the cohort has. */
static void put_other_advert(struct forged_cohort *forged, struct chorus *other)
{
    struct sotto_collector_event advert = chorus_answer(other, 0);

    assert_int_equal(sotto_advert_decode(&forged->adverts[0], advert.bytes), SOTTO_OK);
}

static void plan__another_for_one_site__is_seen_by_the_coordinator(void **state)
{
    struct chorus_setup setup = chorus_setup_of(5, 5);
    struct chorus *chorus = chorus_open(&setup);
    struct sotto_collector_event advert;
    struct chorus *other;

    (void)state;
    setup.is_other_plan = true;
    other = chorus_open(&setup);
    advert = chorus_answer(other, 0);
    assert_int_equal(chorus_deliver(chorus, &advert).verdict, SOTTO_FORGED);
    chorus_close(other);
    chorus_close(chorus);
}

/*
 * The coordinator is the attacker: it brings the site of the other plan together with the rest by
 * force.
 */
static void plan__another_for_one_site__is_refused_on_both_sides(void **state)
{
    struct chorus_setup setup = chorus_setup_of(5, 5);
    struct chorus *chorus = chorus_open(&setup);
    struct forged_cohort forged;
    struct chorus *other;

    (void)state;
    setup.is_other_plan = true;
    other = chorus_open(&setup);
    chorus_play_until(chorus, SOTTO_STAGE_SHARING);
    forged_cohort_read(&forged, chorus);
    put_other_advert(&forged, other);
    forged_cohort_hash(&forged, chorus);
    assert_int_equal(
        chorus_tell(chorus, 1, SOTTO_MEMBER_COHORT, forged_cohort_write(&forged, chorus)).refusal,
        SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE);
    assert_int_equal(
        chorus_tell(other, 0, SOTTO_MEMBER_COHORT, forged_cohort_write(&forged, other)).refusal,
        SOTTO_REFUSAL_NEIGHBOUR_SIGNATURE);
    chorus_close(other);
    chorus_close(chorus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survivors__one_set_for_all__everybody_reveals),
        cmocka_unit_test(survivors__two_sets_to_two_halves__nobody_reveals),
        cmocka_unit_test(isolation__victim_declared_dead_to_the_others__keeps_its_self_mask),
        cmocka_unit_test(isolation__neighbours_declared_dead_in_turn__nobody_reveals),
        cmocka_unit_test(survivors__any_mixture_of_sets__all_reveals_are_for_one),
        cmocka_unit_test(cohort__two_for_two_halves__shares_between_them_do_not_open),
        cmocka_unit_test(plan__another_for_one_site__is_seen_by_the_coordinator),
        cmocka_unit_test(plan__another_for_one_site__is_refused_on_both_sides),
    };

    return cmocka_run_group_tests_name("secagg_equivocation", tests, NULL, NULL);
}
