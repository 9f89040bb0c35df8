/* PEFT directories: written and read again, names of both transformers, and what is refused. */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/file.h"
#include "models/adapter/peft.h"
#include "models/arch/arch.h"
#include "models/weights/safetensors.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

static const struct sotto_arch tiny = {.width = 16,
                                       .mlp_width = 64,
                                       .block_count = 2,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 8};

/* An adapter whose lanes count up, in a temporary folder. */
struct adapter {
    struct folder folder;
    struct folder_path path; /* of the adapter directory */
    struct sotto_layout layout;
    float *lanes;
};

static void adapter_open(struct adapter *adapter, uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = {
        .rank = rank, .alpha = 12.5, .label_count = 3, .labels = {"bag", "coat", "ankle-boot"}};

    assert_int_equal(sotto_target_set_parse(&choice.target_set, targets, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&adapter->layout, &tiny, &choice, NULL), SOTTO_OK);
    adapter->lanes = malloc(adapter->layout.lane_count * sizeof *adapter->lanes);
    assert_non_null(adapter->lanes);
    for (size_t lane = 0; lane < adapter->layout.lane_count; lane++)
        adapter->lanes[lane] = (float)lane / 128;
    folder_open(&adapter->folder);
    adapter->path = folder_path(&adapter->folder, "round-1");
}

static void adapter_close(struct adapter *adapter)
{
    free(adapter->lanes);
    folder_close(&adapter->folder);
}

static void adapter_write(const struct adapter *adapter)
{
    struct sotto_fault fault = {0};

    if (sotto_peft_write(adapter->path.text, adapter->lanes, &adapter->layout, "fashion-vit",
                         &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
}

/* Replaces a file of the adapter directory. */
static void adapter_put(const struct adapter *adapter, const char *name, const char *text)
{
    char inner[64];

    snprintf(inner, sizeof inner, "round-1/%s", name);
    folder_write(&adapter->folder, inner, sotto_view_text(text));
}

static void adapter_remove(const struct adapter *adapter, const char *name)
{
    char path[PATH_MAX];

    assert_int_equal(sotto_path_join(path, sizeof path, adapter->path.text, name), SOTTO_OK);
    assert_int_equal(unlink(path), 0);
}

/* Byte by byte, but for the padding of structures. */
static void assert_same_layout(const struct sotto_layout *left, const struct sotto_layout *right)
{
    uint8_t bytes[2][SOTTO_LAYOUT_BYTES_MAX];
    struct sotto_buffer first = sotto_buffer_of(bytes[0], sizeof bytes[0]);
    struct sotto_buffer second = sotto_buffer_of(bytes[1], sizeof bytes[1]);

    assert_int_equal(sotto_layout_encode(&first, left), SOTTO_OK);
    assert_int_equal(sotto_layout_encode(&second, right), SOTTO_OK);
    assert_true(sotto_view_equal(sotto_view_buffer(&first), sotto_view_buffer(&second)));
    assert_int_equal(left->lane_count, right->lane_count);
    assert_int_equal(left->tensor_count, right->tensor_count);
    assert_memory_equal(left->tensors, right->tensors, sizeof left->tensors);
}

static void assert_reads_back(const struct adapter *adapter)
{
    struct sotto_layout layout;
    struct sotto_fault fault = {0};
    float *lanes;

    if (sotto_peft_read(&lanes, &layout, adapter->path.text, &tiny, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_same_layout(&layout, &adapter->layout);
    assert_memory_equal(lanes, adapter->lanes, layout.lane_count * sizeof *lanes);
    free(lanes);
}

static void assert_unreadable(const struct adapter *adapter, enum sotto_status expected,
                              const char *words)
{
    struct sotto_layout layout;
    struct sotto_fault fault = {0};
    float *lanes = adapter->lanes;

    assert_int_equal(sotto_peft_read(&lanes, &layout, adapter->path.text, &tiny, &fault), expected);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.text, words);
    assert_non_null(strstr(fault.text, adapter->path.text));
    assert_null(lanes);
}

static void peft__written__reads_back_for_every_kind_of_target_set(void **state)
{
    static const char *const sets[] = {"all-linear", "query,value", "output.dense"};
    struct adapter adapter;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        adapter_open(&adapter, 4, sets[i]);
        adapter_write(&adapter);
        assert_reads_back(&adapter);
        adapter_close(&adapter);
    }
}

static void peft__head_alone__reads_back(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 0, "query");
    adapter_write(&adapter);
    assert_reads_back(&adapter);
    adapter_close(&adapter);
}

static void peft__existing_directory__is_replaced_and_nothing_else_is_left(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    adapter.lanes[0] = 99;
    adapter_write(&adapter);
    assert_reads_back(&adapter);
    assert_int_equal(folder_count(&adapter.folder), 1);
    adapter_close(&adapter);
}

static void peft__foreign_folder_of_that_name__is_left_alone(void **state)
{
    struct adapter adapter;
    struct sotto_fault fault = {0};

    (void)state;
    adapter_open(&adapter, 4, "query");
    assert_int_equal(mkdir(adapter.path.text, 0700), 0);
    folder_write(&adapter.folder, "round-1/thesis.txt", sotto_view_text("years"));
    assert_int_equal(
        sotto_peft_write(adapter.path.text, adapter.lanes, &adapter.layout, "base", &fault),
        SOTTO_IO);
    assert_non_null(strstr(fault.text, "choose another name"));
    assert_true(folder_holds(&adapter.folder, "round-1/thesis.txt", sotto_view_text("years")));
    assert_int_equal(folder_count(&adapter.folder), 1);
    adapter_close(&adapter);
}

static void peft__lane_is_nan__nothing_is_written(void **state)
{
    struct adapter adapter;
    struct sotto_fault fault = {0};

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter.lanes[5] = NAN;
    assert_int_equal(
        sotto_peft_write(adapter.path.text, adapter.lanes, &adapter.layout, "base", &fault),
        SOTTO_MALFORMED);
    assert_int_equal(folder_count(&adapter.folder), 0);
    adapter_close(&adapter);
}

/* The file that PEFT on transformers 5 would leave for rank 1 on the query projections. */
static void put_tensors_of_5(const struct adapter *adapter)
{
    struct sotto_tensor_to_store tensors[6];
    char names[6][96];
    struct folder_path path = folder_path(&adapter->folder, "round-1/adapter_model.safetensors");

    assert_int_equal(adapter->layout.tensor_count, 6);
    for (size_t i = 0; i < 6; i++) {
        const struct sotto_layout_tensor *tensor = &adapter->layout.tensors[i];

        if (i < 4)
            snprintf(names[i], sizeof names[i],
                     "base_model.model.vit.layers.%zu.attention.q_proj.lora_%c.weight", i / 2,
                     i % 2 == 0 ? 'A' : 'B');
        else
            snprintf(names[i], sizeof names[i], "base_model.model.classifier.%s",
                     i == 4 ? "weight" : "bias");
        tensors[i] = (struct sotto_tensor_to_store){.name = names[i],
                                                    .values = adapter->lanes + tensor->first,
                                                    .rank = i == 5 ? 1 : 2,
                                                    .shape = {tensor->rows, tensor->columns},
                                                    .dtype = SOTTO_DTYPE_F32};
    }
    assert_int_equal(sotto_safetensors_write(path.text, tensors, 6, NULL, NULL), SOTTO_OK);
}

static void peft__names_of_transformers_5__are_read(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 1, "query");
    adapter_write(&adapter);
    put_tensors_of_5(&adapter);
    assert_reads_back(&adapter);
    adapter_close(&adapter);
}

static void peft__no_labels_file__are_numbers(void **state)
{
    struct adapter adapter;
    struct sotto_layout layout;
    float *lanes;

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    adapter_put(&adapter, "adapter_config.json",
                "{\"peft_type\": \"LORA\", \"r\": 4, \"lora_alpha\": 8}");
    adapter_remove(&adapter, "labels.json");
    assert_int_equal(sotto_peft_read(&lanes, &layout, adapter.path.text, &tiny, NULL), SOTTO_OK);
    assert_string_equal(layout.choice.labels[2], "2");
    assert_true(layout.choice.alpha == 8.0);
    free(lanes);
    adapter_close(&adapter);
}

static void peft__config_that_is_not_plain_lora__is_refused(void **state)
{
    static const struct {
        const char *config;
        enum sotto_status status;
        const char *words;
    } bad[] = {
        {"", SOTTO_MALFORMED, "no JSON object"},
        {"{\"r\": 4, \"r\": 4}", SOTTO_MALFORMED, "no JSON object"},
        {"{\"peft_type\": \"IA3\"}", SOTTO_UNSUPPORTED, "peft_type"},
        {"{\"peft_type\": \"LORA\", \"bias\": \"all\"}", SOTTO_UNSUPPORTED, "bias"},
        {"{\"peft_type\": \"LORA\", \"use_dora\": true}", SOTTO_UNSUPPORTED, "use_dora"},
        {"{\"peft_type\": \"LORA\", \"rank_pattern\": {\"q\": 2}}", SOTTO_UNSUPPORTED,
         "rank_pattern"},
        {"{\"peft_type\": \"LORA\", \"r\": 0, \"lora_alpha\": 8}", SOTTO_MALFORMED, "r must be"},
        {"{\"peft_type\": \"LORA\", \"r\": 4}", SOTTO_MALFORMED, "lora_alpha"},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 8}", SOTTO_MISMATCH, "[4, 16]"},
    };
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        adapter_put(&adapter, "adapter_config.json", bad[i].config);
        assert_unreadable(&adapter, bad[i].status, bad[i].words);
    }
    adapter_close(&adapter);
}

static void peft__labels_file_that_does_not_fit__is_refused(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    adapter_put(&adapter, "labels.json", "[\"bag\"]");
    assert_unreadable(&adapter, SOTTO_MISMATCH, "labels.json: 1 labels");
    adapter_put(&adapter, "labels.json", "{\"0\": \"bag\"}");
    assert_unreadable(&adapter, SOTTO_MALFORMED, "no JSON array");
    adapter_close(&adapter);
}

static void peft__missing_or_damaged_file__names_it(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 4, "query");
    assert_unreadable(&adapter, SOTTO_NOT_FOUND, "adapter_config.json");
    adapter_write(&adapter);
    adapter_put(&adapter, "adapter_model.safetensors", "not tensors");
    assert_unreadable(&adapter, SOTTO_MALFORMED, "adapter_model.safetensors");
    adapter_close(&adapter);
}

static void peft__adapter_of_a_deeper_base__is_a_mismatch(void **state)
{
    struct sotto_arch shallow = tiny;
    struct adapter adapter;
    struct sotto_layout layout;
    struct sotto_fault fault = {0};
    float *lanes;

    (void)state;
    shallow.block_count = 1;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    assert_int_equal(sotto_peft_read(&lanes, &layout, adapter.path.text, &shallow, &fault),
                     SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "6 tensors where"));
    assert_null(lanes);
    adapter_close(&adapter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peft__written__reads_back_for_every_kind_of_target_set),
        cmocka_unit_test(peft__head_alone__reads_back),
        cmocka_unit_test(peft__existing_directory__is_replaced_and_nothing_else_is_left),
        cmocka_unit_test(peft__foreign_folder_of_that_name__is_left_alone),
        cmocka_unit_test(peft__lane_is_nan__nothing_is_written),
        cmocka_unit_test(peft__names_of_transformers_5__are_read),
        cmocka_unit_test(peft__no_labels_file__are_numbers),
        cmocka_unit_test(peft__labels_file_that_does_not_fit__is_refused),
        cmocka_unit_test(peft__config_that_is_not_plain_lora__is_refused),
        cmocka_unit_test(peft__missing_or_damaged_file__names_it),
        cmocka_unit_test(peft__adapter_of_a_deeper_base__is_a_mismatch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
