/* Who is in a cohort, and whose word its roster is: organisations, known members, the authority. */
#include "participant/sealer/members.h"

#include <string.h>

#include "crypto/secagg/endorsement.h"
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

/* What the first site says to a plan as it now stands, properly signed. */
static enum sotto_refusal judge_plan(struct circle *circle)
{
    circle_begin(circle);
    circle_ready(circle, 0);
    circle->sites[0].stop_at = SOTTO_PHASE_FETCHING;
    assert_true(circle_deliver(circle, 0));
    return circle->sites[0].last.refusal;
}

static void plan__other_cap_than_the_policy__is_refused(void **state)
{
    static const struct {
        uint32_t policy;
        uint32_t plan;
        enum sotto_refusal refusal;
    } rows[] = {{0, 0, SOTTO_REFUSAL_NONE},
                {0, 128, SOTTO_REFUSAL_NONE},
                {2, 0, SOTTO_REFUSAL_POLICY_ORGANISATION},
                {2, 1, SOTTO_REFUSAL_NONE},
                {2, 2, SOTTO_REFUSAL_NONE},
                {2, 3, SOTTO_REFUSAL_POLICY_ORGANISATION}};
    struct circle *circle = *state;

    for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
        circle->plan.round++;
        circle->sites[0].policy.organisation_max = rows[row].policy;
        circle->plan.organisation_max = rows[row].plan;
        assert_int_equal(judge_plan(circle), rows[row].refusal);
    }
}

/* The coordinator seats all three; the roster that it gave the sites says that they are one. */
static void cohort__more_of_one_organisation_than_the_plan__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.organisation_max = 2;
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle->roster_message.lines[place].organisation = 1;
    circle_publish_roster(circle);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++) {
        assert_non_null(strstr(circle->sites[place].trace, "send-organisation"));
        assert_null(circle->sites[place].turn->member);
    }
}

static void cohort__as_many_of_one_organisation_as_the_plan__goes_on(void **state)
{
    struct circle *circle = *state;

    circle->plan.organisation_max = 2;
    circle->roster_message.lines[0].organisation = 1;
    circle_publish_roster(circle);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
}

static void know(struct circle *circle, uint32_t place)
{
    struct sotto_policy *policy = &circle->sites[0].policy;

    policy->known[policy->known_count++] = circle->entries[place].identity;
}

/* Three of three are needed for a sum, so that nobody whom the site knows can drop out of it. */
static void cohort__known_members__are_counted_without_this_site(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.known_min = 2;
    know(circle, 0);
    know(circle, 1);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_non_null(strstr(circle->sites[0].trace, "send-known-members"));
    assert_null(circle->sites[0].turn->member);
    circle->plan.round++;
    know(circle, 2);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
}

/* Of five, two may drop out; so three known ones guarantee one in the sum, and only one. */
static void members__known_ones_may_drop_out__more_are_demanded(void **state)
{
    static struct sotto_roster_entry entries[5];
    static struct sotto_policy policy = {.known_count = 3};
    const uint32_t ids[] = {1, 2, 3, 4, 5};
    const struct sotto_roster roster = {.entries = entries, .entry_count = 5};
    const struct sotto_site_view site = {.policy = &policy, .id = 1};
    const struct sotto_plan plan = {.organisation_max = 0};
    const struct sotto_members members = {.ids = ids, .count = 5, .sum_min = 3};

    (void)state;
    for (uint32_t place = 0; place < 5; place++) {
        entries[place].id = place + 1;
        entries[place].identity.bytes[31] = (uint8_t)place;
        entries[place].organisation = place;
        if (place >= 2)
            policy.known[place - 2] = entries[place].identity;
    }
    policy.known_min = 1;
    assert_int_equal(sotto_judge_members(&members, &roster, &plan, &site), SOTTO_REFUSAL_NONE);
    policy.known_min = 2;
    assert_int_equal(sotto_judge_members(&members, &roster, &plan, &site),
                     SOTTO_REFUSAL_KNOWN_MEMBERS);
    policy.known_min = 0;
    entries[4].id = 6;
    assert_int_equal(sotto_judge_members(&members, &roster, &plan, &site),
                     SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN);
}

static const struct sotto_secret authority = {{0x41}};

/* Puts a signature into the plan, over the roster that it names or one that differs. */
static void endorse(struct circle *circle, const struct sotto_secret *by, uint64_t epoch)
{
    struct sotto_endorsed endorsed = {.epoch = epoch, .roster = circle->plan.roster};
    struct sotto_signature signature;

    sotto_endorsement_sign(&signature, by, &endorsed);
    memcpy(circle->plan.roster_signature, signature.bytes, sizeof signature.bytes);
}

static void pin_authority(struct circle *circle)
{
    circle->sites[0].policy.has_roster_authority = true;
    sotto_ed25519_public_of(&circle->sites[0].policy.roster_authority, &authority);
}

static void roster__without_the_pinned_authority__is_refused(void **state)
{
    struct circle *circle = *state;

    pin_authority(circle);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_AUTHORITY);
    circle->plan.round++;
    endorse(circle, &circle->signing, circle->plan.roster_epoch);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_AUTHORITY);
    circle->plan.round++;
    endorse(circle, &authority, circle->plan.roster_epoch - 1);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_AUTHORITY);
}

static void roster__other_than_the_signed_one__is_refused(void **state)
{
    struct circle *circle = *state;

    pin_authority(circle);
    endorse(circle, &authority, circle->plan.roster_epoch);
    circle->roster_message.lines[2].certificate.bytes[0] ^= 1;
    circle_publish_roster(circle);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_AUTHORITY);
}

static void roster__signed_by_the_pinned_authority__goes_on(void **state)
{
    struct circle *circle = *state;

    pin_authority(circle);
    endorse(circle, &authority, circle->plan.roster_epoch);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
}

static void roster_of_epoch(struct circle *circle, uint64_t epoch)
{
    circle->plan.round++;
    circle->plan.roster_epoch = circle->roster.epoch = circle->roster_message.epoch = epoch;
    circle_publish_roster(circle);
}

/* Taking part uses the epoch up, in this life and the next; looking at a plan does not. */
static void roster__older_than_one_accepted__is_refused(void **state)
{
    struct circle *circle = *state;

    roster_of_epoch(circle, 9);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_NONE);
    roster_of_epoch(circle, 8);
    circle_bring(circle, SOTTO_PHASE_WORKING);
    roster_of_epoch(circle, 7);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_EPOCH);
    circle_restart(circle, 0);
    circle->plan.round++;
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_ROSTER_EPOCH);
    roster_of_epoch(circle, 8);
    assert_int_equal(judge_plan(circle), SOTTO_REFUSAL_NONE);
}

int main(void)
{
#define MEMBERS_TEST(test) cmocka_unit_test_setup_teardown(test, circle_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        MEMBERS_TEST(plan__other_cap_than_the_policy__is_refused),
        MEMBERS_TEST(cohort__more_of_one_organisation_than_the_plan__is_refused),
        MEMBERS_TEST(cohort__as_many_of_one_organisation_as_the_plan__goes_on),
        MEMBERS_TEST(cohort__known_members__are_counted_without_this_site),
        cmocka_unit_test(members__known_ones_may_drop_out__more_are_demanded),
        MEMBERS_TEST(roster__without_the_pinned_authority__is_refused),
        MEMBERS_TEST(roster__other_than_the_signed_one__is_refused),
        MEMBERS_TEST(roster__signed_by_the_pinned_authority__goes_on),
        MEMBERS_TEST(roster__older_than_one_accepted__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
