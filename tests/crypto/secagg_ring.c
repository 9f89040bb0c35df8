/* Cohorts that are too large for everybody to be everybody's neighbour. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/entropy.h"
#include "crypto/ring/lanes.h"
#include "crypto/secagg/secaggplus/graph/table.h"
#include "crypto/secagg/secaggplus/graph/traffic.h"
#include "crypto/secagg/secaggplus/messages/receipt.h"
#include "tests/crypto/secagg_forgery.h"
#include "tests/crypto/secagg_planted.h"
#include "tests/support/cmocka.h"

enum { COUNT = 150, ACTOR = 77, LARGE = 10000 };

/* A table of `count` seats, as their leaves are drawn from a seed. */
struct drawn {
    struct sotto_arena arena;
    struct sotto_ring ring;
    struct sotto_table table;
};

static struct drawn drawn_open(uint32_t count, uint32_t neighbours, uint64_t seed)
{
    struct drawn drawn;
    struct sotto_digest *leaves = calloc(count, sizeof *leaves);
    struct sotto_entropy entropy;

    assert_non_null(leaves);
    sotto_entropy_init_seeded(&entropy, seed);
    sotto_entropy_fill(&entropy, leaves, count * sizeof *leaves);
    assert_int_equal(sotto_arena_open(&drawn.arena, 1 << 23), SOTTO_OK);
    assert_int_equal(sotto_ring_init(&drawn.ring, &drawn.arena, count), SOTTO_OK);
    assert_int_equal(sotto_table_init(&drawn.table, &drawn.arena, (size_t)count * neighbours),
                     SOTTO_OK);
    sotto_ring_place(&drawn.ring, &leaves[0], leaves, count);
    assert_int_equal(sotto_table_fill(&drawn.table, &drawn.ring, neighbours), SOTTO_OK);
    free(leaves);
    return drawn;
}

static void ring__any_seat__has_neighbours_that_have_it(void **state)
{
    static const uint32_t sizes[][2] = {{5, 2},    {5, 4},     {6, 5},
                                        {129, 38}, {200, 198}, {LARGE, 142}};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct drawn drawn = drawn_open(sizes[i][0], sizes[i][1], i);

        for (uint32_t seat = 0; seat < sizes[i][0]; seat++) {
            const uint16_t *row = sotto_table_row(&drawn.table, seat);

            for (uint32_t slot = 0; slot < sizes[i][1]; slot++) {
                assert_true(row[slot] != seat && row[slot] < sizes[i][0]);
                assert_true(slot == 0 || row[slot - 1] < row[slot]);
                assert_int_equal(sotto_table_cell(&drawn.table, row[slot], seat) / sizes[i][1],
                                 row[slot]);
            }
        }
        sotto_arena_close(&drawn.arena);
    }
}

/* By the book: sort the positions, and take those that stand up to k / 2 away. */
static void ring__positions__ascend_and_decide_the_neighbours(void **state)
{
    enum { SEATS = 41, K = 8 };
    struct drawn drawn = drawn_open(SEATS, K, 3);

    (void)state;
    for (uint32_t place = 0; place + 1 < SEATS; place++)
        assert_true(memcmp(&drawn.ring.positions[drawn.ring.order[place]],
                           &drawn.ring.positions[drawn.ring.order[place + 1]],
                           SOTTO_DIGEST_BYTES) < 0);
    for (uint32_t place = 0; place < SEATS; place++) {
        struct sotto_seats expected = {0};
        const uint16_t *row = sotto_table_row(&drawn.table, drawn.ring.order[place]);

        for (uint32_t away = 1; away <= K / 2; away++) {
            sotto_seats_add(&expected, drawn.ring.order[(place + away) % SEATS]);
            sotto_seats_add(&expected, drawn.ring.order[(place + SEATS - away) % SEATS]);
        }
        for (uint32_t slot = 0; slot < K; slot++)
            assert_true(sotto_seats_has(&expected, row[slot]));
    }
    sotto_arena_close(&drawn.arena);
}

/* Without one in three, who is left has about two thirds of its neighbours; the core is closed. */
static void table__core__is_the_largest_part_that_holds_itself(void **state)
{
    enum { SEATS = 300, K = 20, DEGREE = 13 };
    struct drawn drawn = drawn_open(SEATS, K, 9);
    struct sotto_seats left = {0};
    struct sotto_seats core;

    (void)state;
    for (uint32_t seat = 0; seat < SEATS; seat++) {
        if (seat % 3 != 0)
            sotto_seats_add(&left, seat);
    }
    sotto_table_core(&core, &drawn.table, &left, DEGREE);
    assert_true(sotto_seats_within(&core, &left));
    assert_true(sotto_table_is_held(&drawn.table, &core, &core, DEGREE));
    assert_false(sotto_table_is_held(&drawn.table, &left, &left, DEGREE));
    sotto_table_core(&core, &drawn.table, &left, 2);
    assert_int_equal(sotto_seats_count(&core), sotto_seats_count(&left));
    sotto_table_core(&core, &drawn.table, &left, K);
    assert_int_equal(sotto_seats_count(&core), 0);
    sotto_arena_close(&drawn.arena);
}

static bool is_everybody(uint32_t place)
{
    (void)place;
    return true;
}

/* A tenth drops out, each of them at another message. */
static bool has_shared(uint32_t place)
{
    return place % 40 != 3;
}

static bool has_uploaded(uint32_t place)
{
    return has_shared(place) && place % 40 != 13;
}

static bool has_confirmed(uint32_t place)
{
    return has_uploaded(place) && place % 40 != 23;
}

static bool has_revealed(uint32_t place)
{
    return has_confirmed(place) && place % 40 != 33;
}

static void play_with_dropouts(const struct chorus_setup *setup)
{
    struct chorus *chorus = chorus_open(setup);

    assert_int_equal(chorus_play_where(chorus, is_everybody), SOTTO_STAGE_SHARING);
    assert_int_equal(chorus_play_where(chorus, has_shared), SOTTO_STAGE_UPLOADING);
    assert_int_equal(chorus_play_where(chorus, has_uploaded), SOTTO_STAGE_INCLUDING);
    assert_int_equal(chorus_play_where(chorus, has_confirmed), SOTTO_STAGE_REVEALING);
    assert_int_equal(chorus_play_where(chorus, has_revealed), SOTTO_STAGE_UNMASKED);
    chorus_check_sum(chorus);
    chorus_close(chorus);
}

static void round__more_than_a_complete_graph__sum_is_exact_with_dropouts(void **state)
{
    struct chorus_setup setup = chorus_setup_of(SOTTO_COMPLETE_MAX + 1, 1);

    (void)state;
    play_with_dropouts(&setup);
    setup.count = 200;
    play_with_dropouts(&setup);
}

static void round__a_thousand__sum_is_exact_with_dropouts(void **state)
{
    struct chorus_setup setup = chorus_setup_of(1000, 2);

    (void)state;
    setup.corrupt_fraction = 0.01;
    setup.dropout_fraction = 0.08;
    play_with_dropouts(&setup);
}

/* The announced bytes are those that travel. */
static void traffic__nobody_drops_out__is_what_the_messages_add_up_to(void **state)
{
    struct chorus_setup setup = chorus_setup_of(SOTTO_COMPLETE_MAX + 1, 5);
    struct chorus *chorus = chorus_open(&setup);
    struct sotto_message_traffic announced;
    struct sotto_message_traffic counted = {0};
    struct sotto_parameters parameters;
    enum sotto_stage stage;

    (void)state;
    assert_int_equal(sotto_parameters_of(&parameters, setup.count, &chorus->terms), SOTTO_OK);
    sotto_message_traffic_of(&announced, &parameters);
    for (stage = SOTTO_STAGE_GATHERING; stage != SOTTO_STAGE_UNMASKED;) {
        struct sotto_collector_effects effects;

        for (uint32_t place = 0; place < chorus->count; place++) {
            struct sotto_collector_event answer;

            counted.down += place == ACTOR ? chorus_mail(chorus, ACTOR).length : 0;
            answer = chorus_answer(chorus, place);
            counted.up += place == ACTOR ? answer.bytes.length : 0;
            counted.up += place == ACTOR && stage == SOTTO_STAGE_UPLOADING ? 64 : 0;
            (void)chorus_deliver(chorus, &answer);
        }
        stage = chorus_end_stage(chorus, &effects);
    }
    assert_int_equal(counted.up, announced.up);
    assert_int_equal(counted.down, announced.down);
    chorus_close(chorus);
}

/* Up and down with 2^20 values of 16 bits: at most 1.68 times these values alone. */
static void traffic__a_million_lanes__is_little_beside_them(void **state)
{
    enum { COHORT = 1024, VALUES = 1 << 20, RING_BITS = 26 };
    const struct sotto_terms terms = {
        .survivors_min = SOTTO_COHORT_MIN, .corrupt_fraction = 0.05, .dropout_fraction = 0.1};
    struct sotto_message_traffic traffic;
    struct sotto_parameters parameters;
    size_t bytes;

    (void)state;
    assert_int_equal(sotto_parameters_of(&parameters, COHORT, &terms), SOTTO_OK);
    sotto_message_traffic_of(&traffic, &parameters);
    bytes = traffic.up + traffic.down + sotto_lanes_packed_bytes(VALUES + 1, RING_BITS);
    assert_int_equal(bytes, 3500444);
    assert_true(bytes * 100 <= (size_t)168 * 2 * VALUES);
}

static struct chorus *wait_for_uploads(void)
{
    struct chorus_setup setup = chorus_setup_of(SOTTO_COMPLETE_MAX + 1, 8);
    struct chorus *chorus = chorus_open(&setup);

    (void)chorus_play_where(chorus, is_everybody);
    assert_int_equal(chorus_play_where(chorus, is_everybody), SOTTO_STAGE_UPLOADING);
    return chorus;
}

static bool is_not_actor(uint32_t place)
{
    return place != ACTOR;
}

/* After its receipt. */
static void mask_and_upload(struct chorus *chorus, uint32_t place)
{
    struct sotto_collector_event upload = {.kind = SOTTO_COLLECTOR_UPLOAD, .id = chorus_id(place)};
    uint32_t lanes[8] = {0};

    assert_int_equal(chorus->terms.lane_count, 8);
    assert_int_equal(chorus->protocol->member_mask(chorus->members[place], lanes, 8), SOTTO_OK);
    assert_int_equal(chorus_tell(chorus, place, SOTTO_MEMBER_MASKED, upload.bytes).refusal,
                     SOTTO_REFUSAL_NONE);
    assert_int_equal(chorus_deliver(chorus, &upload).verdict, SOTTO_OK);
}

static struct sotto_collector_event receipt_of(struct chorus *chorus, uint32_t place)
{
    struct sotto_member_effects effects =
        chorus_tell(chorus, place, SOTTO_MEMBER_INBOX, chorus_mail(chorus, place));

    assert_int_equal(effects.send.length, SOTTO_RECEIPT_BYTES);
    return (struct sotto_collector_event){
        .kind = SOTTO_COLLECTOR_RECEIPT, .id = chorus_id(place), .bytes = effects.send};
}

static void receipt__before_the_upload_and_the_senders_own__is_taken(void **state)
{
    struct chorus *chorus = wait_for_uploads();
    struct sotto_collector_event upload = {.kind = SOTTO_COLLECTOR_UPLOAD, .id = chorus_id(2)};
    struct sotto_collector_event receipt = receipt_of(chorus, 2);

    (void)state;
    assert_int_equal(chorus_deliver(chorus, &upload).verdict, SOTTO_UNEXPECTED);
    receipt.id = chorus_id(3);
    assert_int_equal(chorus_deliver(chorus, &receipt).verdict, SOTTO_FORGED);
    receipt.id = chorus_id(2);
    receipt.bytes.length--;
    assert_int_equal(chorus_deliver(chorus, &receipt).verdict, SOTTO_MALFORMED);
    receipt.bytes.length++;
    assert_int_equal(chorus_deliver(chorus, &receipt).verdict, SOTTO_OK);
    assert_true(chorus_deliver(chorus, &receipt).is_repeat);
    assert_int_equal(chorus_deliver(chorus, &upload).verdict, SOTTO_OK);
    chorus_close(chorus);
}

static void receipt__of_a_complete_graph__is_unexpected(void **state)
{
    struct chorus_setup setup = chorus_setup_of(6, 8);
    struct chorus *chorus = chorus_open(&setup);
    uint8_t bytes[SOTTO_RECEIPT_BYTES] = {0};
    struct sotto_collector_event receipt = {.kind = SOTTO_COLLECTOR_RECEIPT,
                                            .id = chorus_id(2),
                                            .bytes = sotto_view_of(bytes, sizeof bytes)};

    (void)state;
    chorus_play_until(chorus, SOTTO_STAGE_UPLOADING);
    assert_int_equal(chorus_deliver(chorus, &receipt).verdict, SOTTO_UNEXPECTED);
    chorus_close(chorus);
}

/* The receipt of the actor, which is told that the first one has not shared, and makes no mask. */
static void lie_to_actor(uint8_t out[SOTTO_RECEIPT_BYTES])
{
    struct chorus *chorus = wait_for_uploads();
    struct sotto_view inbox = chorus_mail(chorus, ACTOR);
    struct sotto_member_effects effects;

    assert_true(inbox.at[0] & 1);
    chorus->wire[0] ^= 1;
    effects = chorus_tell(chorus, ACTOR, SOTTO_MEMBER_INBOX, inbox);
    if (effects.refusal == SOTTO_REFUSAL_INBOX_MALFORMED)
        fail_msg("the first one is a neighbour of the actor: choose another seed");
    assert_int_equal(effects.refusal, SOTTO_REFUSAL_NONE);
    memcpy(out, effects.send.at, SOTTO_RECEIPT_BYTES);
    chorus_close(chorus);
}

/* Its holders may not tell the self mask of somebody who hangs no masks with some of them. */
static void survivors__one_was_told_that_others_shared__are_refused(void **state)
{
    struct chorus *chorus = wait_for_uploads();
    struct sotto_collector_event receipt = receipt_of(chorus, ACTOR);
    uint8_t honest[SOTTO_RECEIPT_BYTES];
    uint8_t lied_to[SOTTO_RECEIPT_BYTES];
    uint32_t refused = 0;

    (void)state;
    memcpy(honest, receipt.bytes.at, sizeof honest);
    lie_to_actor(lied_to);
    assert_memory_not_equal(honest, lied_to, sizeof honest);
    assert_int_equal(chorus_deliver(chorus, &receipt).verdict, SOTTO_OK);
    mask_and_upload(chorus, ACTOR);
    assert_int_equal(chorus_play_where(chorus, is_not_actor), SOTTO_STAGE_INCLUDING);
    for (uint32_t place = 0; place < chorus->count; place++) {
        struct sotto_view mail = chorus_mail(chorus, place);
        uint8_t *at = memmem(chorus->wire, mail.length, honest, sizeof honest);

        if (at == NULL)
            continue;
        memcpy(at, lied_to, sizeof lied_to);
        assert_int_equal(chorus_tell(chorus, place, SOTTO_MEMBER_SURVIVORS, mail).refusal,
                         SOTTO_REFUSAL_RECEIPT);
        refused++;
    }
    assert_int_equal(refused, 38);
    chorus_close(chorus);
}

/* A neighbour of the actor, while the cohort waits for shares. */
static uint32_t find_neighbour(struct chorus *chorus)
{
    struct sotto_view mail = chorus_mail(chorus, ACTOR);
    size_t adverts_at = 12 + (size_t)chorus->count * (4 + SOTTO_DIGEST_BYTES);
    uint32_t place = 0;

    while (chorus_id(place) != sotto_load_u32(mail.at + adverts_at))
        place++;
    assert_true(place < ACTOR);
    return place;
}

static void survivors__with_a_receipt_altered__leave_no_secret(void **state)
{
    struct chorus_setup setup = chorus_setup_of(SOTTO_COMPLETE_MAX + 1, 8);
    struct chorus *chorus = chorus_open(&setup);
    struct planted planted;
    struct sotto_view mail;
    uint32_t place;

    (void)state;
    (void)chorus_play_where(chorus, is_everybody);
    place = find_neighbour(chorus);
    planted_derive(&planted, chorus, place, ACTOR);
    (void)chorus_play_where(chorus, is_everybody);
    assert_int_equal(chorus_play_where(chorus, is_everybody), SOTTO_STAGE_INCLUDING);
    assert_true(planted_remembers_any(chorus, place, &planted));
    mail = chorus_mail(chorus, place);
    chorus->wire[mail.length - 1] ^= 1;
    assert_int_equal(chorus_tell(chorus, place, SOTTO_MEMBER_SURVIVORS, mail).refusal,
                     SOTTO_REFUSAL_RECEIPT);
    assert_false(planted_remembers_any(chorus, place, &planted));
    chorus_close(chorus);
}

static void survivors__receipts_too_few_or_too_many__are_refused(void **state)
{
    struct chorus *chorus = wait_for_uploads();
    struct sotto_view mail;

    (void)state;
    assert_int_equal(chorus_play_where(chorus, is_everybody), SOTTO_STAGE_INCLUDING);
    mail = chorus_mail(chorus, 1);
    mail.length -= SOTTO_RECEIPT_BYTES;
    assert_int_equal(chorus_tell(chorus, 1, SOTTO_MEMBER_SURVIVORS, mail).refusal,
                     SOTTO_REFUSAL_SURVIVORS_MALFORMED);
    mail = chorus_mail(chorus, 2);
    mail.length += SOTTO_RECEIPT_BYTES;
    assert_int_equal(chorus_tell(chorus, 2, SOTTO_MEMBER_SURVIVORS, mail).refusal,
                     SOTTO_REFUSAL_SURVIVORS_MALFORMED);
    chorus_close(chorus);
}

/* A cohort of COUNT that waits for shares, and its message to the actor, open to change. */
struct scene {
    struct chorus *chorus;
    struct forged_cohort forged;
};

static int set_up(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 1);
    struct scene *scene = calloc(1, sizeof *scene);

    assert_non_null(scene);
    scene->chorus = chorus_open(&setup);
    assert_int_equal(chorus_play_where(scene->chorus, is_everybody), SOTTO_STAGE_SHARING);
    forged_cohort_read(&scene->forged, scene->chorus);
    scene->forged.receiver = ACTOR;
    *state = scene;
    return 0;
}

static int tear_down(void **state)
{
    struct scene *scene = *state;

    chorus_close(scene->chorus);
    free(scene);
    return 0;
}

static void check_refused(struct scene *scene, enum sotto_refusal refusal)
{
    struct sotto_member_effects effects =
        chorus_tell(scene->chorus, ACTOR, SOTTO_MEMBER_COHORT,
                    forged_cohort_write(&scene->forged, scene->chorus));

    assert_int_equal(effects.refusal, refusal);
}

/* The neighbours that follow, put where the message takes them from. */
static void tell_neighbours(struct scene *scene)
{
    struct sotto_view mail = chorus_mail(scene->chorus, ACTOR);
    uint32_t count = scene->forged.parameters.neighbours;
    struct sotto_cursor cursor = sotto_cursor_of(mail);
    uint32_t slot = 0;

    (void)sotto_cursor_take(&cursor, 12 + (size_t)COUNT * (4 + SOTTO_DIGEST_BYTES));
    for (uint32_t place = 0; place <= count; place++) {
        struct sotto_view bytes = sotto_cursor_take(&cursor, SOTTO_ADVERT_BYTES);
        uint32_t id = sotto_load_u32(bytes.at);

        for (uint32_t seat = 0; seat < COUNT; seat++) {
            if (seat != ACTOR && chorus_id(seat) == id)
                scene->forged.neighbours[slot++] = seat;
        }
    }
    assert_int_equal(slot, count);
    scene->forged.is_told = true;
}

static void cohort__as_it_is__is_accepted(void **state)
{
    struct scene *scene = *state;
    struct sotto_view honest = chorus_mail(scene->chorus, ACTOR);
    uint8_t *copy = malloc(honest.length);

    assert_non_null(copy);
    memcpy(copy, honest.at, honest.length);
    honest.at = copy;
    assert_true(sotto_view_equal(forged_cohort_write(&scene->forged, scene->chorus), honest));
    check_refused(scene, SOTTO_REFUSAL_NONE);
    free(copy);
}

/* Somebody who stands elsewhere in the ring in the place of a neighbour. */
static void cohort__another_neighbour__is_refused(void **state)
{
    struct scene *scene = *state;
    struct sotto_seats known = {0};
    uint32_t stranger = COUNT - 1;

    tell_neighbours(scene);
    for (uint32_t slot = 0; slot < scene->forged.parameters.neighbours; slot++)
        sotto_seats_add(&known, scene->forged.neighbours[slot]);
    while (stranger == ACTOR || sotto_seats_has(&known, stranger))
        stranger--;
    scene->forged.neighbours[scene->forged.parameters.neighbours - 1] = stranger;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

static void cohort__neighbours_out_of_order__is_refused(void **state)
{
    struct scene *scene = *state;
    uint32_t *neighbours = scene->forged.neighbours;
    uint32_t first;

    tell_neighbours(scene);
    first = neighbours[0];
    neighbours[0] = neighbours[1];
    neighbours[1] = first;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

static void cohort__smaller_threshold__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.parameters.threshold--;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

static void cohort__fewer_neighbours__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.parameters.neighbours -= 2;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

/* A complete graph would hide nothing, but it is not what follows. */
static void cohort__everybody_as_neighbour__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.parameters.neighbours = COUNT - 1;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_SET);
}

/* The leaf of a neighbour that the coordinator made up, with the neighbour's own advert. */
static void cohort__foreign_leaf_of_a_neighbour__is_refused(void **state)
{
    struct scene *scene = *state;
    uint32_t neighbours = scene->forged.parameters.neighbours;

    /* Another leaf is another ring: all of them in turn, until a neighbour's was changed. */
    for (uint32_t seat = 0; seat < COUNT; seat++)
        scene->forged.leaves[seat].bytes[0] ^= (uint8_t)(seat != ACTOR);
    assert_true(neighbours > 0);
    check_refused(scene, SOTTO_REFUSAL_COHORT_MALFORMED);
}

static void cohort__own_leaf_altered__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.leaves[ACTOR].bytes[5] ^= 1;
    check_refused(scene, SOTTO_REFUSAL_OWN_LEAF);
}

/* Somebody far away under the id of nobody, or of somebody else. */
static void cohort__id_of_a_stranger__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.ids[COUNT - 1]++;
    scene->forged.adverts[COUNT - 1].id++;
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_UNKNOWN);
}

static void cohort__id_twice__is_refused(void **state)
{
    struct scene *scene = *state;

    scene->forged.ids[3] = scene->forged.ids[4];
    check_refused(scene, SOTTO_REFUSAL_NEIGHBOUR_DUPLICATE);
}

static void cohort__ids_out_of_order__is_refused(void **state)
{
    struct scene *scene = *state;
    uint32_t first = scene->forged.ids[3];

    scene->forged.ids[3] = scene->forged.ids[4];
    scene->forged.ids[4] = first;
    check_refused(scene, SOTTO_REFUSAL_COHORT_MALFORMED);
}

/* Two sites that were told other ids of a third do not understand one another. */
static void context__other_ids_of_the_same_leaves__is_another(void **state)
{
    struct scene *scene = *state;
    struct sotto_digest honest = forged_context(scene->chorus);
    struct sotto_digest leaves[COUNT];
    uint8_t ids[4 * COUNT];
    struct sotto_cohort_message message = {.parameters = scene->forged.parameters,
                                           .ids = sotto_view_of(ids, sizeof ids),
                                           .leaves = leaves};
    struct sotto_digest context;

    memcpy(leaves, scene->forged.leaves, sizeof leaves);
    for (uint32_t seat = 0; seat < COUNT; seat++)
        sotto_store_u32(ids + 4 * (size_t)seat, chorus_id(seat));
    sotto_cohort_context(&context, &scene->chorus->terms.context, &message);
    assert_true(sotto_digest_equal(&context, &honest));
    ids[4 * ACTOR] ^= 1;
    sotto_cohort_context(&context, &scene->chorus->terms.context, &message);
    assert_false(sotto_digest_equal(&context, &honest));
}

#define SCENE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring__any_seat__has_neighbours_that_have_it),
        cmocka_unit_test(ring__positions__ascend_and_decide_the_neighbours),
        cmocka_unit_test(table__core__is_the_largest_part_that_holds_itself),
        cmocka_unit_test(round__more_than_a_complete_graph__sum_is_exact_with_dropouts),
        cmocka_unit_test(round__a_thousand__sum_is_exact_with_dropouts),
        cmocka_unit_test(traffic__nobody_drops_out__is_what_the_messages_add_up_to),
        cmocka_unit_test(traffic__a_million_lanes__is_little_beside_them),
        cmocka_unit_test(receipt__before_the_upload_and_the_senders_own__is_taken),
        cmocka_unit_test(receipt__of_a_complete_graph__is_unexpected),
        cmocka_unit_test(survivors__one_was_told_that_others_shared__are_refused),
        cmocka_unit_test(survivors__receipts_too_few_or_too_many__are_refused),
        cmocka_unit_test(survivors__with_a_receipt_altered__leave_no_secret),
        SCENE_TEST(cohort__as_it_is__is_accepted),
        SCENE_TEST(cohort__another_neighbour__is_refused),
        SCENE_TEST(cohort__neighbours_out_of_order__is_refused),
        SCENE_TEST(cohort__smaller_threshold__is_refused),
        SCENE_TEST(cohort__fewer_neighbours__is_refused),
        SCENE_TEST(cohort__everybody_as_neighbour__is_refused),
        SCENE_TEST(cohort__foreign_leaf_of_a_neighbour__is_refused),
        SCENE_TEST(cohort__own_leaf_altered__is_refused),
        SCENE_TEST(cohort__id_of_a_stranger__is_refused),
        SCENE_TEST(cohort__id_twice__is_refused),
        SCENE_TEST(cohort__ids_out_of_order__is_refused),
        SCENE_TEST(context__other_ids_of_the_same_leaves__is_another),
    };

    return cmocka_run_group_tests_name("secagg_ring", tests, NULL, NULL);
}
