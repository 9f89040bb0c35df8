/* Definitions field by field, and what comes next in a campaign. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/schedule/timetable.h"
#include "tests/support/cmocka.h"

static struct sotto_definition definition_sample(void)
{
    struct sotto_definition definition;

    sotto_definition_init(&definition);
    memcpy(definition.name, "wards", sizeof "wards");
    memcpy(definition.base_name, "base", sizeof "base");
    definition.lane_count = 1000;
    definition.lanes_a = 600;
    definition.lanes_b = 500;
    definition.method = SOTTO_METHOD_FEDIT;
    return definition;
}

static void definition__written_and_read__is_the_same(void **state)
{
    struct sotto_definition definition = definition_sample(), read;
    char *text;

    (void)state;
    memset(definition.adapter.bytes, 0xa5, sizeof definition.adapter.bytes);
    definition.learning_rate = 1.0 / 3;
    definition.seed = UINT32_MAX;
    text = sotto_definition_encode(&definition);
    assert_non_null(text);
    assert_int_equal(sotto_definition_decode(&read, sotto_view_text(text), NULL), SOTTO_OK);
    assert_memory_equal(&read, &definition, sizeof read);
    free(text);
}

/* A start that was not drawn has none; 0 is a seed like any other. */
static void definition__seed_or_none__is_kept_apart(void **state)
{
    static const struct {
        const char *text;
        int64_t seed; /* below -1: refused */
    } rows[] = {{"null", -1},       {"0", 0},   {"7", 7},    {"4294967295", UINT32_MAX},
                {"4294967296", -2}, {"-1", -2}, {"1.5", -2}, {"\"7\"", -2},
                {"true", -2}};
    struct sotto_definition definition = definition_sample(), read;
    char *text = sotto_definition_encode(&definition);
    char *at = strstr(text, "\"seed\": null");

    (void)state;
    assert_non_null(at);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char altered[4096];
        struct sotto_fault fault = {0};

        snprintf(altered, sizeof altered, "%.*s\"seed\": %s%s", (int)(at - text), text,
                 rows[i].text, at + strlen("\"seed\": null"));
        assert_int_equal(sotto_definition_decode(&read, sotto_view_text(altered), &fault),
                         rows[i].seed < -1 ? SOTTO_MALFORMED : SOTTO_OK);
        if (rows[i].seed < -1)
            assert_non_null(strstr(fault.text, "seed has to be a whole number"));
        else
            assert_true(read.seed == rows[i].seed);
    }
    free(text);
}

/* Each key missing, and each with a value of another kind. */
static void definition__any_key_missing_or_of_another_kind__is_named(void **state)
{
    static const char *const keys[] = {"name",      "base_model", "lane_count",  "rounds",
                                       "ring_bits", "clip_norm",  "revealing_s", "layout"};
    struct sotto_definition definition = definition_sample(), read;
    char *text = sotto_definition_encode(&definition);

    (void)state;
    assert_non_null(text);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        char *altered = strdup(text), quoted[32], *at;
        struct sotto_fault fault;

        snprintf(quoted, sizeof quoted, "\"%s\":", keys[i]);
        at = strstr(altered, quoted);
        assert_non_null(at);
        at[1] ^= 0x20;
        assert_int_equal(sotto_definition_decode(&read, sotto_view_text(altered), &fault),
                         SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, keys[i]));
        at[1] ^= 0x20;
        at = strchr(at, ':');
        memcpy(at, ":[],", 4);
        memset(at + 4, ' ', strcspn(at + 4, ",\n}") + (at[4 + strcspn(at + 4, ",\n}")] == ','));
        if (sotto_definition_decode(&read, sotto_view_text(altered), &fault) == SOTTO_OK)
            fail_msg("%s may be a list", keys[i]);
        free(altered);
    }
    free(text);
}

static void assert_wrong(const struct sotto_definition *definition, enum sotto_status status,
                         const char *words)
{
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_definition_check(definition, &fault), status);
    if (strstr(fault.text, words) == NULL)
        fail_msg("'%s' is not in '%s'", words, fault.text);
}

static void definition__field_out_of_range__is_named(void **state)
{
    struct sotto_definition definition = definition_sample();

    (void)state;
    definition.rounds = 0;
    assert_wrong(&definition, SOTTO_MALFORMED, "rounds");
    definition = definition_sample();
    definition.learning_rate = NAN;
    assert_wrong(&definition, SOTTO_MALFORMED, "learning_rate");
    definition = definition_sample();
    definition.name[0] = 'W';
    assert_wrong(&definition, SOTTO_MALFORMED, "name");
    definition.name[0] = '-';
    assert_wrong(&definition, SOTTO_MALFORMED, "not begin with");
    definition = definition_sample();
    definition.survivors_min = definition.cohort_min + 1;
    assert_wrong(&definition, SOTTO_MISMATCH, "have to ascend");
    definition = definition_sample();
    definition.weight_max = 1 << 20;
    assert_wrong(&definition, SOTTO_MISMATCH, "could wrap");
    definition = definition_sample();
    definition.cohort_min = definition.survivors_min = 1500;
    definition.cohort_max = 2000;
    assert_wrong(&definition, SOTTO_MISMATCH, "keeps survivors_min 1500");
    definition = definition_sample();
    definition.corrupt_fraction = 0.5;
    definition.cohort_min = definition.survivors_min = 3;
    assert_wrong(&definition, SOTTO_MISMATCH, "lower survivors_min");
}

static void definition__noise_that_cannot_be_made__says_why(void **state)
{
    struct sotto_definition definition = definition_sample();

    (void)state;
    definition.noise_multiplier = 1;
    assert_wrong(&definition, SOTTO_MISMATCH, "weight_max has to be 1");
    definition.weight_max = 1;
    definition.cohort_min = definition.cohort_max = 20;
    assert_int_equal(sotto_definition_check(&definition, NULL), SOTTO_OK);
    definition.ring_bits = 20;
    assert_wrong(&definition, SOTTO_MISMATCH, "with noise");
    definition.ring_bits = 32;
    definition.survivors_min = 3;
    definition.corrupt_fraction = 0.15;
    assert_wrong(&definition, SOTTO_MISMATCH, "survivors_min");
    definition = definition_sample();
    definition.noise_multiplier = 1001;
    assert_wrong(&definition, SOTTO_MALFORMED, "noise_multiplier");
}

static void definition__rebasing_with_what_would_not_follow__is_refused(void **state)
{
    struct sotto_definition definition = definition_sample();

    (void)state;
    definition.method = SOTTO_METHOD_FFA_SVD;
    assert_int_equal(sotto_definition_check(&definition, NULL), SOTTO_OK);
    definition.feedback = 1;
    assert_wrong(&definition, SOTTO_MISMATCH, "feedback");
    definition.feedback = 0;
    definition.server = SOTTO_SERVER_FEDYOGI;
    assert_wrong(&definition, SOTTO_MISMATCH, "fedyogi");
    definition.method = SOTTO_METHOD_FFA;
    assert_int_equal(sotto_definition_check(&definition, NULL), SOTTO_OK);
    definition.lanes_b = definition.lane_count + 1;
    assert_wrong(&definition, SOTTO_MISMATCH, "lanes_b");
}

static void definition__method_of_another_name__is_refused(void **state)
{
    struct sotto_definition definition = definition_sample(), read;
    char *text = sotto_definition_encode(&definition), *at;
    struct sotto_fault fault;

    (void)state;
    assert_non_null(text);
    at = strstr(text, "\"fedit\"");
    assert_non_null(at);
    memcpy(at, "\"fedot\"", 7);
    assert_int_equal(sotto_definition_decode(&read, sotto_view_text(text), &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "method"));
    free(text);
}

/* What each method trains in the first four finished rounds, and how many lanes that is. */
static void timetable__method__says_what_a_round_trains(void **state)
{
    static const char parts[SOTTO_METHOD_COUNT][5] = {"....", "bbbb", "bbbb", "baba"};
    struct sotto_definition definition = definition_sample();
    struct sotto_digest roster = {{0}};
    uint8_t nonce[32] = {0};
    struct sotto_round_terms terms = {.roster = &roster, .nonce = nonce};

    (void)state;
    for (uint32_t method = 0; method < SOTTO_METHOD_COUNT; method++) {
        for (uint32_t finished = 0; finished < 4; finished++) {
            struct sotto_progress progress = {.round_newest = 7, .finished = finished};
            char part = parts[method][finished];
            struct sotto_plan plan;

            definition.method = (enum sotto_method)method;
            sotto_timetable_plan(&plan, &definition, &progress, &terms);
            assert_int_equal(plan.lane_count, part == 'a' ? 601 : part == 'b' ? 501 : 1001);
            assert_int_equal(plan.trained, part == 'a' ? 1 : part == 'b' ? 2 : 0);
        }
    }
}

static void definition__deadline_that_no_plan_has__is_refused(void **state)
{
    static const size_t deadlines[] = {offsetof(struct sotto_definition, gathering_s),
                                       offsetof(struct sotto_definition, sharing_s),
                                       offsetof(struct sotto_definition, uploading_s),
                                       offsetof(struct sotto_definition, including_s),
                                       offsetof(struct sotto_definition, revealing_s)};
    struct sotto_progress progress = {0};
    struct sotto_digest roster = {{0}};
    uint8_t nonce[32] = {0};
    struct sotto_round_terms terms = {.roster = &roster, .nonce = nonce};

    (void)state;
    for (size_t i = 0; i < sizeof deadlines / sizeof *deadlines; i++) {
        struct sotto_definition definition = definition_sample();
        double *deadline_s = (double *)((char *)&definition + deadlines[i]);
        struct sotto_plan plan;

        *deadline_s = 0.099;
        assert_wrong(&definition, SOTTO_MALFORMED, "_s");
        *deadline_s = 604801;
        assert_wrong(&definition, SOTTO_MALFORMED, "_s");
        for (int longest = 0; longest < 2; longest++) {
            *deadline_s = longest ? 604800 : 0.1;
            assert_int_equal(sotto_definition_check(&definition, NULL), SOTTO_OK);
            sotto_timetable_plan(&plan, &definition, &progress, &terms);
            assert_int_equal(sotto_plan_check(&plan, NULL), SOTTO_OK);
        }
    }
}

/* 512 is the largest power of two in 1000 lanes. */
static void definition__no_lane_range__is_what_the_values_need(void **state)
{
    struct sotto_definition definition = definition_sample();

    (void)state;
    assert_true(sotto_definition_lane_range(&definition, SOTTO_TRAINED_ALL) ==
                definition.clip_norm);
    definition.rotate = 1;
    assert_true(fabs(sotto_definition_lane_range(&definition, SOTTO_TRAINED_ALL) - 60 / sqrt(512)) <
                1e-12);
    definition.lane_range = 2;
    assert_true(sotto_definition_lane_range(&definition, SOTTO_TRAINED_ALL) == 2);
    definition.lane_range = 0;
    definition.lane_count = 4;
    assert_true(sotto_definition_lane_range(&definition, SOTTO_TRAINED_ALL) ==
                definition.clip_norm);
}

static void definition__key_twice_or_too_many__is_refused(void **state)
{
    struct sotto_definition read;

    (void)state;
    assert_int_equal(
        sotto_definition_decode(&read, sotto_view_text("{\"name\": \"a\", \"name\": \"b\"}"), NULL),
        SOTTO_MALFORMED);
    assert_int_equal(sotto_definition_decode(&read, sotto_view_text("[]"), NULL), SOTTO_MALFORMED);
    assert_int_equal(sotto_definition_decode(&read, sotto_view_text("{"), NULL), SOTTO_MALFORMED);
}

static void timetable__rates__fall_by_a_cosine_to_a_twentieth(void **state)
{
    struct sotto_definition definition = definition_sample();
    struct sotto_progress progress = {0};
    struct sotto_digest roster = {{0}};
    uint8_t nonce[32] = {0};
    struct sotto_round_terms terms = {.roster = &roster, .nonce = nonce};
    struct sotto_plan plan;
    double before = definition.learning_rate;

    (void)state;
    for (progress.finished = 0; progress.finished < definition.rounds; progress.finished++) {
        sotto_timetable_plan(&plan, &definition, &progress, &terms);
        assert_true(fabs(plan.recipe.learning_rate_start - before) < 1e-15);
        assert_true(plan.recipe.learning_rate_end < plan.recipe.learning_rate_start);
        before = plan.recipe.learning_rate_end;
        if (progress.finished == 4)
            assert_true(fabs(before / definition.learning_rate - 0.525) < 1e-12);
    }
    assert_true(fabs(before / definition.learning_rate - 0.05) < 1e-12);
}

static void timetable__plan__decodes_and_counts_the_weight_lane(void **state)
{
    struct sotto_definition definition = definition_sample();
    struct sotto_progress progress = {.round_newest = 6, .finished = 4};
    struct sotto_digest roster = {{3}};
    uint8_t nonce[32] = {0}, bytes[SOTTO_PLAN_BYTES_MAX];
    struct sotto_round_terms terms = {.roster = &roster, .roster_epoch = 9, .nonce = nonce};
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);
    struct sotto_plan plan, read;

    (void)state;
    sotto_timetable_plan(&plan, &definition, &progress, &terms);
    assert_int_equal(sotto_plan_encode(&out, &plan), SOTTO_OK);
    assert_int_equal(sotto_plan_decode(&read, sotto_view_buffer(&out)), SOTTO_OK);
    assert_int_equal(read.round, 7);
    assert_int_equal(read.lane_count, 1001);
    assert_int_equal(read.deadlines.uploading_ms, 3600000);
    assert_int_equal(read.roster_epoch, 9);
}

static void timetable__progress__decides_what_comes_next(void **state)
{
    struct sotto_definition definition = definition_sample();
    struct sotto_progress progress = {.finished = 9, .abandoned_in_a_row = 9};

    (void)state;
    assert_int_equal(sotto_timetable_next(&definition, &progress), SOTTO_NEXT_ROUND);
    assert_true(sotto_timetable_is_last(&definition, &progress));
    progress.abandoned_in_a_row = SOTTO_ABANDONED_IN_A_ROW_MAX;
    assert_int_equal(sotto_timetable_next(&definition, &progress), SOTTO_NEXT_PAUSE);
    progress.finished = 10;
    assert_int_equal(sotto_timetable_next(&definition, &progress), SOTTO_NEXT_FINISHED);
    progress.finished = 8;
    assert_false(sotto_timetable_is_last(&definition, &progress));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(definition__written_and_read__is_the_same),
        cmocka_unit_test(definition__seed_or_none__is_kept_apart),
        cmocka_unit_test(definition__any_key_missing_or_of_another_kind__is_named),
        cmocka_unit_test(definition__field_out_of_range__is_named),
        cmocka_unit_test(definition__noise_that_cannot_be_made__says_why),
        cmocka_unit_test(definition__rebasing_with_what_would_not_follow__is_refused),
        cmocka_unit_test(definition__method_of_another_name__is_refused),
        cmocka_unit_test(timetable__method__says_what_a_round_trains),
        cmocka_unit_test(definition__deadline_that_no_plan_has__is_refused),
        cmocka_unit_test(definition__no_lane_range__is_what_the_values_need),
        cmocka_unit_test(definition__key_twice_or_too_many__is_refused),
        cmocka_unit_test(timetable__rates__fall_by_a_cosine_to_a_twentieth),
        cmocka_unit_test(timetable__plan__decodes_and_counts_the_weight_lane),
        cmocka_unit_test(timetable__progress__decides_what_comes_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
