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

static const struct sotto_arch bert = {.family = SOTTO_FAMILY_BERT,
                                       .task = SOTTO_TASK_TEXT_CLASS,
                                       .width = 16,
                                       .mlp_width = 24,
                                       .block_count = 3,
                                       .head_count = 2,
                                       .kv_head_count = 2,
                                       .head_width = 8,
                                       .has_qkv_bias = true,
                                       .has_out_bias = true,
                                       .has_mlp_bias = true};

static const struct sotto_arch llama = {.family = SOTTO_FAMILY_LLAMA,
                                        .task = SOTTO_TASK_CAUSAL_LM,
                                        .width = 16,
                                        .mlp_width = 24,
                                        .block_count = 2,
                                        .head_count = 4,
                                        .kv_head_count = 2,
                                        .head_width = 6};

/* Texts of adapter_config.json. */
#define LORA(rest)   "{\"peft_type\": \"LORA\", " rest "}"
#define LORA_4(rest) LORA("\"r\": 4, \"lora_alpha\": 8, " rest)

/* An adapter whose lanes count up, in a temporary folder. */
struct adapter {
    const struct sotto_arch *arch;
    struct folder folder;
    struct folder_path path; /* of the adapter directory */
    struct sotto_layout layout;
    float *lanes;
};

static void adapter_open_choice(struct adapter *adapter, const struct sotto_arch *arch,
                                const struct sotto_adapter_choice *choice)
{
    struct sotto_fault fault = {0};

    adapter->arch = arch;
    if (sotto_layout_derive(&adapter->layout, arch, choice, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    adapter->lanes = malloc(adapter->layout.lane_count * sizeof *adapter->lanes);
    assert_non_null(adapter->lanes);
    for (size_t lane = 0; lane < adapter->layout.lane_count; lane++)
        adapter->lanes[lane] = (float)lane / 128;
    folder_open(&adapter->folder);
    adapter->path = folder_path(&adapter->folder, "round-1");
}

static struct sotto_adapter_choice three_labels(uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = {
        .rank = rank, .alpha = 12.5, .label_count = 3, .labels = {"bag", "coat", "ankle-boot"}};

    assert_int_equal(sotto_target_set_parse(&choice.target_set, targets, NULL), SOTTO_OK);
    return choice;
}

static void adapter_open(struct adapter *adapter, uint32_t rank, const char *targets)
{
    struct sotto_adapter_choice choice = three_labels(rank, targets);

    adapter_open_choice(adapter, &tiny, &choice);
}

static void adapter_close(struct adapter *adapter)
{
    free(adapter->lanes);
    folder_close(&adapter->folder);
}

static const struct sotto_digest fashion_digest = {{0xfa, 0x51, 0x07}};
static const struct sotto_peft_base fashion = {"fashion-vit", &fashion_digest};

static void adapter_write(const struct adapter *adapter)
{
    struct sotto_fault fault = {0};

    if (sotto_peft_write(adapter->path.text, adapter->lanes, &adapter->layout, &fashion, &fault) !=
        SOTTO_OK)
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

    if (sotto_peft_read(&lanes, &layout, adapter->path.text, adapter->arch, &fault) != SOTTO_OK)
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

static void assert_choice_reads_back(const struct sotto_arch *arch,
                                     const struct sotto_adapter_choice *choice)
{
    struct adapter adapter;

    adapter_open_choice(&adapter, arch, choice);
    adapter_write(&adapter);
    assert_reads_back(&adapter);
    adapter_close(&adapter);
}

/* A pattern that names output.dense must not catch attention.output.dense. */
static void peft__ranks_of_a_layers_own__read_back(void **state)
{
    struct sotto_adapter_choice choice = three_labels(4, "all-linear");

    (void)state;
    choice.is_rank_stabilised = true;
    choice.ranks[SOTTO_TARGET_QUERY] = 2;
    choice.ranks[SOTTO_TARGET_MLP_OUT] = 7;
    assert_choice_reads_back(&bert, &choice);
    choice.ranks[SOTTO_TARGET_ATTENTION_OUT] = 5;
    assert_choice_reads_back(&tiny, &choice);
}

static void peft__top_blocks__read_back(void **state)
{
    struct sotto_adapter_choice choice = three_labels(2, "output.dense,value");

    (void)state;
    choice.top_blocks = 2;
    assert_choice_reads_back(&bert, &choice);
}

static void peft__language_model__reads_back_without_labels(void **state)
{
    struct sotto_adapter_choice choice = {
        .rank = 3, .alpha = 6, .target_set = SOTTO_TARGETS_ALL, .top_blocks = 1};
    struct adapter adapter;

    (void)state;
    adapter_open_choice(&adapter, &llama, &choice);
    adapter_write(&adapter);
    assert_reads_back(&adapter);
    assert_int_equal(access(folder_path(&adapter.folder, "round-1/labels.json").text, F_OK), -1);
    adapter_close(&adapter);
}

static void peft__norms_and_biases__read_back_for_every_family(void **state)
{
    struct sotto_adapter_choice choice = three_labels(0, "query");

    (void)state;
    choice.kind = SOTTO_ADAPTER_NORM_BIAS;
    assert_choice_reads_back(&tiny, &choice);
    choice.top_blocks = 1;
    assert_choice_reads_back(&bert, &choice);
    choice.label_count = 0;
    assert_choice_reads_back(&llama, &choice);
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

static void base__as_written__is_read_back(void **state)
{
    struct adapter adapter;
    struct sotto_digest base = {{0}};

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    assert_int_equal(sotto_peft_base_read(&base, adapter.path.text, NULL), SOTTO_OK);
    assert_true(sotto_digest_equal(&base, &fashion_digest));
    adapter_close(&adapter);
}

static void base__not_told__is_not_found(void **state)
{
    static const struct sotto_peft_base nameless = {"fashion-vit", NULL};
    struct adapter adapter;
    struct sotto_digest base = {{7}};

    (void)state;
    adapter_open(&adapter, 4, "query");
    assert_int_equal(sotto_peft_base_read(&base, adapter.path.text, NULL), SOTTO_NOT_FOUND);
    assert_int_equal(
        sotto_peft_write(adapter.path.text, adapter.lanes, &adapter.layout, &nameless, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_peft_base_read(&base, adapter.path.text, NULL), SOTTO_NOT_FOUND);
    assert_int_equal(base.bytes[0], 7);
    assert_reads_back(&adapter);
    adapter_close(&adapter);
}

/* A file without tensors whose metadata has `value` in the digest's place. */
static void put_base(const struct adapter *adapter, const char *value)
{
    struct folder_path path = folder_path(&adapter->folder, "round-1/adapter_model.safetensors");
    char metadata[256];

    snprintf(metadata, sizeof metadata, "{\"sotto.base_model\": %s}", value);
    assert_int_equal(sotto_safetensors_write(path.text, NULL, 0, metadata, NULL), SOTTO_OK);
}

static void base__no_digest__is_malformed(void **state)
{
    static const char *const values[] = {
        "7",
        "null",
        "\"\"",
        "\"fa51\"",
        "[\"fa51\"]",
        "\"fa5107000000000000000000000000000000000000000000000000000000000g\"",
        "\"fa510700000000000000000000000000000000000000000000000000000000000\""};
    struct adapter adapter;
    struct sotto_digest base = {{7}};

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct sotto_fault fault = {0};

        put_base(&adapter, values[i]);
        assert_int_equal(sotto_peft_base_read(&base, adapter.path.text, &fault), SOTTO_MALFORMED);
        assert_non_null(strstr(fault.text, "no digest of a base model"));
        assert_int_equal(base.bytes[0], 7);
    }
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
        sotto_peft_write(adapter.path.text, adapter.lanes, &adapter.layout, &fashion, &fault),
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
        sotto_peft_write(adapter.path.text, adapter.lanes, &adapter.layout, &fashion, &fault),
        SOTTO_MALFORMED);
    assert_int_equal(folder_count(&adapter.folder), 0);
    adapter_close(&adapter);
}

/* The file that PEFT on transformers 5 would leave for rank 1 on the query projections. */
static void put_tensors_of_5(const struct adapter *adapter, const char *first_name)
{
    static const char *const names[] = {
        "base_model.model.vit.layers.0.attention.q_proj.lora_A.weight",
        "base_model.model.vit.layers.0.attention.q_proj.lora_B.weight",
        "base_model.model.vit.layers.1.attention.q_proj.lora_A.weight",
        "base_model.model.vit.layers.1.attention.q_proj.lora_B.weight",
        "base_model.model.classifier.weight",
        "base_model.model.classifier.bias",
        "base_model.model.vit.encoder.layer.0.attention.attention.query.lora_A.weight",
    };
    struct sotto_tensor_to_store tensors[7];
    struct folder_path path = folder_path(&adapter->folder, "round-1/adapter_model.safetensors");

    assert_int_equal(adapter->layout.tensor_count, 6);
    for (size_t i = 0; i < 7; i++) {
        const struct sotto_layout_tensor *tensor = &adapter->layout.tensors[i < 6 ? i : 0];

        tensors[i] = (struct sotto_tensor_to_store){.name = names[i],
                                                    .values = adapter->lanes + tensor->first,
                                                    .rank = i == 5 ? 1 : 2,
                                                    .shape = {tensor->rows, tensor->columns},
                                                    .dtype = SOTTO_DTYPE_F32};
    }
    if (first_name != NULL)
        tensors[0].name = first_name;
    assert_int_equal(
        sotto_safetensors_write(path.text, tensors, first_name == NULL ? 6 : 7, NULL, NULL),
        SOTTO_OK);
}

static void peft__names_of_transformers_5__are_read(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 1, "query");
    adapter_write(&adapter);
    put_tensors_of_5(&adapter, NULL);
    assert_reads_back(&adapter);
    adapter_close(&adapter);
}

static void peft__tensor_without_a_place__is_named(void **state)
{
    static const char *const names[] = {
        "base_model.model.vit.embeddings.patch_embeddings.projection.lora_A.weight",
        "base_model.model.vit.layers.0.attention.q_proj.lora_A.default.weight",
        "base_model.model.vit.layers.00.attention.q_proj.lora_A.weight",
        "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight",
        "base_model.model.lm_head.weight",
        "vit.layers.0.attention.q_proj.lora_A.weight",
    };
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 1, "query");
    adapter_write(&adapter);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        put_tensors_of_5(&adapter, names[i]);
        assert_unreadable(&adapter, SOTTO_MISMATCH, names[i]);
    }
    adapter_close(&adapter);
}

static void peft__two_names_with_other_values__is_refused(void **state)
{
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 1, "query");
    adapter_write(&adapter);
    put_tensors_of_5(&adapter, "base_model.model.vit.layers.0.attention.q_proj.lora_A.weight");
    assert_reads_back(&adapter);
    put_tensors_of_5(
        &adapter, "base_model.model.vit.encoder.layer.1.attention.attention.query.lora_A.weight");
    assert_unreadable(&adapter, SOTTO_MISMATCH, "under another name with other values");
    adapter_close(&adapter);
}

static void peft__missing_tensor__is_named(void **state)
{
    struct adapter adapter, other;

    (void)state;
    adapter_open(&adapter, 1, "query,value");
    adapter_open(&other, 1, "query");
    adapter_write(&adapter);
    put_tensors_of_5(
        &(struct adapter){.folder = adapter.folder, .layout = other.layout, .lanes = other.lanes},
        "base_model.model.vit.layers.1.attention.v_proj.lora_A.weight");
    assert_unreadable(&adapter, SOTTO_MISMATCH,
                      "layer.0.attention.attention.value.lora_A.weight is missing");
    adapter_close(&other);
    adapter_close(&adapter);
}

static void peft__alpha_of_a_modules_own__goes_into_b(void **state)
{
    struct adapter adapter;
    struct sotto_layout layout;
    float *lanes;

    (void)state;
    adapter_open(&adapter, 4, "query,value");
    adapter_write(&adapter);
    adapter_put(&adapter, "adapter_config.json",
                LORA_4("\"alpha_pattern\": {\"^vit.encoder.layer.1.attention.attention.query\": "
                       "2, \"1.attention.q_proj\": 2}"));
    assert_int_equal(sotto_peft_read(&lanes, &layout, adapter.path.text, &tiny, NULL), SOTTO_OK);
    for (size_t i = 0; i < layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &layout.tensors[i];
        bool is_scaled = tensor->role == SOTTO_ROLE_LORA_B && tensor->block == 1 &&
                         tensor->target == SOTTO_TARGET_QUERY;

        for (size_t lane = tensor->first; lane < tensor->first + tensor->rows; lane++)
            assert_true(lanes[lane] == adapter.lanes[lane] * (is_scaled ? 0.25f : 1.0f));
    }
    free(lanes);
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

/* A config that has no adapter, and what is said of it. */
struct bad_config {
    const char *config;
    enum sotto_status status;
    const char *words;
};

static void assert_unreadable_with(const struct bad_config *bad, size_t count)
{
    struct adapter adapter;

    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    for (size_t i = 0; i < count; i++) {
        adapter_put(&adapter, "adapter_config.json", bad[i].config);
        assert_unreadable(&adapter, bad[i].status, bad[i].words);
    }
    adapter_close(&adapter);
}

static void peft__config_that_is_not_plain_lora__is_refused(void **state)
{
    static const struct bad_config bad[] = {
        {"", SOTTO_MALFORMED, "no JSON object"},
        {"{\"r\": 4, \"r\": 4}", SOTTO_MALFORMED, "no JSON object"},
        {"{\"peft_type\": \"IA3\"}", SOTTO_UNSUPPORTED, "peft_type"},
        {LORA("\"bias\": \"lora_only\""), SOTTO_UNSUPPORTED, "bias"},
        {LORA("\"use_dora\": true"), SOTTO_UNSUPPORTED, "use_dora"},
        {LORA("\"alora_invocation_tokens\": [1]"), SOTTO_UNSUPPORTED, "alora_invocation_tokens"},
        {LORA("\"of_next_year\": {\"a\": 1}"), SOTTO_UNSUPPORTED, "of_next_year"},
        {LORA("\"init_lora_weights\": \"pissa_niter_4\""), SOTTO_UNSUPPORTED,
         "init_lora_weights is pissa_niter_4"},
        {LORA("\"r\": 0, \"lora_alpha\": 8"), SOTTO_MALFORMED, "r must be"},
        {LORA("\"r\": 4"), SOTTO_MALFORMED, "lora_alpha"},
        {LORA("\"r\": 2, \"lora_alpha\": 8"), SOTTO_MISMATCH, "[4, 16]"},
    };

    (void)state;
    assert_unreadable_with(bad, sizeof bad / sizeof bad[0]);
}

static void peft__pattern_that_is_no_list_of_names__is_refused(void **state)
{
    static const struct bad_config bad[] = {
        {LORA_4("\"rank_pattern\": {\"q.*\": 2}"), SOTTO_UNSUPPORTED, "rank_pattern has \"q.*\""},
        {LORA_4("\"use_rslora\": 1"), SOTTO_MALFORMED, "use_rslora must be true or false"},
        {LORA_4("\"rank_pattern\": {\"q\": 2.5}"), SOTTO_MALFORMED, "rank_pattern gives \"q\" no"},
        {LORA_4("\"rank_pattern\": {\"q\": 0}"), SOTTO_MALFORMED,
         "rank_pattern gives \"q\" no whole number"},
        {LORA_4("\"alpha_pattern\": [1]"), SOTTO_MALFORMED, "alpha_pattern is no object"},
        {LORA_4("\"rank_pattern\": {\"query\": 2}"), SOTTO_MISMATCH,
         "query.lora_A.weight is [4, 16] where adapter_config.json says rank 2"},
        {LORA_4("\"bias\": \"all\""), SOTTO_UNSUPPORTED,
         "query.lora_A.weight is there beside tensors of another kind"},
    };

    (void)state;
    assert_unreadable_with(bad, sizeof bad / sizeof bad[0]);
}

#define QUERY(rest) LORA_4("\"target_modules\": [\"query\"], " rest)

/* The tensors are of query in both blocks, under the names of both transformers. */
static void peft__scope_that_is_not_the_tensors__is_refused_by_key(void **state)
{
    static const struct bad_config bad[] = {
        {LORA_4("\"target_modules\": 7"), SOTTO_MALFORMED, "target_modules must be a list"},
        {LORA_4("\"target_modules\": [\"query\", 7]"), SOTTO_MALFORMED, "target_modules must be"},
        {LORA_4("\"target_modules\": []"), SOTTO_MISMATCH,
         "target_modules query of block 0 is not adapted, by the tensors it is:"},
        {LORA_4("\"target_modules\": [\"query\", \"value\"]"), SOTTO_MISMATCH,
         "target_modules value of block 0 is adapted, by the tensors it is not:"},
        {LORA_4("\"target_modules\": \"all-linear\""), SOTTO_MISMATCH, "target_modules key of"},
        {LORA_4("\"target_modules\": \"dummy-target-modules\""), SOTTO_MISMATCH,
         "query of block 0"},
        {LORA_4("\"target_modules\": \"query\""), SOTTO_MISMATCH, "query of block 0 is not"},
        {LORA_4("\"target_modules\": [\"uery\"]"), SOTTO_MISMATCH, "query of block 0 is not"},
        {LORA_4("\"target_modules\": [\"0.attention.q_proj\"]"), SOTTO_MISMATCH, "block 1 is not"},
        {QUERY("\"exclude_modules\": [\"1.attention.attention.query\", \"1.attention.q_proj\"]"),
         SOTTO_MISMATCH, "query of block 1 is not adapted"},
        {QUERY("\"exclude_modules\": \".*value\""), SOTTO_UNSUPPORTED, "exclude_modules is an"},
        {QUERY("\"exclude_modules\": {\"a\": 1}"), SOTTO_MALFORMED, "exclude_modules must be"},
        {QUERY("\"layers_to_transform\": [0]"), SOTTO_MISMATCH, "layers_to_transform names other"},
        {QUERY("\"layers_to_transform\": 1"), SOTTO_MISMATCH, "layers_to_transform names other"},
        {QUERY("\"layers_to_transform\": [0, 2]"), SOTTO_MISMATCH, "layers_to_transform names"},
        {QUERY("\"layers_to_transform\": [0, 1, 2]"), SOTTO_MISMATCH, "layers_to_transform"},
        {QUERY("\"layers_to_transform\": [0, 1.5]"), SOTTO_MALFORMED, "layers_to_transform must"},
        {QUERY("\"layers_to_transform\": \"all\""), SOTTO_MALFORMED, "layers_to_transform must"},
        {QUERY("\"layers_to_transform\": [0, 1], \"layers_pattern\": \"h\""), SOTTO_MISMATCH,
         "layers_pattern is not what"},
        {QUERY("\"task_type\": \"CAUSAL_LM\""), SOTTO_MISMATCH,
         "task_type is CAUSAL_LM, of this base model it is SEQ_CLS or null"},
        {QUERY("\"task_type\": 3"), SOTTO_MISMATCH, "task_type is no text"},
    };

    (void)state;
    assert_unreadable_with(bad, sizeof bad / sizeof bad[0]);
}

/* What is missing is told as that, whatever the keys say. */
static void peft__tensors_of_the_first_block_alone__are_told_by_what_is_missing(void **state)
{
    struct adapter adapter;
    struct sotto_arch deeper = tiny;
    struct sotto_layout layout;
    struct sotto_fault fault = {0};
    float *lanes;

    (void)state;
    deeper.block_count = 3;
    adapter_open(&adapter, 4, "query");
    adapter_write(&adapter);
    adapter_put(&adapter, "adapter_config.json", QUERY("\"layers_to_transform\": [0, 1]"));
    assert_int_equal(sotto_peft_read(&lanes, &layout, adapter.path.text, &deeper, &fault),
                     SOTTO_MISMATCH);
    assert_non_null(
        strstr(fault.text, "layer.2.attention.attention.query.lora_A.weight is missing"));
    adapter_close(&adapter);
}

static void peft__scope_in_other_words__is_read(void **state)
{
    static const char *const good[] = {
        LORA_4("\"target_modules\": null"),
        LORA_4("\"target_modules\": \"vit.*attention\\\\.query\""),
        LORA_4("\"target_modules\": [\"attention.query\", \"wte\"], \"task_type\": \"SEQ_CLS\""),
        LORA_4("\"target_modules\": [\"q_proj\"], \"exclude_modules\": [\"lm_head\"]"),
        LORA_4("\"target_modules\": \"all-linear\", \"exclude_modules\": [\"key\", \"value\","
               " \"dense\", \"k_proj\", \"v_proj\", \"o_proj\", \"fc1\", \"fc2\"]"),
        QUERY("\"layers_to_transform\": [1, 0], \"layers_pattern\": [\"layers\"]"),
        QUERY("\"layers_to_transform\": []"),
    };
    struct adapter adapter;

    (void)state;
    adapter_open(&adapter, 4, "query");
    adapter.layout.choice.alpha = 8;
    adapter_write(&adapter);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        adapter_put(&adapter, "adapter_config.json", good[i]);
        assert_reads_back(&adapter);
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
    assert_non_null(
        strstr(fault.text, "layer.1.attention.attention.query.lora_A.weight is of a block"));
    assert_null(lanes);
    adapter_close(&adapter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peft__written__reads_back_for_every_kind_of_target_set),
        cmocka_unit_test(peft__ranks_of_a_layers_own__read_back),
        cmocka_unit_test(peft__top_blocks__read_back),
        cmocka_unit_test(peft__language_model__reads_back_without_labels),
        cmocka_unit_test(peft__norms_and_biases__read_back_for_every_family),
        cmocka_unit_test(peft__head_alone__reads_back),
        cmocka_unit_test(peft__existing_directory__is_replaced_and_nothing_else_is_left),
        cmocka_unit_test(base__as_written__is_read_back),
        cmocka_unit_test(base__not_told__is_not_found),
        cmocka_unit_test(base__no_digest__is_malformed),
        cmocka_unit_test(peft__foreign_folder_of_that_name__is_left_alone),
        cmocka_unit_test(peft__lane_is_nan__nothing_is_written),
        cmocka_unit_test(peft__names_of_transformers_5__are_read),
        cmocka_unit_test(peft__tensor_without_a_place__is_named),
        cmocka_unit_test(peft__two_names_with_other_values__is_refused),
        cmocka_unit_test(peft__missing_tensor__is_named),
        cmocka_unit_test(peft__alpha_of_a_modules_own__goes_into_b),
        cmocka_unit_test(peft__no_labels_file__are_numbers),
        cmocka_unit_test(peft__labels_file_that_does_not_fit__is_refused),
        cmocka_unit_test(peft__config_that_is_not_plain_lora__is_refused),
        cmocka_unit_test(peft__pattern_that_is_no_list_of_names__is_refused),
        cmocka_unit_test(peft__scope_that_is_not_the_tensors__is_refused_by_key),
        cmocka_unit_test(peft__scope_in_other_words__is_read),
        cmocka_unit_test(peft__tensors_of_the_first_block_alone__are_told_by_what_is_missing),
        cmocka_unit_test(peft__missing_or_damaged_file__names_it),
        cmocka_unit_test(peft__adapter_of_a_deeper_base__is_a_mismatch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
