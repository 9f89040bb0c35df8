/* What the coordinator's role takes, what it tells the sender, and whom it waits for. */
#include <stdlib.h>
#include <string.h>

#include "tests/crypto/secagg_forgery.h"
#include "tests/support/cmocka.h"

enum { COUNT = 6, ACTOR = 2, ALL = (1 << COUNT) - 1, OTHERS = ALL & ~(1 << ACTOR) };

static int chorus_setup_all(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 21);

    *state = chorus_open(&setup);
    return 0;
}

static int chorus_teardown(void **state)
{
    chorus_close(*state);
    return 0;
}

/*
 * An answer that is turned down leaves the collector, and everything beside it, byte for byte as it
 * was.
 */
static void check_turned_down(struct chorus *chorus, const struct sotto_collector_event *event,
                              enum sotto_status verdict)
{
    uint8_t *before = malloc(chorus->arena.capacity);
    struct sotto_collector_effects effects;

    assert_non_null(before);
    memcpy(before, chorus->arena.memory, chorus->arena.capacity);
    effects = chorus_deliver(chorus, event);
    assert_int_equal(effects.verdict, verdict);
    assert_false(effects.is_complete || effects.is_repeat);
    assert_memory_equal(before, chorus->arena.memory, chorus->arena.capacity);
    free(before);
}

/* Brings the round to `stage` and takes the actor's answer there, in memory that may be altered. */
static struct sotto_collector_event answer_in(struct chorus *chorus, enum sotto_stage stage)
{
    static uint8_t bytes[SOTTO_PROTOCOL_MESSAGE_MAX];
    struct sotto_collector_event answer;

    chorus_play_until(chorus, stage);
    answer = chorus_answer(chorus, ACTOR);
    if (answer.bytes.length > 0)
        memcpy(bytes, answer.bytes.at, answer.bytes.length);
    answer.bytes.at = bytes;
    return answer;
}

static uint8_t *altered(const struct sotto_collector_event *answer, size_t at)
{
    return (uint8_t *)(uintptr_t)answer->bytes.at + at;
}

static void message__of_another_length__is_malformed(void **state)
{
    static const enum sotto_stage stages[] = {SOTTO_STAGE_GATHERING, SOTTO_STAGE_SHARING,
                                              SOTTO_STAGE_INCLUDING, SOTTO_STAGE_REVEALING};
    struct chorus_setup setup = chorus_setup_of(COUNT, 22);

    (void)state;
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++) {
        struct chorus *chorus = chorus_open(&setup);
        struct sotto_collector_event answer = answer_in(chorus, stages[i]);

        answer.bytes.length--;
        check_turned_down(chorus, &answer, SOTTO_MALFORMED);
        answer.bytes.length += 2;
        check_turned_down(chorus, &answer, SOTTO_MALFORMED);
        answer.bytes.length--;
        assert_int_equal(chorus_deliver(chorus, &answer).verdict, SOTTO_OK);
        chorus_close(chorus);
    }
}

static void message__repeated__is_acknowledged_and_changes_nothing(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 23);

    (void)state;
    for (int stage = SOTTO_STAGE_GATHERING; stage <= SOTTO_STAGE_REVEALING; stage++) {
        struct chorus *chorus = chorus_open(&setup);
        struct sotto_collector_event answer = answer_in(chorus, (enum sotto_stage)stage);
        struct sotto_collector_effects effects;

        assert_false(chorus_deliver(chorus, &answer).is_repeat);
        effects = chorus_deliver(chorus, &answer);
        assert_int_equal(effects.verdict, SOTTO_OK);
        assert_true(effects.is_repeat);
        if (answer.bytes.length > 0)
            *altered(&answer, answer.bytes.length - 1) ^= 1;
        else
            answer.digest.bytes[0] ^= 1;
        check_turned_down(chorus, &answer, SOTTO_UNEXPECTED);
        chorus_close(chorus);
    }
}

static void advert__in_the_name_of_another__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);

    answer.id = chorus_id(ACTOR + 1);
    check_turned_down(chorus, &answer, SOTTO_FORGED);
}

static void advert__of_a_stranger__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);

    answer.id++;
    check_turned_down(chorus, &answer, SOTTO_FORGED);
}

static void advert__flipped_bit__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);

    *altered(&answer, 40) ^= 1;
    check_turned_down(chorus, &answer, SOTTO_FORGED);
}

/* One participant may not make the others refuse the whole cohort. */
static void advert__unusable_key__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);
    struct sotto_collector_event first = chorus_answer(chorus, 0);
    struct sotto_advert honest;
    struct sotto_advert forged;

    assert_int_equal(chorus_deliver(chorus, &first).verdict, SOTTO_OK);
    assert_int_equal(sotto_advert_decode(&honest, answer.bytes), SOTTO_OK);
    for (int trick = 0; trick < 4; trick++) {
        forged = honest;
        if (trick == 0)
            memset(&forged.mask_key, 0, sizeof forged.mask_key);
        else if (trick == 1)
            memcpy(&forged.share_key, first.bytes.at + 4, sizeof forged.share_key);
        else if (trick == 2)
            forged.share_key = forged.mask_key;
        else
            forged.mask_key.bytes[31] |= 0x80;
        sotto_advert_sign(&forged, &chorus->identities[ACTOR], &chorus->terms.context);
        sotto_advert_encode(altered(&answer, 0), &forged);
        check_turned_down(chorus, &answer, SOTTO_FORGED);
    }
}

/* Two enrolments of one identity, or a certificate listed twice. */
/* A collector that knows the roster as it is now takes the first answer and not the second. */
static void check_twin(struct chorus *chorus, const struct sotto_collector_event *first,
                       const struct sotto_collector_event *second)
{
    const struct sotto_collector_setup setup = {
        .terms = &chorus->terms, .roster = &chorus->roster, .signing = &chorus->signing};
    struct sotto_collector *honest = chorus->collector;
    struct sotto_arena arena;

    assert_int_equal(sotto_arena_open(&arena, 1 << 20), SOTTO_OK);
    assert_int_equal(chorus->protocol->collector_open(&chorus->collector, &arena, &setup),
                     SOTTO_OK);
    assert_int_equal(chorus_deliver(chorus, first).verdict, SOTTO_OK);
    check_turned_down(chorus, second, SOTTO_FORGED);
    sotto_arena_close(&arena);
    chorus->collector = honest;
}

static void advert__of_somebody_seated_under_another_id__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);
    struct sotto_collector_event first = chorus_answer(chorus, 0);
    struct sotto_roster_entry entry = chorus->entries[ACTOR];
    struct sotto_advert advert;

    chorus->entries[ACTOR].certificate = chorus->entries[0].certificate;
    check_twin(chorus, &first, &answer);
    chorus->entries[ACTOR] = entry;
    chorus->entries[ACTOR].identity = chorus->entries[0].identity;
    assert_int_equal(sotto_advert_decode(&advert, answer.bytes), SOTTO_OK);
    sotto_advert_sign(&advert, &chorus->identities[0], &chorus->terms.context);
    sotto_advert_encode(altered(&answer, 0), &advert);
    check_twin(chorus, &first, &answer);
}

static void advert__cohort_full__is_unexpected(void **state)
{
    struct chorus *chorus = *state;
    const struct sotto_collector_setup setup = {
        .terms = &chorus->terms, .roster = &chorus->roster, .signing = &chorus->signing};
    struct sotto_collector *first = chorus->collector;
    struct sotto_arena arena;
    struct sotto_collector_event answer;

    chorus->terms.cohort_max = COUNT - 1;
    assert_int_equal(sotto_arena_open(&arena, 1 << 20), SOTTO_OK);
    assert_int_equal(chorus->protocol->collector_open(&chorus->collector, &arena, &setup),
                     SOTTO_OK);
    for (uint32_t place = 0; place < COUNT; place++) {
        struct sotto_collector_effects effects;

        answer = chorus_answer(chorus, place);
        effects = chorus_deliver(chorus, &answer);
        assert_int_equal(effects.verdict, place < COUNT - 1 ? SOTTO_OK : SOTTO_UNEXPECTED);
        assert_int_equal(effects.is_complete, place == COUNT - 2);
    }
    assert_false(chorus->protocol->collector_expects(chorus->collector, chorus_id(COUNT - 1)));
    chorus->protocol->collector_wipe(chorus->collector);
    sotto_arena_close(&arena);
    chorus->collector = first;
}

/* Two organisations of three each, and places for two of each. */
static struct sotto_collector *reopen_with_quota(struct chorus *chorus, struct sotto_arena *arena)
{
    const struct sotto_collector_setup setup = {
        .terms = &chorus->terms, .roster = &chorus->roster, .signing = &chorus->signing};
    struct sotto_collector *first = chorus->collector;

    chorus->terms.organisation_max = 2;
    for (uint32_t place = 0; place < COUNT; place++)
        chorus->entries[place].organisation = place % 2;
    assert_int_equal(sotto_arena_open(arena, 1 << 20), SOTTO_OK);
    assert_int_equal(chorus->protocol->collector_open(&chorus->collector, arena, &setup), SOTTO_OK);
    return first;
}

static void advert__organisation_full__is_refused_and_not_waited_for(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event leave = {.kind = SOTTO_COLLECTOR_LEAVE, .id = chorus_id(0)};
    struct sotto_collector_event answers[COUNT];
    struct sotto_arena arena;
    struct sotto_collector *first = reopen_with_quota(chorus, &arena);

    for (uint32_t place = 0; place < COUNT; place++) {
        struct sotto_collector_effects effects;

        answers[place] = chorus_answer(chorus, place);
        effects = chorus_deliver(chorus, &answers[place]);
        assert_int_equal(effects.verdict, place < 4 ? SOTTO_OK : SOTTO_REFUSED);
        assert_int_equal(effects.is_complete, place == 3);
    }
    assert_false(chorus->protocol->collector_expects(chorus->collector, chorus_id(4)));
    assert_int_equal(chorus_deliver(chorus, &leave).verdict, SOTTO_OK);
    assert_int_equal(chorus_deliver(chorus, &answers[5]).verdict, SOTTO_REFUSED);
    assert_int_equal(chorus_deliver(chorus, &answers[4]).verdict, SOTTO_OK);
    chorus->protocol->collector_wipe(chorus->collector);
    sotto_arena_close(&arena);
    chorus->collector = first;
}

static void inclusion__signed_by_another__is_forged(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_INCLUDING);
    struct sotto_collector_event other = chorus_answer(chorus, ACTOR + 1);

    memcpy(altered(&answer, 0), other.bytes.at, SOTTO_SIGNATURE_BYTES);
    check_turned_down(chorus, &answer, SOTTO_FORGED);
}

static void reveal__of_somebody_else__is_malformed(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_REVEALING);

    *altered(&answer, 0) ^= 1;
    check_turned_down(chorus, &answer, SOTTO_MALFORMED);
}

static void upload__without_shares__is_unexpected(void **state)
{
    struct chorus *chorus = *state;
    const struct sotto_collector_event upload = {.kind = SOTTO_COLLECTOR_UPLOAD,
                                                 .id = chorus_id(ACTOR)};

    chorus_play_until(chorus, SOTTO_STAGE_SHARING);
    assert_int_equal(chorus_play(chorus, OTHERS), SOTTO_STAGE_UPLOADING);
    check_turned_down(chorus, &upload, SOTTO_UNEXPECTED);
    assert_int_equal(chorus_mail(chorus, ACTOR).length, 0);
}

static void stage__with_everybodys_answer__is_complete(void **state)
{
    struct chorus *chorus = *state;

    for (int stage = SOTTO_STAGE_GATHERING; stage <= SOTTO_STAGE_REVEALING; stage++) {
        struct sotto_collector_effects effects;

        for (uint32_t place = 0; place < COUNT; place++) {
            struct sotto_collector_event answer = chorus_answer(chorus, place);

            assert_true(chorus->protocol->collector_expects(chorus->collector, answer.id));
            assert_false(chorus->protocol->collector_has_answered(chorus->collector, answer.id));
            effects = chorus_deliver(chorus, &answer);
            assert_true(chorus->protocol->collector_has_answered(chorus->collector, answer.id));
            assert_int_equal(effects.is_complete, place == COUNT - 1);
        }
        (void)chorus_end_stage(chorus, &effects);
        assert_false(effects.is_complete);
    }
    chorus_check_sum(chorus);
}

/* Nobody waits for one that left; what it uploaded before stays in the sum. */
static void leave__in_each_stage__is_a_dropout_until_the_upload(void **state)
{
    struct chorus_setup setup = chorus_setup_of(COUNT, 24);

    (void)state;
    for (int left = SOTTO_STAGE_GATHERING; left <= SOTTO_STAGE_REVEALING; left++) {
        struct chorus *chorus = chorus_open(&setup);
        const struct sotto_collector_event leave = {.kind = SOTTO_COLLECTOR_LEAVE,
                                                    .id = chorus_id(ACTOR)};

        chorus_play_until(chorus, (enum sotto_stage)left);
        assert_int_equal(chorus_deliver(chorus, &leave).verdict, SOTTO_OK);
        assert_true(chorus_deliver(chorus, &leave).is_repeat);
        assert_false(chorus->protocol->collector_expects(chorus->collector, leave.id));
        assert_int_equal(chorus_mail(chorus, ACTOR).length, 0);
        while (chorus->protocol->collector_stage(chorus->collector) <= SOTTO_STAGE_REVEALING)
            (void)chorus_play(chorus, OTHERS);
        assert_int_equal(chorus->protocol->collector_survived(chorus->collector, leave.id),
                         left > SOTTO_STAGE_UPLOADING);
        chorus_check_sum(chorus);
        chorus_close(chorus);
    }
}

static void leave__after_the_advert__frees_the_seat(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_collector_event leave = {.kind = SOTTO_COLLECTOR_LEAVE, .id = chorus_id(ACTOR)};
    struct sotto_collector_event answer = answer_in(chorus, SOTTO_STAGE_GATHERING);

    assert_int_equal(chorus_deliver(chorus, &answer).verdict, SOTTO_OK);
    assert_int_equal(chorus->protocol->collector_cohort_count(chorus->collector), 1);
    assert_int_equal(chorus_deliver(chorus, &leave).verdict, SOTTO_OK);
    assert_int_equal(chorus->protocol->collector_cohort_count(chorus->collector), 0);
    check_turned_down(chorus, &answer, SOTTO_UNEXPECTED);
    leave.id++;
    check_turned_down(chorus, &leave, SOTTO_FORGED);
}

/* Any cut into ranges gives the sum of the whole. */
static void unmask__in_ranges__gives_the_same_sum(void **state)
{
    enum { LANES = 5000 };
    static uint32_t whole[LANES];
    static uint32_t parts[LANES];
    struct chorus_setup setup = chorus_setup_of(COUNT, 25);
    struct chorus *chorus;
    struct sotto_lane_range range = {.first = 0, .count = LANES};

    (void)state;
    setup.lane_count = LANES;
    for (unsigned ring_bits = 14; ring_bits <= 32; ring_bits += 9) {
        setup.ring_bits = ring_bits;
        chorus = chorus_open(&setup);
        chorus_play_until(chorus, SOTTO_STAGE_INCLUDING);
        (void)chorus_play(chorus, ALL);
        (void)chorus_play(chorus, ALL);
        chorus_check_sum(chorus);
        memset(whole, 0, sizeof whole);
        memset(parts, 0, sizeof parts);
        range = (struct sotto_lane_range){.first = 0, .count = LANES};
        assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, whole, range),
                         SOTTO_OK);
        for (range.first = 0; range.first < LANES; range.first += range.count) {
            range.count = range.first + 1240 < LANES ? 1240 : LANES - range.first;
            assert_int_equal(
                chorus->protocol->collector_unmask(chorus->collector, parts + range.first, range),
                SOTTO_OK);
        }
        assert_memory_equal(whole, parts, sizeof whole);
        chorus_close(chorus);
    }
}

static void unmask__outside_the_lanes__is_unexpected(void **state)
{
    struct chorus *chorus = *state;
    const struct sotto_lane_range ranges[] = {{0, 9}, {8, 1}, {4, 2}, {16, 0}, {0, SIZE_MAX}};
    uint32_t sum[16] = {0};

    chorus_play_until(chorus, SOTTO_STAGE_UNMASKED);
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        assert_int_equal(chorus->protocol->collector_unmask(chorus->collector, sum, ranges[i]),
                         SOTTO_UNEXPECTED);
}

static void open__terms_out_of_bounds__is_a_mismatch(void **state)
{
    struct chorus *chorus = *state;
    struct sotto_terms terms[6];
    struct sotto_collector *collector;

    for (size_t i = 0; i < 6; i++)
        terms[i] = chorus->terms;
    terms[0].survivors_min = 2;
    terms[1].cohort_min = COUNT + 1;
    terms[2].cohort_max = SOTTO_COHORT_MAX + 1;
    terms[3].ring_bits = 33;
    terms[4].lane_count = 0;
    terms[5].corrupt_fraction = 0.9;
    for (size_t i = 0; i < 6; i++) {
        const struct sotto_collector_setup setup = {
            .terms = &terms[i], .roster = &chorus->roster, .signing = &chorus->signing};

        assert_int_equal(chorus->protocol->collector_open(&collector, &chorus->arena, &setup),
                         SOTTO_MISMATCH);
    }
}

#define CHORUS_TEST(test) cmocka_unit_test_setup_teardown(test, chorus_setup_all, chorus_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message__of_another_length__is_malformed),
        cmocka_unit_test(message__repeated__is_acknowledged_and_changes_nothing),
        CHORUS_TEST(advert__in_the_name_of_another__is_forged),
        CHORUS_TEST(advert__of_a_stranger__is_forged),
        CHORUS_TEST(advert__flipped_bit__is_forged),
        CHORUS_TEST(advert__unusable_key__is_forged),
        CHORUS_TEST(advert__of_somebody_seated_under_another_id__is_forged),
        CHORUS_TEST(advert__cohort_full__is_unexpected),
        CHORUS_TEST(advert__organisation_full__is_refused_and_not_waited_for),
        CHORUS_TEST(inclusion__signed_by_another__is_forged),
        CHORUS_TEST(reveal__of_somebody_else__is_malformed),
        CHORUS_TEST(upload__without_shares__is_unexpected),
        CHORUS_TEST(stage__with_everybodys_answer__is_complete),
        cmocka_unit_test(leave__in_each_stage__is_a_dropout_until_the_upload),
        CHORUS_TEST(leave__after_the_advert__frees_the_seat),
        cmocka_unit_test(unmask__in_ranges__gives_the_same_sum),
        CHORUS_TEST(unmask__outside_the_lanes__is_unexpected),
        CHORUS_TEST(open__terms_out_of_bounds__is_a_mismatch),
    };

    return cmocka_run_group_tests_name("secagg_collector", tests, NULL, NULL);
}
