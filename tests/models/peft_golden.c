/* Adapters that peft wrote, beside the golden models of tests/interop/golden.py. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/adapter/naming.h"
#include "models/adapter/peft.h"
#include "models/weights/safetensors.h"
#include "tests/support/cmocka.h"

/* An adapter as it was read, and the file it was read from. */
struct known {
    struct sotto_layout layout;
    float *lanes;
    struct sotto_safetensors file;
};

static void known_open(struct known *known, const char *name)
{
    struct sotto_fault fault = {0};
    struct sotto_arch arch;
    char path[128];
    uint8_t *config;
    size_t length;

    snprintf(path, sizeof path, "tests/vectors/%s/config.json", name);
    assert_int_equal(sotto_file_read(&config, &length, path, 65536, NULL), SOTTO_OK);
    assert_int_equal(sotto_arch_decode(&arch, sotto_view_of(config, length), path, NULL), SOTTO_OK);
    free(config);
    snprintf(path, sizeof path, "tests/vectors/%s/adapter", name);
    if (sotto_peft_read(&known->lanes, &known->layout, path, &arch, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    snprintf(path, sizeof path, "tests/vectors/%s/adapter/adapter_model.safetensors", name);
    assert_int_equal(sotto_safetensors_open(&known->file, path, NULL), SOTTO_OK);
}

static void known_close(struct known *known)
{
    sotto_safetensors_close(&known->file);
    free(known->lanes);
}

/* Every stored tensor is where the layout has it, under the names of either transformers. */
static void assert_lanes(const struct known *known, enum sotto_naming naming)
{
    assert_int_equal(known->file.tensor_count, known->layout.tensor_count);
    for (size_t i = 0; i < known->layout.tensor_count; i++) {
        const struct sotto_stored_tensor *stored;
        char name[SOTTO_TENSOR_TEXT_MAX + 1];

        sotto_naming_tensor(name, &known->layout, i, naming);
        stored = sotto_safetensors_find(&known->file, name);
        if (stored == NULL)
            fail_msg("%s is not in the file", name);
        assert_memory_equal(known->lanes + known->layout.tensors[i].first, stored->bytes.at,
                            stored->bytes.length);
    }
}

static void peft_golden__every_family__lanes_are_the_files_values(void **state)
{
    static const struct {
        const char *name;
        enum sotto_naming naming;
        size_t tensor_count;
    } rows[] = {
        {"vit", SOTTO_NAMING_4, 26},   {"deit", SOTTO_NAMING_5, 26},  {"bert", SOTTO_NAMING_4, 26},
        {"llama", SOTTO_NAMING_4, 28}, {"qwen2", SOTTO_NAMING_4, 28},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct known known;

        known_open(&known, rows[i].name);
        assert_int_equal(known.layout.tensor_count, rows[i].tensor_count);
        assert_lanes(&known, rows[i].naming);
        known_close(&known);
    }
}

static void peft_golden__rank_pattern__scales_by_the_root_of_each_rank(void **state)
{
    struct known known;

    (void)state;
    known_open(&known, "bert");
    assert_true(sotto_layout_scale(&known.layout, SOTTO_TARGET_QUERY) == 4.0);
    assert_true(sotto_layout_scale(&known.layout, SOTTO_TARGET_MLP_IN) == 2.0);
    assert_true(fabs(sotto_layout_scale(&known.layout, SOTTO_TARGET_KEY) - 4.0 / sqrt(3)) < 1e-12);
    known_close(&known);
}

static void peft_golden__layers_to_transform__are_the_top_blocks(void **state)
{
    struct known known;

    (void)state;
    known_open(&known, "llama3");
    assert_int_equal(known.layout.choice.top_blocks, 1);
    assert_int_equal(known.layout.first_block, 1);
    assert_lanes(&known, SOTTO_NAMING_4);
    known_close(&known);
}

/* The golden o_proj has twice the alpha of the others. */
static void peft_golden__alpha_pattern__goes_into_b(void **state)
{
    struct known known;

    (void)state;
    known_open(&known, "mistral");
    for (size_t i = 0; i < known.layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &known.layout.tensors[i];
        bool is_scaled =
            tensor->role == SOTTO_ROLE_LORA_B && tensor->target == SOTTO_TARGET_ATTENTION_OUT;
        char name[SOTTO_TENSOR_TEXT_MAX + 1];
        float stored;

        sotto_layout_tensor_name(name, &known.layout, i);
        memcpy(&stored, sotto_safetensors_find(&known.file, name)->bytes.at, sizeof stored);
        assert_true(known.lanes[tensor->first] == stored * (is_scaled ? 2.0f : 1.0f));
    }
    known_close(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peft_golden__every_family__lanes_are_the_files_values),
        cmocka_unit_test(peft_golden__rank_pattern__scales_by_the_root_of_each_rank),
        cmocka_unit_test(peft_golden__layers_to_transform__are_the_top_blocks),
        cmocka_unit_test(peft_golden__alpha_pattern__goes_into_b),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
