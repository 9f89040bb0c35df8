/* The layout of an adapter: one list of tensors, one encoding, names that PEFT knows. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/adapter/layout.h"
#include "models/arch/arch.h"
#include "tests/support/cmocka.h"

static const struct sotto_arch tiny = {.width = 16,
                                       .mlp_width = 64,
                                       .block_count = 2,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 8,
                                       .has_qkv_bias = true,
                                       .has_out_bias = true,
                                       .has_mlp_bias = true};

/* Grouped heads: 32 wide queries of a 24 wide model, 8 wide keys. */
static const struct sotto_arch llama = {.family = SOTTO_FAMILY_LLAMA,
                                        .task = SOTTO_TASK_CAUSAL_LM,
                                        .width = 24,
                                        .mlp_width = 64,
                                        .block_count = 3,
                                        .head_count = 4,
                                        .kv_head_count = 1,
                                        .head_width = 8};

static struct sotto_adapter_choice choice_of(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = {
        .rank = rank, .alpha = 8, .label_count = 3, .labels = {"bag", "coat", "ankle-boot"}};

    if (targets != NULL)
        assert_int_equal(sotto_target_set_parse(&choice.target_set, targets, NULL), SOTTO_OK);
    return choice;
}

static struct sotto_layout layout_for(const struct sotto_arch *arch,
                                      const struct sotto_adapter_choice *choice)
{
    struct sotto_layout layout;
    struct sotto_fault fault = {0};

    if (sotto_layout_derive(&layout, arch, choice, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    return layout;
}

static struct sotto_layout layout_of(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = choice_of(rank, targets);

    return layout_for(&tiny, &choice);
}

static struct sotto_layout layout_of_llama(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = choice_of(rank, targets);

    choice.label_count = 0;
    return layout_for(&llama, &choice);
}

static void assert_name(const struct sotto_layout *layout, size_t tensor, const char *expected)
{
    char name[SOTTO_TENSOR_TEXT_MAX + 1];

    sotto_layout_tensor_name(name, layout, tensor);
    assert_string_equal(name, expected);
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

static void layout__names_of_vit__are_those_of_peft(void **state)
{
    struct sotto_layout layout = layout_of(4, "all-linear");

    (void)state;
    assert_name(&layout, 0,
                "base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight");
    assert_name(&layout, 7,
                "base_model.model.vit.encoder.layer.0.attention.output.dense.lora_B.weight");
    assert_name(&layout, 22, "base_model.model.vit.encoder.layer.1.output.dense.lora_A.weight");
    assert_name(&layout, 24, "base_model.model.classifier.weight");
    assert_name(&layout, 25, "base_model.model.classifier.bias");
}

static void layout__names_of_bert__are_those_of_peft(void **state)
{
    struct sotto_arch bert = tiny;
    struct sotto_adapter_choice choice = choice_of(4, "all-linear");
    struct sotto_layout layout;

    (void)state;
    bert.family = SOTTO_FAMILY_BERT;
    bert.task = SOTTO_TASK_TEXT_CLASS;
    layout = layout_for(&bert, &choice);
    assert_int_equal(layout.tensor_count, 2 * 6 * 2 + 2);
    assert_name(&layout, 0,
                "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight");
    assert_name(&layout, 9,
                "base_model.model.bert.encoder.layer.0.intermediate.dense.lora_B.weight");
    assert_name(&layout, 24, "base_model.model.classifier.weight");
}

static void layout__of_a_language_model__has_its_gate_and_no_head(void **state)
{
    struct sotto_layout layout = layout_of_llama(4, "all-linear");

    (void)state;
    assert_int_equal(layout.tensor_count, 3 * 7 * 2);
    assert_name(&layout, 0, "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight");
    assert_name(&layout, 7, "base_model.model.model.layers.0.self_attn.o_proj.lora_B.weight");
    assert_name(&layout, 13, "base_model.model.model.layers.0.mlp.gate_proj.lora_B.weight");
    assert_name(&layout, 41, "base_model.model.model.layers.2.mlp.gate_proj.lora_B.weight");
}

/* Rows of B and columns of A are those of the linear layer. */
static void layout__of_grouped_heads__follows_the_width_of_each_side(void **state)
{
    static const uint32_t ins[] = {24, 24, 24, 32, 24, 64, 24};
    static const uint32_t outs[] = {32, 8, 8, 24, 64, 24, 64};
    struct sotto_layout layout = layout_of_llama(4, "all-linear");

    (void)state;
    for (size_t target = 0; target < SOTTO_TARGET_COUNT; target++) {
        assert_int_equal(layout.tensors[2 * target].rows, 4);
        assert_int_equal(layout.tensors[2 * target].columns, ins[target]);
        assert_int_equal(layout.tensors[2 * target + 1].rows, outs[target]);
        assert_int_equal(layout.tensors[2 * target + 1].columns, 4);
    }
}

static void layout__top_blocks__leaves_the_lower_ones_alone(void **state)
{
    struct sotto_adapter_choice choice = choice_of(4, "query");
    struct sotto_layout layout;

    (void)state;
    choice.top_blocks = 1;
    layout = layout_for(&tiny, &choice);
    assert_int_equal(layout.tensor_count, 4);
    assert_int_equal(layout.first_block, 1);
    assert_int_equal(layout.tensors[0].block, 1);
    choice.top_blocks = 2;
    layout = layout_for(&tiny, &choice);
    assert_int_equal(layout.tensor_count, 6);
    assert_int_equal(layout.choice.top_blocks, 0);
}

static void layout__rank_pattern__gives_each_target_its_rank_and_scale(void **state)
{
    struct sotto_adapter_choice choice = choice_of(4, "query,value,output.dense");
    struct sotto_layout layout;

    (void)state;
    assert_int_equal(sotto_rank_pattern_parse(choice.ranks, "value=16,query=4", NULL), SOTTO_OK);
    layout = layout_for(&tiny, &choice);
    assert_int_equal(layout.tensors[0].rows, 4);
    assert_int_equal(layout.tensors[2].rows, 16);
    assert_int_equal(layout.tensors[4].rows, 4);
    assert_int_equal(layout.choice.ranks[SOTTO_TARGET_QUERY], 0);
    assert_int_equal(sotto_layout_rank_max(&layout), 16);
    assert_float_equal(sotto_layout_scale(&layout, SOTTO_TARGET_QUERY), 8.0 / 4, 0);
    assert_float_equal(sotto_layout_scale(&layout, SOTTO_TARGET_VALUE), 8.0 / 16, 0);
    choice.is_rank_stabilised = true;
    layout = layout_for(&tiny, &choice);
    assert_float_equal(sotto_layout_scale(&layout, SOTTO_TARGET_VALUE), 8.0 / 4, 0);
}

static void layout__norm_and_bias__has_their_vectors_and_the_head(void **state)
{
    struct sotto_adapter_choice choice = choice_of(4, "query");
    struct sotto_layout layout;

    (void)state;
    choice.kind = SOTTO_ADAPTER_NORM_BIAS;
    layout = layout_for(&tiny, &choice);
    assert_int_equal(layout.tensor_count, 2 * (4 + 6) + 2);
    assert_int_equal(layout.choice.rank, 0);
    assert_int_equal(layout.lane_count, 2 * (4 * 16 + 5 * 16 + 64) + 3 * 16 + 3);
    assert_name(&layout, 0, "base_model.model.vit.encoder.layer.0.layernorm_before.weight");
    assert_name(&layout, 3, "base_model.model.vit.encoder.layer.0.layernorm_after.bias");
    assert_name(&layout, 4, "base_model.model.vit.encoder.layer.0.attention.attention.query.bias");
    choice.label_count = 0;
    layout = layout_for(&llama, &choice);
    assert_int_equal(layout.tensor_count, 3 * 2);
    assert_name(&layout, 5, "base_model.model.model.layers.2.post_attention_layernorm.weight");
}

static void assert_survives_encoding(const struct sotto_layout *layout)
{
    struct sotto_layout decoded;
    uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    assert_int_equal(sotto_layout_encode(&out, layout), SOTTO_OK);
    assert_int_equal(sotto_layout_decode(&decoded, sotto_view_buffer(&out)), SOTTO_OK);
    assert_int_equal(decoded.first_block, layout->first_block);
    assert_int_equal(decoded.lane_count, layout->lane_count);
    assert_int_equal(decoded.tensor_count, layout->tensor_count);
    assert_memory_equal(decoded.tensors, layout->tensors, sizeof layout->tensors);
}

static void layout__encoded__decodes_to_the_same(void **state)
{
    const uint32_t ranks[] = {0, 1, SOTTO_RANK_MAX};
    struct sotto_adapter_choice choice = choice_of(4, "key,value");
    struct sotto_layout layout;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        layout = layout_of(ranks[i], "key,output.dense");
        assert_survives_encoding(&layout);
    }
    layout = layout_of_llama(2, "all-linear");
    assert_survives_encoding(&layout);
    choice.is_rank_stabilised = true;
    choice.ranks[SOTTO_TARGET_VALUE] = 7;
    choice.top_blocks = 1;
    layout = layout_for(&tiny, &choice);
    assert_survives_encoding(&layout);
    choice.kind = SOTTO_ADAPTER_NORM_BIAS;
    layout = layout_for(&tiny, &choice);
    assert_survives_encoding(&layout);
}

static void layout__cut_or_lengthened_bytes__are_refused(void **state)
{
    struct sotto_layout layout = layout_of(4, "query");
    struct sotto_layout decoded = {.lane_count = 7};
    uint8_t bytes[SOTTO_LAYOUT_BYTES_MAX] = {0};
    struct sotto_buffer out = sotto_buffer_of(bytes, sizeof bytes);

    (void)state;
    assert_int_equal(sotto_layout_encode(&out, &layout), SOTTO_OK);
    for (size_t length = 0; length < out.length; length++)
        assert_int_equal(sotto_layout_decode(&decoded, sotto_view_of(bytes, length)),
                         SOTTO_MALFORMED);
    assert_int_equal(sotto_layout_decode(&decoded, sotto_view_of(bytes, out.length + 1)),
                     SOTTO_MALFORMED);
    assert_int_equal(decoded.lane_count, 7);
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
    struct sotto_layout layout = {.lane_count = 7};
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_layout_derive(&layout, &tiny, choice, &fault), expected);
    assert_non_null(strstr(fault.text, words));
    assert_int_equal(layout.lane_count, 7);
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
    choice = choice_of(4, "query,gate_proj");
    assert_choice_refused(&choice, SOTTO_MALFORMED, "gate_proj");
    choice = choice_of(4, "query");
    choice.ranks[SOTTO_TARGET_KEY] = 4;
    assert_choice_refused(&choice, SOTTO_MALFORMED, "rank pattern");
    choice = choice_of(4, "query");
    choice.top_blocks = 3;
    assert_choice_refused(&choice, SOTTO_OVER_LIMIT, "top blocks");
}

static void layout__language_model_with_labels_or_nothing_to_train__is_refused(void **state)
{
    struct sotto_adapter_choice choice = choice_of(4, "q_proj");
    struct sotto_layout layout;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_layout_derive(&layout, &llama, &choice, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "labels"));
    choice.label_count = 0;
    choice.rank = 0;
    assert_int_equal(sotto_layout_derive(&layout, &llama, &choice, &fault), SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "rank"));
}

static void layout__checked_against_another_model__names_the_number(void **state)
{
    struct sotto_layout layout = layout_of(4, "query");
    struct sotto_arch other = tiny;
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_layout_check_arch(&layout, &tiny, &fault), SOTTO_OK);
    other.kv_head_count = 1;
    assert_int_equal(sotto_layout_check_arch(&layout, &other, &fault), SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "key width 16 where this one has 8"));
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
    struct sotto_arch deep = tiny;
    struct sotto_adapter_choice choice = choice_of(1, "all-linear");
    struct sotto_layout layout;
    struct sotto_fault fault = {0};

    (void)state;
    deep.block_count = 171;
    assert_int_equal(sotto_layout_derive(&layout, &deep, &choice, &fault), SOTTO_OVER_LIMIT);
    assert_non_null(strstr(fault.text, "choose fewer"));
}

/* 64 rows of 16 columns: 4 groups of 16. */
static void layout__start__has_orthonormal_rows_in_a_and_zero_elsewhere(void **state)
{
    struct sotto_layout layout = layout_of(64, "query");
    float lanes[16384];
    struct sotto_entropy entropy;

    (void)state;
    assert_true(layout.lane_count <= sizeof lanes / sizeof lanes[0]);
    sotto_entropy_init_seeded(&entropy, 1);
    sotto_layout_start(lanes, &layout, &entropy);
    for (size_t i = 0; i < 64 * 64; i++) {
        const float *left = lanes + i / 64 * 16;
        const float *right = lanes + i % 64 * 16;
        double dot = 0;

        for (size_t column = 0; column < 16; column++)
            dot += (double)left[column] * right[column];
        if (i / 64 / 16 == i % 64 / 16)
            assert_true(fabs(dot - (i / 64 == i % 64)) < 1e-6);
    }
    for (size_t lane = layout.tensors[1].first; lane < layout.tensors[2].first; lane++)
        assert_true(lanes[lane] == 0.0f);
    for (size_t lane = layout.tensors[3].first; lane < layout.lane_count; lane++)
        assert_true(lanes[lane] == 0.0f);
}

static void rank_pattern__malformed__is_refused(void **state)
{
    static const char *const bad[] = {"query",    "query=", "query=0",         "query=257",
                                      "query=4x", "qry=4",  "query=4,query=4", "=4"};
    uint32_t ranks[SOTTO_TARGET_COUNT] = {7};
    struct sotto_fault fault = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(sotto_rank_pattern_parse(ranks, bad[i], &fault), SOTTO_MALFORMED);
    assert_int_equal(ranks[SOTTO_TARGET_QUERY], 7);
    assert_int_equal(sotto_rank_pattern_parse(ranks, "", &fault), SOTTO_OK);
    assert_int_equal(ranks[SOTTO_TARGET_QUERY], 0);
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
    assert_non_null(strstr(fault.text, "known are all-linear"));
}

static void target_names__of_another_family__are_refused_with_its_own(void **state)
{
    struct sotto_fault fault = {0};

    (void)state;
    assert_int_equal(sotto_target_names_check("query,value", SOTTO_FAMILY_VIT, &fault), SOTTO_OK);
    assert_int_equal(sotto_target_names_check("all-linear", SOTTO_FAMILY_LLAMA, &fault), SOTTO_OK);
    assert_int_equal(sotto_target_names_check("", SOTTO_FAMILY_VIT, &fault), SOTTO_OK);
    assert_int_equal(sotto_target_names_check("query,q_proj=4", SOTTO_FAMILY_VIT, &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "\"q_proj\" is no layer of this base model; its layers are "
                                       "query, key, value, attention.output.dense, "
                                       "intermediate.dense, output.dense, or all-linear"));
    assert_int_equal(sotto_target_names_check("value", SOTTO_FAMILY_LLAMA, &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "down_proj, gate_proj, or all-linear"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout__all_linear__has_each_tensor_once_without_gaps),
        cmocka_unit_test(layout__rank_0__is_the_head_alone),
        cmocka_unit_test(layout__names_of_vit__are_those_of_peft),
        cmocka_unit_test(layout__names_of_bert__are_those_of_peft),
        cmocka_unit_test(layout__of_a_language_model__has_its_gate_and_no_head),
        cmocka_unit_test(layout__of_grouped_heads__follows_the_width_of_each_side),
        cmocka_unit_test(layout__top_blocks__leaves_the_lower_ones_alone),
        cmocka_unit_test(layout__rank_pattern__gives_each_target_its_rank_and_scale),
        cmocka_unit_test(layout__norm_and_bias__has_their_vectors_and_the_head),
        cmocka_unit_test(layout__encoded__decodes_to_the_same),
        cmocka_unit_test(layout__cut_or_lengthened_bytes__are_refused),
        cmocka_unit_test(layout__bytes_of_another_encoding__are_refused),
        cmocka_unit_test(layout__choice_out_of_bounds__names_the_field),
        cmocka_unit_test(layout__language_model_with_labels_or_nothing_to_train__is_refused),
        cmocka_unit_test(layout__checked_against_another_model__names_the_number),
        cmocka_unit_test(layout__label_that_can_name_no_folder__is_refused),
        cmocka_unit_test(layout__label_twice__is_refused),
        cmocka_unit_test(layout__more_tensors_than_the_limit__is_refused),
        cmocka_unit_test(layout__start__has_orthonormal_rows_in_a_and_zero_elsewhere),
        cmocka_unit_test(rank_pattern__malformed__is_refused),
        cmocka_unit_test(target_set__unknown_or_repeated_name__is_refused),
        cmocka_unit_test(target_names__of_another_family__are_refused_with_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
