/* Masks that are made while the trainer works: the same upload, and nothing left behind. */
#include "participant/sealer/veil.h"

#include <string.h>

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

/* The first site trains, and its masks are made; the round goes on without it. */
static struct circle_site *bring_to_veil(struct circle *circle)
{
    struct circle_site *site = &circle->sites[0];

    site->trains_long = true;
    site->stop_at = SOTTO_PHASE_MASKING;
    circle_begin(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle_ready(circle, place);
    circle_play(circle);
    assert_int_equal(site->turn->phase, SOTTO_PHASE_WORKING);
    assert_non_null(site->turn->veil);
    return site;
}

/* A whole round; what the sites sent is left in the circle. */
static void play(struct circle *circle, bool trains_long)
{
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle->sites[place].trains_long = trains_long;
    circle_begin(circle);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        circle_ready(circle, place);
    circle_play(circle);
    assert_int_equal(sotto_round_phase(circle->round), SOTTO_ROUND_FINISHED);
}

static struct sotto_turn_event update_of(const struct circle_site *site)
{
    return (struct sotto_turn_event){.kind = SOTTO_TURN_UPDATE,
                                     .values = site->values,
                                     .value_count = CIRCLE_VALUES,
                                     .weight = 1};
}

static bool arena_holds(const struct sotto_arena *arena, const void *needle, size_t length)
{
    return memmem(arena->memory, arena->capacity, needle, length) != NULL;
}

static void veil__long_training__is_made_before_the_update(void **state)
{
    struct circle *circle = *state;

    play(circle, true);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        assert_non_null(strstr(circle->sites[place].trace, " expand\n contribute\n"));
}

static void veil__update_before_the_inbox__is_not_made(void **state)
{
    struct circle *circle = *state;

    play(circle, false);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        assert_null(strstr(circle->sites[place].trace, "expand"));
}

/* The sites' seeds are the same in both circles. */
static void veil__made_or_not__gives_the_same_upload(void **state)
{
    struct circle *with = *state;
    struct circle *without = circle_open();

    play(with, true);
    play(without, false);
    for (uint32_t place = 0; place < CIRCLE_SITES; place++)
        assert_memory_equal(with->sites[place].packed, without->sites[place].packed,
                            CIRCLE_PACKED_BYTES);
    assert_memory_equal(with->sum, without->sum, sizeof with->sum);
    circle_close(without);
}

/* A driver that has no time for the job loses time later, and nothing else. */
static void veil__job_not_run__is_made_up_for(void **state)
{
    struct circle_site *site = bring_to_veil(*state);
    const struct sotto_turn_event update = update_of(site);
    uint8_t packed[CIRCLE_PACKED_BYTES];
    struct sotto_buffer buffer = sotto_buffer_of(packed, sizeof packed);
    uint32_t lanes[CIRCLE_LANES];
    uint32_t plain[CIRCLE_LANES];
    struct sotto_digest digest;

    circle_step(site, &update);
    assert_true(site->last.run_contribute);
    assert_int_equal(sotto_turn_encode(site->turn, lanes), SOTTO_OK);
    memcpy(plain, lanes, sizeof plain);
    assert_int_equal(sotto_turn_hide(site->turn, lanes, &buffer, &digest), SOTTO_OK);
    assert_memory_not_equal(lanes, plain, sizeof plain);
    assert_null(site->turn->veil);
}

static void veil__used__is_wiped_and_the_masker_is_spent(void **state)
{
    struct circle_site *site = bring_to_veil(*state);
    const struct sotto_turn_event update = update_of(site);
    uint32_t veil[CIRCLE_LANES];
    uint32_t lanes[CIRCLE_LANES] = {0};

    memcpy(veil, site->turn->veil, sizeof veil);
    circle_step(site, &update);
    assert_true(arena_holds(&site->arena, veil, 16));
    assert_int_equal(sotto_veil_hide(site->turn, lanes), SOTTO_OK);
    assert_memory_equal(lanes, veil, sizeof veil);
    assert_false(arena_holds(&site->arena, veil, 16));
    assert_int_equal(sotto_veil_hide(site->turn, lanes), SOTTO_UNEXPECTED);
    assert_memory_equal(lanes, veil, sizeof veil);
}

static void veil__not_due__is_unexpected(void **state)
{
    struct circle *circle = *state;
    struct circle_site *site = bring_to_veil(circle);
    const struct sotto_turn_event update = update_of(site);

    assert_int_equal(sotto_veil_expand(site->turn), SOTTO_UNEXPECTED);
    circle_step(site, &update);
    assert_int_equal(sotto_veil_expand(site->turn), SOTTO_UNEXPECTED);
    assert_int_not_equal(circle->sites[1].turn->phase, SOTTO_PHASE_WORKING);
    assert_int_equal(sotto_veil_expand(circle->sites[1].turn), SOTTO_UNEXPECTED);
}

static void assert_end_wipes_veil(struct circle *circle, const struct sotto_turn_event *event)
{
    struct circle_site *site = bring_to_veil(circle);
    uint32_t veil[CIRCLE_LANES];

    memcpy(veil, site->turn->veil, sizeof veil);
    assert_true(arena_holds(&site->arena, veil, 16));
    circle_step(site, event);
    assert_int_equal(site->turn->phase, SOTTO_PHASE_IDLE);
    assert_null(site->turn->veil);
    assert_false(arena_holds(&site->arena, veil, 16));
}

static void veil__trainer_lost__is_wiped(void **state)
{
    const struct sotto_turn_event lost = {.kind = SOTTO_TURN_TRAINER_LOST};

    assert_end_wipes_veil(*state, &lost);
}

static void veil__update_refused__is_wiped(void **state)
{
    struct circle *circle = *state;
    struct sotto_turn_event heavy = update_of(&circle->sites[0]);

    heavy.value_count--;
    assert_end_wipes_veil(circle, &heavy);
}

/* A second inbox: the protocol refuses. */
static void veil__message_refused__is_wiped(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event again = {.kind = SOTTO_TURN_MAIL};

    again.bytes = circle_mail_of(circle, bytes, SOTTO_MAIL_INBOX, sotto_view_text("again"), NULL);
    assert_end_wipes_veil(circle, &again);
}

static void veil__round_abandoned__is_wiped(void **state)
{
    struct circle *circle = *state;
    uint8_t bytes[SOTTO_MAIL_BYTES_MAX];
    struct sotto_turn_event end = {.kind = SOTTO_TURN_MAIL};

    end.bytes = circle_outcome_mail(circle, bytes, SOTTO_OUTCOME_ABANDONED);
    assert_end_wipes_veil(circle, &end);
}

#define VEIL_TEST(name) cmocka_unit_test_setup_teardown(name, circle_setup, circle_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VEIL_TEST(veil__long_training__is_made_before_the_update),
        VEIL_TEST(veil__update_before_the_inbox__is_not_made),
        VEIL_TEST(veil__made_or_not__gives_the_same_upload),
        VEIL_TEST(veil__job_not_run__is_made_up_for),
        VEIL_TEST(veil__used__is_wiped_and_the_masker_is_spent),
        VEIL_TEST(veil__not_due__is_unexpected),
        VEIL_TEST(veil__trainer_lost__is_wiped),
        VEIL_TEST(veil__update_refused__is_wiped),
        VEIL_TEST(veil__message_refused__is_wiped),
        VEIL_TEST(veil__round_abandoned__is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
