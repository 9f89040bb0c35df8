/* The layout of an adapter: one list of tensors, one encoding, names that PEFT knows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/adapter/layout.h"
#include "models/arch/arch.h"
#include "tests/support/cmocka.h"

static const struct sotto_arch tiny = {.width = 16, .mlp_width = 64, .block_count = 2};

static struct sotto_adapter_choice choice_of(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = {
        .rank = rank, .alpha = 8, .label_count = 3, .labels = {"bag", "coat", "ankle-boot"}};

    if (targets != NULL)
        assert_int_equal(sotto_target_set_parse(&choice.target_set, targets, NULL), SOTTO_OK);
    return choice;
}

static struct sotto_layout layout_of(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = choice_of(rank, targets);
    struct sotto_layout layout;

    assert_int_equal(sotto_layout_derive(&layout, &tiny, &choice, NULL), SOTTO_OK);
    return layout;
}

static void layout__all_linear__has_each_tensor_once_without_gaps(void **state)
{
    struct sotto_layout layout = layout_of(4, "all-linear");
    size_t next = 0;

    (void)state;
    assert_int_equal(layout.tensor_count, 2 * 6 * 2 + 2);
    for (size_t i = 0; i < layout.tensor_count; i++) {
        assert_int_equal(layout.tensors[i].first, next);
        next += (size_t)layout.tensors[i].rows * layout.tensors[i].columns;
    }
    assert_int_equal(layout.lane_count, next);
    assert_int_equal(next, 2 * (4 * 4 * (16 + 16) + 2 * 4 * (16 + 64)) + 3 * 16 + 3);
}

static void layout__rank_0__is_the_head_alone(void **state)
{
    struct sotto_layout layout = layout_of(0, "query,value");

    (void)state;
    assert_int_equal(layout.tensor_count, 2);
    assert_int_equal(layout.lane_count, 3 * 16 + 3);
    assert_int_equal(layout.choice.target_set, 0);
}

static void layout__names__are_those_of_peft(void **state)
{
    struct sotto_layout layout = layout_of(4, "all-linear");
    char name[SOTTO_TENSOR_TEXT_MAX + 1];

    (void)state;
    sotto_layout_tensor_name(name, &layout, 0);
    assert_string_equal(
        name, "base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight");
    sotto_layout_tensor_name(name, &layout, 7);
    assert_string_equal(
        name, "base_model.model.vit.encoder.layer.0.attention.output.dense.lora_B.weight");
    sotto_layout_tensor_name(name, &layout, 22);
    assert_string_equal(name, "base_model.model.vit.encoder.layer.1.output.dense.lora_A.weight");
    sotto_layout_tensor_name(name, &layout, 24);
    assert_string_equal(name, "base_model.model.classifier.weight");
    sotto_layout_tensor_name(name, &layout, 25);
    assert_string_equal(name, "base_model.model.classifier.bias");
}

static void layout__encoded__decodes_to_the_same(void **state)
{
    const uint32_t ranks[] = {0, 1, SOTTO_RANK_MAX};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct sotto_layout layout = layout_of(ranks[i], "key,output.dense");
        struct sotto_layout decoded;
        uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX];
        struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

        assert_int_equal(sotto_layout_encode(&out, &layout), SOTTO_OK);
        assert_int_equal(sotto_layout_decode(&decoded, sotto_view_buffer(&out)), SOTTO_OK);
        assert_memory_equal(&decoded, &layout, sizeof layout);
    }
}

static void layout__cut_or_lengthened_bytes__are_refused(void **state)
{
    struct sotto_layout layout = layout_of(4, "query");
    struct sotto_layout decoded = {.width = 7};
    uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX] = {0};
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(sotto_layout_encode(&out, &layout), SOTTO_OK);
    for (size_t length = 0; length < out.length; length++)
        assert_int_equal(sotto_layout_decode(&decoded, sotto_view_of(bytes, length)),
                         SOTTO_MALFORMED);
    assert_int_equal(sotto_layout_decode(&decoded, sotto_view_of(bytes, out.length + 1)),
                     SOTTO_MALFORMED);
    assert_int_equal(decoded.width, 7);
}

static void layout__bytes_of_another_encoding__are_refused(void **state)
{
    struct sotto_layout layout = layout_of(0, NULL);
    struct sotto_layout decoded;
    uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    layout.choice.target_set = 1;
    assert_int_equal(sotto_layout_encode(&out, &layout), SOTTO_OK);
    assert_int_equal(sotto_layout_decode(&decoded, sotto_view_buffer(&out)), SOTTO_MALFORMED);
}

static void assert_choice_refused(const struct sotto_adapter_choice *choice,
                                  enum sotto_status expected, const char *words)
{
    struct sotto_layout layout = {.width = 7};
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_layout_derive(&layout, &tiny, choice, &fault), expected);
    assert_non_null(strstr(fault.text, words));
    assert_int_equal(layout.width, 7);
}

static void layout__choice_out_of_bounds__names_the_field(void **state)
{
    struct sotto_adapter_choice choice = choice_of(SOTTO_RANK_MAX + 1, "query");

    (void)state;
    assert_choice_refused(&choice, SOTTO_OVER_LIMIT, "rank");
    choice = choice_of(4, "query");
    choice.alpha = NAN;
    assert_choice_refused(&choice, SOTTO_MALFORMED, "alpha");
    choice = choice_of(4, NULL);
    assert_choice_refused(&choice, SOTTO_MALFORMED, "targets");
    choice = choice_of(4, "query");
    choice.label_count = 1;
    assert_choice_refused(&choice, SOTTO_OVER_LIMIT, "labels");
}

static void layout__label_that_can_name_no_folder__is_refused(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a\nb", "\x7f", "\xff", "\xc0\xaf"};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sotto_adapter_choice choice = choice_of(0, NULL);

        snprintf(choice.labels[1], sizeof choice.labels[1], "%s", bad[i]);
        assert_choice_refused(&choice, SOTTO_MALFORMED, "number 2");
    }
}

static void layout__label_twice__is_refused(void **state)
{
    struct sotto_adapter_choice choice = choice_of(0, NULL);

    (void)state;
    snprintf(choice.labels[2], sizeof choice.labels[2], "bag");
    assert_choice_refused(&choice, SOTTO_MALFORMED, "\"bag\" is there twice");
}

static void layout__more_tensors_than_the_limit__is_refused(void **state)
{
    struct sotto_arch deep = {.width = 16, .mlp_width = 64, .block_count = 200};
    struct sotto_adapter_choice choice = choice_of(1, "all-linear");
    struct sotto_layout layout;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_layout_derive(&layout, &deep, &choice, &fault), SOTTO_OVER_LIMIT);
    assert_non_null(strstr(fault.text, "choose fewer"));
}

static void layout__start__is_uniform_in_a_and_zero_elsewhere(void **state)
{
    struct sotto_layout layout = layout_of(64, "query");
    float lanes[16384];
    struct sotto_entropy entropy;
    float largest = 0;

    (void)state;
    assert_true(layout.lane_count <= sizeof lanes / sizeof lanes[0]);
    sotto_entropy_init_seeded(&entropy, 1);
    sotto_layout_start(lanes, &layout, &entropy);
    for (size_t lane = 0; lane < layout.lane_count; lane++) {
        bool is_in_a =
            lane < 64 * 16 || (lane >= layout.tensors[2].first && lane < layout.tensors[3].first);

        if (is_in_a)
            largest = fmaxf(largest, fabsf(lanes[lane]));
        else
            assert_true(lanes[lane] == 0.0f);
    }
    assert_true(largest > 0.24f && largest <= 0.25f);
}

static void target_set__unknown_or_repeated_name__is_refused(void **state)
{
    static const char *const bad[] = {"",      "query,",     "querys", "query,query",
                                      "Query", "all-linear,"};
    struct sotto_fault fault = {0};
    uint32_t set = 77;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sotto_target_set_parse(&set, bad[i], &fault), SOTTO_MALFORMED);
    assert_int_equal(set, 77);
    assert_non_null(strstr(fault.text, "all-linear, or a list"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout__all_linear__has_each_tensor_once_without_gaps),
        cmocka_unit_test(layout__rank_0__is_the_head_alone),
        cmocka_unit_test(layout__names__are_those_of_peft),
        cmocka_unit_test(layout__encoded__decodes_to_the_same),
        cmocka_unit_test(layout__cut_or_lengthened_bytes__are_refused),
        cmocka_unit_test(layout__bytes_of_another_encoding__are_refused),
        cmocka_unit_test(layout__choice_out_of_bounds__names_the_field),
        cmocka_unit_test(layout__label_that_can_name_no_folder__is_refused),
        cmocka_unit_test(layout__label_twice__is_refused),
        cmocka_unit_test(layout__more_tensors_than_the_limit__is_refused),
        cmocka_unit_test(layout__start__is_uniform_in_a_and_zero_elsewhere),
        cmocka_unit_test(target_set__unknown_or_repeated_name__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
