/*
 * The site's own accounts: what a plan must add in noise, what is charged and when, that nothing is
 * given back; and what is kept between rounds where a plan has feedback.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/privacy/accountant.h"
#include "tests/participant/sealer/circle.h"
#include "tests/support/cmocka.h"

static const double noise = 2, delta = 1e-6;

static double epsilon_after(uint32_t rounds)
{
    double total = 0;

    for (uint32_t round = 0; round < rounds; round++)
        total = sotto_accountant_add(total, sotto_accountant_charge(noise));
    return sotto_accountant_epsilon(total, delta);
}

/* A campaign with noise, and a first site that can afford so many rounds. */
static struct circle *noised_open(uint32_t affordable)
{
    struct circle *circle = circle_open();

    circle->plan.weight_max = 1;
    circle->plan.noise_multiplier = noise;
    circle->sites[0].policy.epsilon_max = epsilon_after(affordable) * 1.001;
    return circle;
}

static int noised_setup(void **state)
{
    *state = noised_open(2);
    return 0;
}

static int circle_teardown(void **state)
{
    circle_close(*state);
    return 0;
}

static enum sotto_refusal judge(struct circle *circle)
{
    circle_begin(circle);
    circle_ready(circle, 0);
    circle->sites[0].stop_at = SOTTO_PHASE_FETCHING;
    assert_true(circle_deliver(circle, 0));
    return circle->sites[0].last.refusal;
}

static void play_round(struct circle *circle)
{
    circle_begin(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle_ready(circle, place);
    circle_play(circle);
    circle->plan.round++;
}

static void budget__plan_without_noise__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.noise_multiplier = 0;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_NOISE);
}

static void budget__none__takes_plans_without_noise(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.epsilon_max = 0;
    circle->plan.noise_multiplier = 0;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_NONE);
}

/* One round alone would spend all. */
static void budget__too_little_noise__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.noise_multiplier = noise / 2;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_NOISE);
}

/* What is left would pay for it. */
static void budget__too_much_of_it_at_once__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.epsilon_round_max = epsilon_after(1) * 0.999;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_NOISE);
}

static void budget__no_more_at_once_than_one_may_cost__is_taken(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.epsilon_round_max = epsilon_after(1) * 1.001;
    play_round(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_NONE);
}

/* Each round is judged alone where there is no budget for all of them. */
static void budget__only_one_for_each_round__is_held(void **state)
{
    struct circle *circle = *state;
    struct sotto_policy *policy = &circle->sites[0].policy;

    policy->epsilon_max = 0;
    policy->epsilon_round_max = epsilon_after(1) * 1.001;
    assert_int_equal(sotto_policy_check_budget(policy, &circle->plan, 1e6), SOTTO_REFUSAL_NONE);
    circle->plan.noise_multiplier = noise / 2;
    assert_int_equal(sotto_policy_check_budget(policy, &circle->plan, 0),
                     SOTTO_REFUSAL_POLICY_NOISE);
    circle->plan.noise_multiplier = 0;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_NOISE);
}

static void budget__noise_that_cannot_be_made__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.epsilon_max = 0;
    circle->plan.weight_max = 2;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_NOISE);
}

static void budget__noise_that_could_wrap__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.ring_bits = 18;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_QUANTISER);
}

static void budget__two_rounds__take_two_and_no_third(void **state)
{
    struct circle *circle = *state;

    play_round(circle);
    play_round(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_BUDGET);
}

static void budget__other_campaign__spends_from_the_same(void **state)
{
    struct circle *circle = *state;

    play_round(circle);
    snprintf(circle->plan.campaign, sizeof circle->plan.campaign, "another");
    play_round(circle);
    snprintf(circle->plan.campaign, sizeof circle->plan.campaign, "a-third");
    assert_int_equal(judge(circle), SOTTO_REFUSAL_BUDGET);
}

static void budget__restart__changes_nothing(void **state)
{
    struct circle *circle = *state;

    play_round(circle);
    play_round(circle);
    circle_restart(circle, 0);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_BUDGET);
}

static struct sotto_record record_of(const struct circle_site *site, size_t index)
{
    struct sotto_record record;

    assert_int_equal(sotto_record_decode(&record, sotto_view_of(site->records[index].bytes,
                                                                site->records[index].length)),
                     SOTTO_OK);
    return record;
}

/* The step that sends the upload carries the record that has to be on the disk before it. */
static void charge__upload__is_in_the_record_before_it(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    uint32_t lanes[CIRCLE_LANES];
    struct sotto_buffer packed = sotto_buffer_of(site->packed, sizeof site->packed);
    struct sotto_turn_event event = {.kind = SOTTO_TURN_MASKED};
    struct sotto_record record;

    circle_bring(circle, SOTTO_PHASE_MASKING);
    for (size_t i = 0; i < site->record_count; i++)
        assert_true(record_of(site, i).charge == 0);
    assert_int_equal(sotto_contribute(site->turn, lanes, &packed, &event.digest), SOTTO_OK);
    circle_step(site, &event);
    assert_true(site->last.is_upload);
    assert_int_equal(sotto_record_decode(&record, site->last.store), SOTTO_OK);
    assert_int_equal(record.kind, SOTTO_RECORD_UPLOADED);
    assert_true(record.charge == sotto_accountant_charge(noise));
}

/* It dies with the record on the disk and the upload in its hands: that round is paid for. */
static void charge__killed_before_the_upload__is_not_given_back(void **state)
{
    struct circle *circle = *state;

    for (uint32_t life = 0; life < 2; life++) {
        struct circle_site *site = &circle->sites[0];
        uint32_t lanes[CIRCLE_LANES];
        struct sotto_buffer packed = sotto_buffer_of(site->packed, sizeof site->packed);
        struct sotto_turn_event event = {.kind = SOTTO_TURN_MASKED};

        circle_bring(circle, SOTTO_PHASE_MASKING);
        assert_int_equal(sotto_contribute(site->turn, lanes, &packed, &event.digest), SOTTO_OK);
        circle_step(site, &event);
        circle_restart(circle, 0);
        circle->plan.round++;
    }
    assert_int_equal(judge(circle), SOTTO_REFUSAL_BUDGET);
}

/* A round that ends before the upload costs nothing. */
static void charge__round_left_before_the_upload__is_none(void **state)
{
    struct circle *circle = *state;

    for (uint32_t round = 0; round < 3; round++) {
        circle_bring(circle, SOTTO_PHASE_WORKING);
        circle_restart(circle, 0);
        circle->plan.round++;
    }
    assert_true(circle->sites[0].turn->history.rho == 0);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_NONE);
}

static void charge__upload_without_noise__is_counted_apart(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.epsilon_max = 0;
    circle->plan.noise_multiplier = 0;
    play_round(circle);
    assert_true(circle->sites[0].turn->history.rho == 0);
    assert_int_equal(circle->sites[0].turn->history.plain_count, 1);
}

/*
 * Whether an adapter makes training diverge may hang on one example. A site that left the round for
 * it would tell, without noise and free of charge.
 */
static void charge__update_that_is_not_finite__is_uploaded_all_the_same(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];

    site->values[3] = (float)NAN;
    play_round(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
    assert_true(site->turn->history.rho == sotto_accountant_add(0, sotto_accountant_charge(noise)));
}

static void charge__training_failed__is_uploaded_all_the_same(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];

    circle_bring(circle, SOTTO_PHASE_WORKING);
    site->stop_at = SOTTO_PHASE_COUNT;
    circle_drive(circle, 0, &(struct sotto_turn_event){.kind = SOTTO_TURN_TRAINER_LOST});
    assert_int_equal(site->last.refusal, SOTTO_REFUSAL_NONE);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
    assert_true(site->turn->history.rho == sotto_accountant_add(0, sotto_accountant_charge(noise)));
    circle->plan.round++;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_NONE);
}

/* Noise of 46340 steps, added to 819 of update. */
static void noise__lanes__are_not_the_update(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    unsigned far = 0;

    play_round(circle);
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        far += abs((int32_t)site->plain[lane] - 819) > 3000;
    assert_in_range(far, CIRCLE_VALUES - 4, CIRCLE_VALUES);
    assert_int_equal(site->plain[CIRCLE_VALUES], 1);
}

static int feedback_setup(void **state)
{
    struct circle *circle = circle_open();

    circle->plan.feedback = 1;
    circle->plan.value_bits = 8;
    *state = circle;
    return 0;
}

/* Of the update 0.25: 3.175 steps of 10 / 127. */
static double sent_by(const struct circle_site *site, size_t lane)
{
    return (int32_t)site->plain[lane] / (double)site->plain[CIRCLE_VALUES] * 10 / 127;
}

static void feedback__second_round__makes_up_for_the_first(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    double first[CIRCLE_VALUES];
    const float *kept;

    play_round(circle);
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        first[lane] = sent_by(site, lane);
    kept = site->turn->rest.parts[0].values;
    assert_non_null(kept);
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        assert_true(fabs(first[lane] + (double)kept[lane] - 0.25) < 1e-6);
    play_round(circle);
    for (size_t lane = 0; lane < CIRCLE_VALUES; lane++)
        assert_true(fabs(first[lane] + sent_by(site, lane) + (double)kept[lane] - 0.5) < 1e-6);
}

static bool rest_is_wiped(const struct circle_site *site)
{
    for (size_t i = 0; i < CIRCLE_VALUES * sizeof(float); i++)
        if (site->rest.memory[i] != 0)
            return false;
    return site->turn->rest.parts[0].values == NULL;
}

static void feedback__other_campaign__wipes_what_was_kept(void **state)
{
    struct circle *circle = *state;

    play_round(circle);
    assert_false(rest_is_wiped(&circle->sites[0]));
    snprintf(circle->plan.campaign, sizeof circle->plan.campaign, "another");
    assert_int_equal(judge(circle), SOTTO_REFUSAL_NONE);
    assert_true(rest_is_wiped(&circle->sites[0]));
}

static void feedback__refusal__wipes_what_was_kept(void **state)
{
    struct circle *circle = *state;

    play_round(circle);
    circle->plan.clip_norm = 11;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_CLIP);
    assert_true(rest_is_wiped(&circle->sites[0]));
}

static void feedback__last_outcome__wipes_what_was_kept(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    uint8_t body[SOTTO_OUTCOME_BYTES_MAX], mail[SOTTO_MAIL_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(body, sizeof body);
    struct sotto_outcome outcome = {.kind = SOTTO_OUTCOME_ABANDONED,
                                    .round = 9,
                                    .is_last = true,
                                    .adapter = circle->plan.adapter,
                                    .layout = circle->plan.layout,
                                    .reason = "enough"};
    struct sotto_signature signature;

    play_round(circle);
    circle->plan.round = 9;
    memcpy(outcome.campaign, circle->plan.campaign, sizeof outcome.campaign);
    assert_int_equal(sotto_outcome_encode(&buffer, &outcome), SOTTO_OK);
    sotto_sign(&signature, &circle->signing, "sotto/1 outcome", sotto_view_buffer(&buffer));
    circle_step(site, &(struct sotto_turn_event){
                          .kind = SOTTO_TURN_MAIL,
                          .bytes = circle_mail_of(circle, mail, SOTTO_MAIL_OUTCOME,
                                                  sotto_view_buffer(&buffer), &signature)});
    assert_true(rest_is_wiped(site));
}

static void feedback__no_room_for_it__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].turn->rest.arena = NULL;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_LAYOUT);
}

int main(void)
{
#define NOISED(test)   cmocka_unit_test_setup_teardown(test, noised_setup, circle_teardown)
#define FEEDBACK(test) cmocka_unit_test_setup_teardown(test, feedback_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        NOISED(budget__plan_without_noise__is_refused),
        NOISED(budget__none__takes_plans_without_noise),
        NOISED(budget__too_little_noise__is_refused),
        NOISED(budget__too_much_of_it_at_once__is_refused),
        NOISED(budget__no_more_at_once_than_one_may_cost__is_taken),
        NOISED(budget__only_one_for_each_round__is_held),
        NOISED(budget__noise_that_cannot_be_made__is_refused),
        NOISED(budget__noise_that_could_wrap__is_refused),
        NOISED(budget__two_rounds__take_two_and_no_third),
        NOISED(budget__other_campaign__spends_from_the_same),
        NOISED(budget__restart__changes_nothing),
        NOISED(charge__upload__is_in_the_record_before_it),
        NOISED(charge__killed_before_the_upload__is_not_given_back),
        NOISED(charge__round_left_before_the_upload__is_none),
        NOISED(charge__upload_without_noise__is_counted_apart),
        NOISED(charge__update_that_is_not_finite__is_uploaded_all_the_same),
        NOISED(charge__training_failed__is_uploaded_all_the_same),
        NOISED(noise__lanes__are_not_the_update),
        FEEDBACK(feedback__second_round__makes_up_for_the_first),
        FEEDBACK(feedback__other_campaign__wipes_what_was_kept),
        FEEDBACK(feedback__refusal__wipes_what_was_kept),
        FEEDBACK(feedback__last_outcome__wipes_what_was_kept),
        FEEDBACK(feedback__no_room_for_it__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
