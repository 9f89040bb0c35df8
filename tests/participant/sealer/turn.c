#include "participant/sealer/turn.h"

#include <stdio.h>
#include <string.h>

#include "crypto/primitives/hkdf.h"
#include "tests/participant/sealer/circle.h"
#include "tests/support/cmocka.h"

/* A circle for each test. */
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

static const char golden_trace[] = "\n"
                                   " f f f\n"
                                   "\n"
                                   "\n"
                                   " load\n"
                                   " store-joined send-answer-1 train\n"
                                   "\n"
                                   " send-answer-2\n"
                                   " contribute\n"
                                   " store-uploaded upload\n"
                                   " store-answered send-answer-4\n"
                                   " store-revealed send-answer-5\n"
                                   " f\n"
                                   " load\n"
                                   " adopt finished\n"
                                   " store-adopted\n";

static void turn__whole_round__leaves_the_golden_trace(void **state)
{
    struct circle *circle = *state;

    circle_begin(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle_ready(circle, place);
    circle_play(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        assert_string_equal(circle->sites[place].trace, golden_trace);
}

static void turn__whole_round__sum_is_that_of_the_plain_lanes(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
    for (size_t lane = 0; lane < CIRCLE_LANES; lane++) {
        uint32_t sum = 0;

        for (uint32_t place = 0; place < CIRCLE_SITES; place++)
            sum += circle->sites[place].plain[lane];
        assert_int_equal(circle->sum[lane], sum);
    }
    assert_int_equal(circle->sum[CIRCLE_VALUES], 1 + 2 + 3);
}

static void turn__next_round__fetches_only_what_it_lacks(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    circle->plan.round = 2;
    circle->plan.adapter = circle->next;
    circle_begin(circle);
    circle->sites[0].trace[0] = '\0';
    circle->sites[0].stop_at = SOTTO_PHASE_LOADING;
    assert_true(circle_deliver(circle, 0));
    assert_string_equal(circle->sites[0].trace, " load\n");
}

static void turn__plan_while_adopting__is_looked_at_afterwards(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];

    circle_bring(circle, SOTTO_PHASE_ADOPTING);
    circle->plan.round = 2;
    circle->plan.adapter = circle->next;
    circle_begin(circle);
    site->trace[0] = '\0';
    site->stop_at = SOTTO_PHASE_LOADING;
    assert_true(circle_deliver(circle, 0));
    circle_drive(circle, 0,
                 &(struct sotto_turn_event){.kind = SOTTO_TURN_ADOPTED, .is_kept = true});
    assert_string_equal(site->trace, "\n store-adopted load\n");
}

static void turn__plan_before_the_trainer__waits_for_it(void **state)
{
    struct circle *circle = *state;

    circle_begin(circle);
    circle->sites[0].stop_at = SOTTO_PHASE_FETCHING;
    assert_true(circle_deliver(circle, 0));
    circle_ready(circle, 0);
    assert_string_equal(circle->sites[0].trace, "\n f f f\n");
}

static void turn__same_plan_again__changes_nothing(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_WORKING);
    circle->sites[0].trace[0] = '\0';
    circle->sites[0].seen = SOTTO_MAIL_NONE;
    circle_begin(circle);
    circle->sites[0].stop_at = SOTTO_PHASE_WORKING;
    assert_true(circle_deliver(circle, 0));
    assert_string_equal(circle->sites[0].trace, "\n");
    assert_int_equal(circle->sites[0].turn->phase, SOTTO_PHASE_WORKING);
}

static void turn__newer_plan__leaves_the_round_for_it(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    circle->plan.round = 9;
    circle_begin(circle);
    circle->sites[0].stop_at = SOTTO_PHASE_LOADING;
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_NONE);
    assert_int_equal(sotto_turn_plan(circle->sites[0].turn)->round, 9);
}

static void turn__restarted_after_the_advert__refuses_the_round(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_WORKING);
    circle_restart(circle, 0);
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_ROUND_NOT_NEW);
    assert_true(circle->sites[0].last.is_refusal_notice);
    assert_int_equal(circle->sites[0].last.send.at[0], SOTTO_REFUSAL_ROUND_NOT_NEW);
}

static void turn__restarted_before_the_advert__may_join(void **state)
{
    struct circle *circle = *state;

    circle_bring(circle, SOTTO_PHASE_LOADING);
    circle_restart(circle, 0);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    assert_int_equal(circle->sites[0].last.refusal, SOTTO_REFUSAL_NONE);
}

static void turn__restarted_site__still_takes_the_adapter_home(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle_bring(circle, SOTTO_PHASE_CLOSING);
    circle_restart(circle, 0);
    circle_begin(circle);
    circle_ready(circle, 0);
    assert_true(circle_deliver(circle, 0));
    mail.bytes = circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_FINISHED);
    circle->sites[0].stop_at = SOTTO_PHASE_ADOPTING;
    circle_drive(circle, 0, &mail);
    assert_int_equal(circle->sites[0].last.order, SOTTO_ORDER_ADOPT);
}

static void turn__outcome_again_after_a_restart__is_not_fetched(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    circle_restart(circle, 0);
    circle_ready(circle, 0);
    mail.bytes = circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_FINISHED);
    circle_step(&circle->sites[0], &mail);
    assert_int_equal(circle->sites[0].last.fetch_count, 0);
    assert_true(circle->sites[0].last.is_finished);
}

static void turn__adapter_not_kept__is_taken_again(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event mail = {.kind = SOTTO_TURN_MAIL};

    circle_bring(circle, SOTTO_PHASE_ADOPTING);
    circle_step(&circle->sites[0], &(struct sotto_turn_event){.kind = SOTTO_TURN_ADOPTED});
    assert_int_equal(circle->sites[0].last.store.length, 0);
    mail.bytes = circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_FINISHED);
    circle_step(&circle->sites[0], &mail);
    assert_int_equal(circle->sites[0].last.order, SOTTO_ORDER_LOAD);
}

/* 16 bytes of a value that only a running round knows. */
static bool arena_holds(const struct sotto_arena *arena, const void *needle, size_t length)
{
    return memmem(arena->memory, arena->capacity, needle, length) != NULL;
}

/* What the site's entropy gives next: the seed, if the round is about to begin. */
static struct sotto_secret next_seed(const struct circle_site *site)
{
    struct sotto_entropy ahead = site->entropy;
    struct sotto_secret seed;

    sotto_entropy_fill(&ahead, seed.bytes, sizeof seed.bytes);
    return seed;
}

/* The member forgets its keys one by one; the seed would give all of them again. */
static void turn__advert__leaves_no_seed_in_memory(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    struct sotto_secret seed = next_seed(site);

    circle_bring(circle, SOTTO_PHASE_WORKING);
    assert_non_null(site->turn->member);
    assert_false(arena_holds(&site->arena, seed.bytes, 16));
}

static void turn__refusal__leaves_no_keys_and_no_update_in_memory(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    struct sotto_secret seed = next_seed(site);
    struct sotto_secret beta;

    circle_bring(circle, SOTTO_PHASE_WORKING);
    sotto_hkdf(&beta, sotto_view_of(seed.bytes, sizeof seed.bytes),
               sotto_view_digest(&site->turn->context), sotto_view_text("sotto/1 self mask"));
    circle_step(site, &(struct sotto_turn_event){.kind = SOTTO_TURN_UPDATE,
                                                 .values = site->values,
                                                 .value_count = CIRCLE_VALUES,
                                                 .weight = 1});
    assert_true(arena_holds(&site->arena, beta.bytes, 16));
    assert_true(arena_holds(&site->arena, site->values, 16));
    circle_step(site, &(struct sotto_turn_event){.kind = SOTTO_TURN_TRAINER_LOST});
    assert_int_equal(site->last.refusal, SOTTO_REFUSAL_UPDATE);
    assert_false(arena_holds(&site->arena, beta.bytes, 16));
    assert_false(arena_holds(&site->arena, site->values, 16));
    assert_null(sotto_turn_plan(site->turn));
}

static void turn__encoded_update__is_wiped(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    uint32_t lanes[CIRCLE_LANES];

    circle_bring(circle, SOTTO_PHASE_MASKING);
    assert_true(arena_holds(&site->arena, site->values, 16));
    assert_int_equal(sotto_turn_encode(site->turn, lanes), SOTTO_OK);
    assert_false(arena_holds(&site->arena, site->values, 16));
    assert_int_equal(sotto_turn_encode(site->turn, lanes), SOTTO_UNEXPECTED);
}

static void turn__hidden_twice__is_unexpected(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    uint8_t packed[CIRCLE_PACKED_BYTES];
    struct sotto_buffer buffer = sotto_buffer_of(packed, sizeof packed);
    uint32_t lanes[CIRCLE_LANES];
    struct sotto_digest digest;

    circle_bring(circle, SOTTO_PHASE_MASKING);
    assert_int_equal(sotto_contribute(site->turn, lanes, &buffer, &digest), SOTTO_OK);
    assert_int_equal(sotto_turn_hide(site->turn, lanes, &buffer, &digest), SOTTO_UNEXPECTED);
}

static void turn__update_that_is_no_number__is_refused(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = &circle->sites[0];
    uint32_t lanes[CIRCLE_LANES];

    site->values[3] = 0.0f / 0.0f;
    circle_bring(circle, SOTTO_PHASE_MASKING);
    assert_int_equal(sotto_turn_encode(site->turn, lanes), SOTTO_MALFORMED);
    circle_step(site, &(struct sotto_turn_event){.kind = SOTTO_TURN_MASKED});
    assert_int_equal(site->last.refusal, SOTTO_REFUSAL_UPDATE);
}

static void turn__heavy_site__weighs_what_plan_and_policy_allow(void **state)
{
    struct circle *circle = *state;

    circle->sites[0].weight = 1000000;
    circle->sites[1].weight = 1000000;
    circle->sites[1].policy.weight_max = 50;
    circle_bring(circle, SOTTO_PHASE_IDLE);
    circle_play(circle);
    assert_int_equal(circle->sites[0].plain[CIRCLE_VALUES], circle->plan.weight_max);
    assert_int_equal(circle->sites[1].plain[CIRCLE_VALUES], 50);
}

int main(void)
{
#define TURN_TEST(test) cmocka_unit_test_setup_teardown(test, circle_setup, circle_teardown)
    const struct CMUnitTest tests[] = {
        TURN_TEST(turn__whole_round__leaves_the_golden_trace),
        TURN_TEST(turn__whole_round__sum_is_that_of_the_plain_lanes),
        TURN_TEST(turn__next_round__fetches_only_what_it_lacks),
        TURN_TEST(turn__plan_while_adopting__is_looked_at_afterwards),
        TURN_TEST(turn__plan_before_the_trainer__waits_for_it),
        TURN_TEST(turn__same_plan_again__changes_nothing),
        TURN_TEST(turn__newer_plan__leaves_the_round_for_it),
        TURN_TEST(turn__restarted_after_the_advert__refuses_the_round),
        TURN_TEST(turn__restarted_before_the_advert__may_join),
        TURN_TEST(turn__restarted_site__still_takes_the_adapter_home),
        TURN_TEST(turn__outcome_again_after_a_restart__is_not_fetched),
        TURN_TEST(turn__adapter_not_kept__is_taken_again),
        TURN_TEST(turn__refusal__leaves_no_keys_and_no_update_in_memory),
        TURN_TEST(turn__advert__leaves_no_seed_in_memory),
        TURN_TEST(turn__encoded_update__is_wiped),
        TURN_TEST(turn__hidden_twice__is_unexpected),
        TURN_TEST(turn__update_that_is_no_number__is_refused),
        TURN_TEST(turn__heavy_site__weighs_what_plan_and_policy_allow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
