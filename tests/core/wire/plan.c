#include "core/wire/plan.h"

#include <math.h>
#include <string.h>

#include "tests/support/cmocka.h"
#include "tests/support/plan.h"

/* Encodes whatever the plan holds, and decodes it again. */
static enum sotto_status pass(struct sotto_plan *out, const struct sotto_plan *plan)
{
    uint8_t bytes[SOTTO_PLAN_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_plan_encode(&buffer, plan), SOTTO_OK);
    return sotto_plan_decode(out, sotto_view_buffer(&buffer));
}

static void assert_plans_equal(const struct sotto_plan *left, const struct sotto_plan *right)
{
    uint8_t bytes[2][SOTTO_PLAN_BYTES_MAX];
    struct sotto_buffer one = sotto_buffer_of(bytes[0], sizeof bytes[0]);
    struct sotto_buffer other = sotto_buffer_of(bytes[1], sizeof bytes[1]);

    assert_int_equal(sotto_plan_encode(&one, left), SOTTO_OK);
    assert_int_equal(sotto_plan_encode(&other, right), SOTTO_OK);
    assert_true(sotto_view_equal(sotto_view_buffer(&one), sotto_view_buffer(&other)));
}

static void plan__encoded__comes_back_field_by_field(void **state)
{
    struct sotto_plan plan;
    struct sotto_plan back;

    (void)state;
    plan_sample(&plan);
    assert_int_equal(pass(&back, &plan), SOTTO_OK);
    assert_plans_equal(&plan, &back);
    assert_string_equal(back.protocol, "secaggplus");
    assert_string_equal(back.campaign, "wards");
    assert_int_equal(back.round, 3);
    assert_memory_equal(back.roster.bytes, plan.roster.bytes, 32);
    assert_true(back.recipe.learning_rate_start == 3e-3);
    assert_true(back.recipe.learning_rate_end == 2e-3);
    assert_int_equal(back.deadlines.gathering_ms, 10000);
    assert_int_equal(back.deadlines.revealing_ms, 13000);
    assert_int_equal(back.nonce[31], 0x55);
}

/* The widest values still fit the limit of a plan. */
static void plan__widest_values__fit(void **state)
{
    struct sotto_plan plan;
    struct sotto_plan back;

    (void)state;
    plan_sample(&plan);
    memset(plan.protocol, 'p', sizeof plan.protocol - 1);
    memset(plan.campaign, 'c', sizeof plan.campaign - 1);
    plan.round = UINT32_MAX;
    plan.lane_count = 1 << 28;
    plan.roster_epoch = 1ULL << 53;
    plan.deadlines.uploading_ms = 7 * 24 * 3600 * 1000;
    assert_int_equal(pass(&back, &plan), SOTTO_OK);
    assert_plans_equal(&plan, &back);
}

enum change_kind { CHANGE_U32, CHANGE_U64, CHANGE_F64 };

/* One number of a good plan replaced by another. */
struct change {
    const char *field; /* that the fault names */
    enum change_kind kind;
    size_t offset;
    double number;
};

#define U32(member)  #member, CHANGE_U32, offsetof(struct sotto_plan, member)
#define U64(member)  #member, CHANGE_U64, offsetof(struct sotto_plan, deadlines.member)
#define F64(member)  #member, CHANGE_F64, offsetof(struct sotto_plan, member)
#define RATE(member) #member, CHANGE_F64, offsetof(struct sotto_plan, recipe.member)

static void apply_change(struct sotto_plan *plan, const struct change *change)
{
    uint8_t *place = (uint8_t *)plan + change->offset;
    uint32_t narrow = 0;
    uint64_t wide = 0;

    switch (change->kind) {
    case CHANGE_U32:
        narrow = (uint32_t)change->number;
        memcpy(place, &narrow, sizeof narrow);
        break;
    case CHANGE_U64:
        wide = (uint64_t)change->number;
        memcpy(place, &wide, sizeof wide);
        break;
    case CHANGE_F64: memcpy(place, &change->number, sizeof change->number); break;
    }
}

static const struct change bad_numbers[] = {
    {U32(round), 0},
    {U32(lane_count), 1},
    {U32(lane_count), (1 << 28) + 1},
    {U32(ring_bits), 7},
    {U32(ring_bits), 33},
    {U32(value_bits), 1},
    {U32(value_bits), 25},
    {U32(weight_max), 0},
    {F64(clip_norm), 0},
    {F64(clip_norm), -1},
    {F64(clip_norm), NAN},
    {F64(clip_norm), INFINITY},
    {U32(cohort_min), 2},
    {U32(cohort_max), 10001},
    {U32(survivors_min), 2},
    {F64(corrupt_fraction), -0.01},
    {F64(corrupt_fraction), 0.51},
    {F64(corrupt_fraction), NAN},
    {F64(lane_range), 0},
    {F64(lane_range), NAN},
    {F64(dropout_fraction), -0.01},
    {F64(dropout_fraction), 0.91},
    {F64(dropout_fraction), NAN},
    {F64(noise_multiplier), -1},
    {F64(noise_multiplier), NAN},
    {U32(rotate), 2},
    {U32(feedback), 2},
    {U32(organisation_max), UINT32_MAX},
    {"epochs", CHANGE_U32, offsetof(struct sotto_plan, recipe.epochs), 0},
    {"epochs", CHANGE_U32, offsetof(struct sotto_plan, recipe.epochs), 101},
    {"batch", CHANGE_U32, offsetof(struct sotto_plan, recipe.batch), 0},
    {"batch", CHANGE_U32, offsetof(struct sotto_plan, recipe.batch), 1025},
    {RATE(learning_rate_start), -1e-9},
    {RATE(learning_rate_start), NAN},
    {RATE(learning_rate_end), INFINITY},
    {RATE(weight_decay), -1},
    {U64(gathering_ms), 99},
    {U64(sharing_ms), 0},
    {U64(uploading_ms), 604800001},
    {U64(including_ms), 99},
    {U64(revealing_ms), 0x1p63},
};

static void plan__number_out_of_range__is_refused_and_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_numbers / sizeof bad_numbers[0]; i++) {
        struct sotto_fault fault = {0};
        struct sotto_plan untouched;
        struct sotto_plan plan;

        plan_sample(&plan);
        plan_sample(&untouched);
        apply_change(&plan, &bad_numbers[i]);
        assert_int_equal(sotto_plan_check(&plan, &fault), SOTTO_MALFORMED);
        assert_ptr_equal(strstr(fault.text, bad_numbers[i].field), fault.text);
        assert_int_equal(pass(&untouched, &plan), SOTTO_MALFORMED);
        plan_sample(&plan);
        assert_plans_equal(&untouched, &plan);
    }
}

static const struct change edge_numbers[] = {
    {U32(lane_count), 2},         {U32(lane_count), 1 << 28},     {F64(corrupt_fraction), 0},
    {F64(corrupt_fraction), 0.5}, {RATE(learning_rate_start), 0}, {RATE(weight_decay), 0},
    {U64(gathering_ms), 100},     {U64(revealing_ms), 604800000}, {U32(cohort_max), 128},
    {F64(clip_norm), 10},         {U32(survivors_min), 3},        {U32(value_bits), 2},
    {F64(lane_range), 1e-300},    {F64(dropout_fraction), 0},     {F64(dropout_fraction), 0.9},
    {F64(lane_range), 10},
};

static void plan__number_at_its_edge__passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof edge_numbers / sizeof edge_numbers[0]; i++) {
        struct sotto_plan plan;
        struct sotto_plan back;

        plan_sample(&plan);
        plan.weight_max = 256;
        apply_change(&plan, &edge_numbers[i]);
        assert_int_equal(pass(&back, &plan), SOTTO_OK);
    }
}

static void plan__cohort_bounds_fall__is_a_mismatch(void **state)
{
    const uint32_t wrong[][3] = {{5, 4, 5}, {4, 6, 5}, {6, 5, 5}, {3, 128, 127}};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct sotto_fault fault = {0};
        struct sotto_plan plan;

        plan_sample(&plan);
        plan.weight_max = 1;
        plan.survivors_min = wrong[i][0];
        plan.cohort_min = wrong[i][1];
        plan.cohort_max = wrong[i][2];
        assert_int_equal(pass(&plan, &plan), SOTTO_MISMATCH);
        assert_int_equal(sotto_plan_check(&plan, &fault), SOTTO_MISMATCH);
        assert_non_null(strstr(fault.text, "survivors_min"));
    }
}

static void plan__range_above_clip__is_a_mismatch(void **state)
{
    struct sotto_fault fault = {0};
    struct sotto_plan plan;

    (void)state;
    plan_sample(&plan);
    plan.lane_range = nextafter(plan.clip_norm, INFINITY);
    assert_int_equal(sotto_plan_check(&plan, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "lane_range"));
}

/* cohort_max * weight_max * (2^(value_bits - 1) - 1) against 2^(ring_bits - 1), at its edge. */
static void plan__sum_could_wrap__is_a_mismatch(void **state)
{
    const struct {
        uint32_t cohort_max, weight_max, value_bits, ring_bits;
        enum sotto_status status;
    } cases[] = {
        {6, 10923, 16, 32, SOTTO_OK},             /* 65538 * 32767 = 2^31 - 2 */
        {7, 9363, 16, 32, SOTTO_MISMATCH},        /* 65541 * 32767 */
        {8, 8192, 16, 32, SOTTO_OK},              /* 2^16 * (2^15 - 1) */
        {9, 8192, 16, 32, SOTTO_MISMATCH},        /* above */
        {127, 1, 2, 8, SOTTO_OK},                 /* 127 < 128 */
        {128, 1, 2, 8, SOTTO_MISMATCH},           /* 128 */
        {4, 1, 8, 10, SOTTO_OK},                  /* 508 < 512 */
        {5, 1, 8, 10, SOTTO_MISMATCH},            /* 635 */
        {128, UINT32_MAX, 24, 32, SOTTO_MISMATCH} /* nearly 2^62 */
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sotto_plan plan;

        plan_sample(&plan);
        plan.survivors_min = 3;
        plan.cohort_min = 4;
        plan.cohort_max = cases[i].cohort_max;
        plan.weight_max = cases[i].weight_max;
        plan.value_bits = cases[i].value_bits;
        plan.ring_bits = cases[i].ring_bits;
        assert_int_equal(pass(&plan, &plan), cases[i].status);
    }
}

static void plan__name_with_other_characters__is_malformed(void **state)
{
    const char *const wrong[] = {"", "Wards", "a b", "a/b", "..", "-a", "é", "a_b", "a\n"};
    struct sotto_plan plan;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        plan_sample(&plan);
        strcpy(plan.campaign, wrong[i]);
        assert_int_equal(pass(&plan, &plan), SOTTO_MALFORMED);
        plan_sample(&plan);
        strcpy(plan.protocol, wrong[i]);
        assert_int_equal(pass(&plan, &plan), SOTTO_MALFORMED);
    }
    plan_sample(&plan);
    strcpy(plan.campaign, "2026-wards-b");
    assert_int_equal(pass(&plan, &plan), SOTTO_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan__encoded__comes_back_field_by_field),
        cmocka_unit_test(plan__widest_values__fit),
        cmocka_unit_test(plan__number_out_of_range__is_refused_and_named),
        cmocka_unit_test(plan__number_at_its_edge__passes),
        cmocka_unit_test(plan__cohort_bounds_fall__is_a_mismatch),
        cmocka_unit_test(plan__range_above_clip__is_a_mismatch),
        cmocka_unit_test(plan__sum_could_wrap__is_a_mismatch),
        cmocka_unit_test(plan__name_with_other_characters__is_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
