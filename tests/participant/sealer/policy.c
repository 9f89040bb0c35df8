#include "participant/sealer/policy.h"

#include <math.h>
#include <string.h>

#include "models/trainer.h"
#include "tests/support/cmocka.h"

static struct sotto_policy policy_sample(void)
{
    struct sotto_policy policy;

    sotto_policy_init(&policy);
    policy.has_roster = true;
    memset(&policy.roster, 0x5a, sizeof policy.roster);
    policy.refuse_close_cohorts = true;
    policy.rank_max = 0;
    policy.target_set = 1u << SOTTO_TARGET_VALUE;
    policy.has_roster_authority = true;
    memset(&policy.roster_authority, 0x6b, sizeof policy.roster_authority);
    policy.organisation_max = 2;
    policy.epsilon_max = 8;
    policy.epsilon_round_max = 0.75;
    policy.known_min = 1;
    policy.known_count = SOTTO_KNOWN_MAX;
    for (size_t index = 0; index < SOTTO_KNOWN_MAX; index++)
        memset(&policy.known[index], (int)index, sizeof policy.known[index]);
    return policy;
}

static void policy__defaults__are_valid(void **state)
{
    struct sotto_policy policy;

    (void)state;
    sotto_policy_init(&policy);
    assert_int_equal(sotto_policy_validate(&policy, NULL), SOTTO_OK);
    assert_int_equal(policy.cohort_min, 8);
    assert_int_equal(policy.survivors_min, 6);
}

static void policy__encoded__decodes_to_itself(void **state)
{
    struct sotto_policy policy = policy_sample();
    struct sotto_policy read;
    uint8_t bytes[SOTTO_POLICY_BYTES_MAX];
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(sotto_policy_encode(&buffer, &policy), SOTTO_OK);
    assert_int_equal(sotto_policy_decode(&read, sotto_view_buffer(&buffer)), SOTTO_OK);
    assert_int_equal(read.rank_max, 0);
    assert_true(read.refuse_close_cohorts);
    assert_true(read.has_roster);
    assert_false(read.has_base_model);
    assert_memory_equal(&read.roster, &policy.roster, sizeof read.roster);
    assert_int_equal(read.target_set, 1u << SOTTO_TARGET_VALUE);
    assert_true(read.has_roster_authority);
    assert_memory_equal(&read.roster_authority, &policy.roster_authority,
                        sizeof read.roster_authority);
    assert_int_equal(read.organisation_max, 2);
    assert_true(read.epsilon_max == policy.epsilon_max);
    assert_true(read.epsilon_round_max == policy.epsilon_round_max);
    assert_int_equal(read.known_min, 1);
    assert_int_equal(read.known_count, SOTTO_KNOWN_MAX);
    assert_memory_equal(read.known, policy.known, sizeof read.known);
}

static void policy__cut_or_longer__is_malformed(void **state)
{
    struct sotto_policy policy = policy_sample();
    struct sotto_policy read;
    uint8_t bytes[SOTTO_POLICY_BYTES_MAX] = {0};
    struct sotto_buffer buffer = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(sotto_policy_encode(&buffer, &policy), SOTTO_OK);
    for (size_t length = 0; length <= buffer.length + 1; length++)
        if (length != buffer.length)
            assert_int_equal(sotto_policy_decode(&read, sotto_view_of(bytes, length)),
                             SOTTO_MALFORMED);
}

static void policy__value_out_of_range__is_named(void **state)
{
    struct sotto_policy policy;
    struct sotto_fault fault = {0};

    (void)state;
    sotto_policy_init(&policy);
    policy.survivors_min = 9;
    assert_int_equal(sotto_policy_validate(&policy, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "survivors_min is 9"));
    sotto_policy_init(&policy);
    policy.known_count = 2;
    policy.known_min = 3;
    assert_int_equal(sotto_policy_validate(&policy, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "known_min is 3; it must be within 0 to 2"));
    sotto_policy_init(&policy);
    policy.clip_norm_max = NAN;
    assert_int_equal(sotto_policy_validate(&policy, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "clip_norm_max"));
    sotto_policy_init(&policy);
    policy.epsilon_round_max = -1;
    assert_int_equal(sotto_policy_validate(&policy, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "epsilon_round_max is -1"));
}

static void layout__trains_other_layers_than_the_policy__is_refused(void **state)
{
    static struct sotto_layout layout = {.choice.rank = 8};
    struct sotto_policy policy;

    (void)state;
    sotto_policy_init(&policy);
    layout.choice.target_set = (1u << SOTTO_TARGET_COUNT) - 1;
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_NONE);
    policy.target_set = 1u << SOTTO_TARGET_QUERY | 1u << SOTTO_TARGET_VALUE;
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_LAYOUT);
    layout.choice.target_set = 1u << SOTTO_TARGET_VALUE;
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_NONE);
    layout.choice.target_set = 1u << SOTTO_TARGET_VALUE | 1u << SOTTO_TARGET_KEY;
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_LAYOUT);
    layout.choice = (struct sotto_adapter_choice){.rank = 0};
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_NONE);
}

/* They are in every layer, and have no rank of their own to be limited by. */
static void layout__norms_and_biases_where_layers_are_limited__is_refused(void **state)
{
    static const struct sotto_layout layout = {.choice.kind = SOTTO_ADAPTER_NORM_BIAS};
    struct sotto_policy policy;

    (void)state;
    sotto_policy_init(&policy);
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_NONE);
    policy.rank_max = 0;
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_LAYOUT);
    sotto_policy_init(&policy);
    policy.target_set &= ~(1u << SOTTO_TARGET_MLP_GATE);
    assert_int_equal(sotto_policy_check_layout(&policy, NULL, &layout), SOTTO_REFUSAL_LAYOUT);
}

/* A plan says which part of the adapter moves, and how many lanes that is: both follow. */
static void layout__plan_of_another_part__is_refused(void **state)
{
    static struct sotto_layout layout;
    const struct sotto_arch arch = {.width = 8,
                                    .mlp_width = 16,
                                    .block_count = 1,
                                    .head_count = 2,
                                    .kv_head_count = 2,
                                    .head_width = 4};
    const struct sotto_adapter_choice choice = {.rank = 2,
                                                .alpha = 1,
                                                .target_set = 1u << SOTTO_TARGET_MLP_IN,
                                                .label_count = 2,
                                                .labels = {"left", "right"}};
    const uint32_t counts[] = {2 * 8 + 16 * 2 + 18, 2 * 8 + 18, 16 * 2 + 18};
    struct sotto_policy policy;

    (void)state;
    sotto_policy_init(&policy);
    assert_int_equal(sotto_layout_derive(&layout, &arch, &choice, NULL), SOTTO_OK);
    for (uint32_t at = 0; at < 9; at++) {
        const struct sotto_plan plan = {.trained = at / 3, .lane_count = counts[at % 3] + 1};

        assert_int_equal(sotto_policy_check_layout(&policy, &plan, &layout),
                         at / 3 == at % 3 ? SOTTO_REFUSAL_NONE : SOTTO_REFUSAL_LAYOUT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policy__defaults__are_valid),
        cmocka_unit_test(policy__encoded__decodes_to_itself),
        cmocka_unit_test(policy__cut_or_longer__is_malformed),
        cmocka_unit_test(layout__trains_other_layers_than_the_policy__is_refused),
        cmocka_unit_test(layout__norms_and_biases_where_layers_are_limited__is_refused),
        cmocka_unit_test(layout__plan_of_another_part__is_refused),
        cmocka_unit_test(policy__value_out_of_range__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
