#include <math.h>
#include <stdio.h>
#include <string.h>

#include "crypto/primitives/hash.h"
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

/* What the site says to a plan as it now stands, properly signed. */
static enum sotto_refusal judge(struct circle *circle)
{
    circle_begin(circle);
    circle_ready(circle, 0);
    circle->sites[0].stop_at = SOTTO_PHASE_FETCHING;
    assert_true(circle_deliver(circle, 0));
    return circle->sites[0].last.refusal;
}

static void plan__honest__is_accepted(void **state)
{
    assert_int_equal(judge(*state), SOTTO_REFUSAL_NONE);
}

static void plan__smaller_cohort_than_the_policy__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.cohort_min = 4;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_COHORT);
}

static void plan__fewer_survivors_than_the_policy__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.cohort_min = circle->plan.cohort_max = 4;
    circle->sites[0].policy.survivors_min = 4;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_SURVIVORS);
}

static void plan__fewer_colluders_than_the_policy__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.corrupt_fraction = nextafter(0.05, 0);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_CORRUPT);
}

static void plan__longer_clip_than_the_policy__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.clip_norm = nextafter(10, 11);
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_CLIP);
}

static void plan__more_epochs_than_the_policy__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.recipe.epochs = 21;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_POLICY_WORK);
}

static void plan__other_base_model_than_the_loaded_one__is_refused(void **state)
{
    struct circle *circle = *state;

    circle_begin(circle);
    circle_drive(circle, 0, &(struct sotto_turn_event){.kind = SOTTO_TURN_TRAINER_READY});
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_BASE_MODEL);
}

static void plan__other_base_model_than_the_pinned_one__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.has_base_model = true;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_BASE_MODEL);
}

static void plan__other_roster_than_the_pinned_one__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].policy.has_roster = true;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_ROSTER);
}

static void plan__other_protocol__is_refused(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};
    struct sotto_buffer buffer = sotto_buffer_of(circle->plan_bytes, sizeof circle->plan_bytes);

    snprintf(circle->plan.protocol, sizeof circle->plan.protocol, "plain-sum");
    assert_int_equal(sotto_plan_encode(&buffer, &circle->plan), SOTTO_OK);
    circle->plan_length = buffer.length;
    sotto_sign(&circle->plan_signature, &circle->signing, "sotto/1 plan",
               sotto_view_buffer(&buffer));
    circle_step(&circle->sites[0],
                &(struct sotto_turn_event){.kind = SOTTO_TURN_TRAINER_READY,
                                           .base_model = circle->plan.base_model});
    mail.bytes = circle_plan_mail(circle, bytes);
    circle_step(&circle->sites[0], &mail);
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_PLAN_MALFORMED);
}

static void plan__more_lanes_than_memory__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.lane_count = CIRCLE_LANES + 1024;
    assert_int_equal(judge(circle), SOTTO_REFUSAL_LAYOUT);
}

static void plan__every_altered_byte__is_refused_for_its_signature(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle_begin(circle);
    circle_ready(circle, 0);
    for (size_t index = 0; index < circle->plan_length; index++) {
        circle->sites[0].trace[0] = '\0';
        circle->sites[0].record_count = 0;
        circle->plan_bytes[index] ^= 0x40;
        mail.bytes = circle_plan_mail(circle, bytes);
        circle->plan_bytes[index] ^= 0x40;
        circle_step(&circle->sites[0], &mail);
        assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_PLAN_SIGNATURE);
    }
}

static void plan__in_a_mail_of_another_round__is_refused(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle_begin(circle);
    circle_ready(circle, 0);
    circle->plan.round = 2;
    mail.bytes = circle_plan_mail(circle, bytes);
    circle_step(&circle->sites[0], &mail);
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_PLAN_MALFORMED);
}

/* The refusal is given each time; the ledger has it once, in this life and the next. */
static void plan__refused_again__is_recorded_once(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle->sites[0].policy.cohort_min = 4;
    circle_begin(circle);
    mail.bytes = circle_plan_mail(circle, bytes);
    for (uint32_t life = 0; life < 2; life++) {
        circle_ready(circle, 0);
        for (uint32_t time = 0; time < 3; time++) {
            circle_step(&circle->sites[0], &mail);
            assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_POLICY_COHORT);
            assert_int_equal(circle->sites[0].record_count, 1);
        }
        circle_restart(circle, 0);
    }
}

/* An honest plan, but this item comes altered. */
static enum sotto_refusal judge_item(struct circle *circle, enum sotto_item_kind kind)
{
    uint8_t *bytes[] = {circle->roster_bytes, circle->layout_bytes, (uint8_t *)circle->adapter};

    circle_begin(circle);
    circle_ready(circle, 0);
    bytes[kind - SOTTO_ITEM_ROSTER][9] ^= 1;
    assert_true(circle_deliver(circle, 0));
    return circle->sites[0].refused;
}

static void item__altered_roster__is_refused(void **state)
{
    assert_int_equal(judge_item(*state, SOTTO_ITEM_ROSTER), SOTTO_REFUSAL_ROSTER);
}

static void item__altered_layout__is_refused(void **state)
{
    assert_int_equal(judge_item(*state, SOTTO_ITEM_LAYOUT), SOTTO_REFUSAL_LAYOUT);
}

static void item__altered_adapter__is_refused(void **state)
{
    const struct circle *circle = *state;

    assert_int_equal(judge_item(*state, SOTTO_ITEM_ADAPTER), SOTTO_REFUSAL_ADAPTER);
    assert_string_equal(circle->sites[0].detail, "tensor base_model.model.classifier.weight of the "
                                                 "adapter is not the one in its manifest");
}

static void item__cut_adapter__is_refused_by_the_tensor_in_which_it_ends(void **state)
{
    struct circle *circle = *state;

    circle->adapter_cut = 2 * SOTTO_DIGEST_BYTES + 10;
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].refused, SOTTO_REFUSAL_ADAPTER);
    assert_non_null(strstr(circle->sites[0].detail, "it ends at base_model.model.classifier."));
}

/* A whole adapter, but not the one that the plan names: no tensor of it is wrong. */
static void item__another_whole_adapter__is_refused(void **state)
{
    struct circle *circle = *state;

    memcpy(circle->adapter, circle->next_adapter, sizeof circle->adapter);
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].refused, SOTTO_REFUSAL_ADAPTER);
    assert_string_equal(circle->sites[0].detail, "the adapter is another one than was named");
}

/* What was wrong with an adapter is said once, and of nothing that comes after it. */
static void item__refused__its_detail_is_of_that_step_alone(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];

    circle->adapter[0] += 1;
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_not_equal(site->detail[0], '\0');
    circle_step(site, &(struct sotto_turn_event){.kind = SOTTO_TURN_MAIL,
                                                 .bytes = sotto_view_text("no mail")});
    assert_string_equal(site->last.detail, "");
}

/* What comes home after a round is no matter of refusal: it is not adopted, and its people hear. */
static void item__altered_on_its_way_home__is_not_adopted(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    ((uint8_t *)circle->next_adapter)[17 * sizeof(float)] ^= 1;
    circle_play(circle);
    assert_int_equal(site->turn->phase, SOTTO_PHASE_IDLE);
    assert_int_equal(site->refused, SOTTO_REFUSAL_NONE);
    assert_null(strstr(site->trace, "adopt"));
    assert_string_equal(site->detail, "tensor base_model.model.classifier.bias of the adapter is "
                                      "not the one in its manifest");
}

/* Rank 1 on the queries, of which a round trains B and the classifier: 26 lanes of 34. */
static void half_plan(struct circle *circle)
{
    static const struct sotto_arch arch = {.width = 8,
                                           .mlp_width = 16,
                                           .block_count = 1,
                                           .head_count = 2,
                                           .kv_head_count = 2,
                                           .head_width = 4};
    const struct sotto_adapter_choice choice = {
        .rank = 1, .alpha = 1, .target_set = 1, .label_count = 2, .labels = {"left", "right"}};
    struct sotto_buffer out = sotto_buffer_of(circle->layout_bytes, SOTTO_LAYOUT_BYTES_MAX);
    struct sotto_view bytes;

    assert_int_equal(sotto_layout_derive(&circle->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_encode(&out, &circle->layout), SOTTO_OK);
    circle->layout_length = out.length;
    bytes = sotto_view_buffer(&out);
    sotto_hash_list(&circle->plan.layout, "sotto/1 layout", &bytes, 1);
    circle->plan.trained = SOTTO_TRAINED_B;
    circle->plan.lane_count = 27;
}

static void layout__of_more_lanes_than_there_is_room__is_refused_before_the_adapter(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    const size_t room[] = {sotto_turn_bytes(34, 27), sotto_turn_bytes(34, 27) - 1};

    half_plan(circle);
    circle_begin(circle);
    for (int is_short = 0; is_short < 2; is_short++) {
        site->arena_bytes = room[is_short];
        circle_restart(circle, 0);
        circle_ready(circle, 0);
        site->stop_at = SOTTO_PHASE_FETCHING;
        assert_true(circle_deliver(circle, 0));
        assert_int_equal(site->last.fetch_count, 3);
        circle_step(site, &(struct sotto_turn_event){
                              .kind = SOTTO_TURN_FETCHED,
                              .item = SOTTO_ITEM_LAYOUT,
                              .bytes = sotto_view_of(circle->layout_bytes, circle->layout_length)});
        assert_int_equal(site->last.refusal, is_short ? SOTTO_REFUSAL_LAYOUT : SOTTO_REFUSAL_NONE);
    }
    assert_non_null(strstr(site->detail, "an adapter of 34 values with 27 in a round takes"));
}

static void item__not_there__is_refused_by_its_name(void **state)
{
    static const enum sotto_refusal refusals[] = {SOTTO_REFUSAL_ROSTER, SOTTO_REFUSAL_LAYOUT,
                                                  SOTTO_REFUSAL_ADAPTER};
    struct circle *circle = *state;

    for (uint32_t kind = 0; kind < 3; kind++) {
        circle->plan.round = kind + 1;
        circle_bring(circle, SOTTO_PHASE_FETCHING);
        circle_step(&circle->sites[0],
                    &(struct sotto_turn_event){.kind = SOTTO_TURN_NOT_FETCHED,
                                               .item = (enum sotto_item_kind)(kind + 1)});
        assert_int_equal(circle->sites[0].last.refusal, refusals[kind]);
    }
}

static void item__roster_without_this_site__is_refused(void **state)
{
    struct circle *circle = *state;

    sotto_entropy_fill(&circle->sites[0].entropy, circle->sites[0].turn->site.identity.bytes, 32);
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_ROSTER);
}

static void item__roster_of_another_epoch__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->plan.roster_epoch = 6;
    circle->roster.epoch = 6;
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_ROSTER);
}

static void item__larger_than_such_an_item__is_refused(void **state)
{
    static uint8_t large[SOTTO_ROSTER_BYTES_MAX + 1];
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_FETCHING);
    circle_step(&circle->sites[0],
                &(struct sotto_turn_event){.kind = SOTTO_TURN_FETCHED,
                                           .item = SOTTO_ITEM_ROSTER,
                                           .bytes = sotto_view_of(large, sizeof large)});
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_ROSTER);
}

static void trainer__loaded_other_bytes__is_refused(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_LOADING);
    circle_step(&circle->sites[0], &(struct sotto_turn_event){.kind = SOTTO_TURN_LOADED,
                                                              .layout = circle->plan.layout,
                                                              .adapter = circle->next});
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_ADAPTER);
}

static void trainer__update_of_another_length__is_refused(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_WORKING);
    circle_step(&circle->sites[0], &(struct sotto_turn_event){.kind = SOTTO_TURN_UPDATE,
                                                              .values = circle->sites[0].values,
                                                              .value_count = CIRCLE_VALUES - 1,
                                                              .weight = 1});
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_UPDATE);
}

static void trainer__no_example__is_refused(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].weight = 0;
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_UPDATE);
}

static void cohort__one_less_from_the_same_adapter__is_refused(void **state)
{
    struct circle *circle = *state;
    struct sotto_record earlier = {.kind = SOTTO_RECORD_REVEALED,
                                   .campaign = "other",
                                   .round = 1,
                                   .start = circle->plan.adapter,
                                   .member_count = 4,
                                   .members = {1, 2, 3, 9}};

    sotto_history_add(&circle->sites[0].turn->history, &earlier);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle->sites[0].trace[0] = '\0';
    circle_play(circle);
    assert_non_null(strstr(circle->sites[0].trace, "send-differencing"));
}

static void cohort__one_less_from_another_adapter__is_refused_if_strict(void **state)
{
    struct circle *circle = *state;
    struct sotto_record earlier = {
        .kind = SOTTO_RECORD_REVEALED, .member_count = 4, .members = {1, 2, 3, 9}};

    memcpy(earlier.campaign, circle->plan.campaign, sizeof earlier.campaign);
    circle->sites[0].policy.refuse_close_cohorts = true;
    for (uint32_t place = 0; place < 2; place++)
        sotto_history_add(&circle->sites[place].turn->history, &earlier);
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_non_null(strstr(circle->sites[0].trace, "send-differencing"));
    assert_null(strstr(circle->sites[1].trace, "send-differencing"));
}

int main(void)
{
#define REFUSAL_TEST(test) cmocka_unit_test_setup_teardown(test, circle_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        REFUSAL_TEST(plan__honest__is_accepted),
        REFUSAL_TEST(plan__smaller_cohort_than_the_policy__is_refused),
        REFUSAL_TEST(plan__fewer_survivors_than_the_policy__is_refused),
        REFUSAL_TEST(plan__fewer_colluders_than_the_policy__is_refused),
        REFUSAL_TEST(plan__longer_clip_than_the_policy__is_refused),
        REFUSAL_TEST(plan__more_epochs_than_the_policy__is_refused),
        REFUSAL_TEST(plan__other_base_model_than_the_loaded_one__is_refused),
        REFUSAL_TEST(plan__other_base_model_than_the_pinned_one__is_refused),
        REFUSAL_TEST(plan__other_roster_than_the_pinned_one__is_refused),
        REFUSAL_TEST(plan__other_protocol__is_refused),
        REFUSAL_TEST(plan__more_lanes_than_memory__is_refused),
        REFUSAL_TEST(plan__every_altered_byte__is_refused_for_its_signature),
        REFUSAL_TEST(plan__in_a_mail_of_another_round__is_refused),
        REFUSAL_TEST(plan__refused_again__is_recorded_once),
        REFUSAL_TEST(item__altered_roster__is_refused),
        REFUSAL_TEST(item__altered_layout__is_refused),
        REFUSAL_TEST(item__altered_adapter__is_refused),
        REFUSAL_TEST(item__cut_adapter__is_refused_by_the_tensor_in_which_it_ends),
        REFUSAL_TEST(item__another_whole_adapter__is_refused),
        REFUSAL_TEST(item__refused__its_detail_is_of_that_step_alone),
        REFUSAL_TEST(item__altered_on_its_way_home__is_not_adopted),
        REFUSAL_TEST(layout__of_more_lanes_than_there_is_room__is_refused_before_the_adapter),
        REFUSAL_TEST(item__not_there__is_refused_by_its_name),
        REFUSAL_TEST(item__roster_without_this_site__is_refused),
        REFUSAL_TEST(item__roster_of_another_epoch__is_refused),
        REFUSAL_TEST(item__larger_than_such_an_item__is_refused),
        REFUSAL_TEST(trainer__loaded_other_bytes__is_refused),
        REFUSAL_TEST(trainer__update_of_another_length__is_refused),
        REFUSAL_TEST(trainer__no_example__is_refused),
        REFUSAL_TEST(cohort__one_less_from_the_same_adapter__is_refused),
        REFUSAL_TEST(cohort__one_less_from_another_adapter__is_refused_if_strict),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
