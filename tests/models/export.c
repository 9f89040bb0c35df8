/* Merged models and GGUF adapters, of the golden models. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/file.h"
#include "models/adapter/peft.h"
#include "models/export/gguf.h"
#include "models/export/merged.h"
#include "models/export/shape.h"
#include "models/trainer.h"
#include "models/weights/checkpoint.h"
#include "tests/models/golden.h"
#include "tests/support/cmocka.h"
#include "tests/support/folder.h"

/* A golden adapter with its base, and a folder to export to. */
struct source {
    struct folder folder;
    char base[96];
    struct sotto_base_shape shape;
    struct sotto_layout layout;
    float *lanes;
};

static void source_open(struct source *source, const char *name)
{
    char adapter[96];

    folder_open(&source->folder);
    snprintf(source->base, sizeof source->base, "tests/vectors/%s", name);
    snprintf(adapter, sizeof adapter, "tests/vectors/%s/adapter", name);
    assert_int_equal(sotto_base_shape_read(&source->shape, source->base, NULL), SOTTO_OK);
    assert_int_equal(
        sotto_peft_read(&source->lanes, &source->layout, adapter, &source->shape.arch, NULL),
        SOTTO_OK);
}

static void source_close(struct source *source)
{
    free(source->lanes);
    folder_close(&source->folder);
}

static struct folder_path out_path(const struct source *source)
{
    return folder_path(&source->folder, "out");
}

static void merge(const struct source *source)
{
    struct sotto_fault fault = {0};

    if (sotto_merged_write(out_path(source).text, source->base, &source->layout, source->lanes,
                           &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
}

static void assert_unmerged(const struct source *source, enum sotto_status expected,
                            const char *words)
{
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_merged_write(out_path(source).text, source->base, &source->layout,
                                        source->lanes, &fault),
                     expected);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.text, words);
}

/* A model at work with an adapter. */
struct answering {
    struct sotto_model *model;
    struct sotto_trainer *trainer;
};

static void answering_open(struct answering *answering, const char *folder,
                           const struct sotto_layout *layout, const float *lanes)
{
    struct sotto_fault fault = {0};

    if (sotto_model_open(&answering->model, folder, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(
        sotto_trainer_open(&answering->trainer, answering->model, layout, 1, NULL, NULL), SOTTO_OK);
    assert_int_equal(sotto_trainer_load(answering->trainer, lanes, layout->lane_count), SOTTO_OK);
}

static void answering_close(struct answering *answering)
{
    sotto_trainer_close(answering->trainer);
    sotto_model_close(answering->model);
}

static void assert_same_answers(struct answering *left, struct answering *right, const char *name,
                                size_t width)
{
    struct sotto_dataset examples;
    float *answers = calloc(2 * width, sizeof *answers);

    golden_dataset(&examples, name);
    for (size_t i = 0; i < examples.count; i++) {
        assert_int_equal(sotto_trainer_predict(left->trainer, answers, &examples, i), SOTTO_OK);
        assert_int_equal(sotto_trainer_predict(right->trainer, answers + width, &examples, i),
                         SOTTO_OK);
        for (size_t j = 0; j < width; j++)
            assert_true(fabsf(answers[j] - answers[width + j]) < 1e-5f);
    }
    sotto_dataset_close(&examples);
    free(answers);
}

/* An adapter that does nothing, but for the classifier of `layout`. */
static float *open_idle(struct sotto_layout *idle, const struct source *source)
{
    struct sotto_adapter_choice choice = source->layout.choice;
    bool has_head = choice.label_count > 0;
    float *lanes;

    choice.kind = SOTTO_ADAPTER_LORA;
    choice.rank = has_head ? 0 : 1;
    choice.alpha = 1.0;
    choice.target_set = SOTTO_TARGETS_ALL;
    assert_int_equal(sotto_layout_derive(idle, &source->shape.arch, &choice, NULL), SOTTO_OK);
    lanes = calloc(idle->lane_count, sizeof *lanes);
    if (has_head)
        memcpy(lanes, source->lanes + source->layout.lane_count - idle->lane_count,
               idle->lane_count * sizeof *lanes);
    return lanes;
}

/* The merged model with a classifier alone against the base with the adapter. */
static void assert_merged_answers(const struct source *source, const char *name)
{
    struct sotto_layout idle;
    struct answering adapted, merged;
    float *lanes = open_idle(&idle, source);
    size_t labels = idle.choice.label_count;

    merge(source);
    answering_open(&adapted, source->base, &source->layout, source->lanes);
    answering_open(&merged, out_path(source).text, &idle, lanes);
    assert_same_answers(&adapted, &merged, name,
                        labels > 0 ? labels : source->shape.arch.vocabulary);
    answering_close(&adapted);
    answering_close(&merged);
    free(lanes);
}

static void merged__golden_model__answers_as_base_and_adapter(void **state)
{
    static const char *const names[] = {"vit", "deit", "bert", "llama", "mistral"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct source source;

        source_open(&source, names[i]);
        assert_merged_answers(&source, names[i]);
        source_close(&source);
    }
}

/* Norms and biases in place of the golden adapter: gains around 1, the rest around 0. */
static void tune_norms(struct source *source)
{
    source->layout.choice.kind = SOTTO_ADAPTER_NORM_BIAS;
    assert_int_equal(
        sotto_layout_derive(&source->layout, &source->shape.arch, &source->layout.choice, NULL),
        SOTTO_OK);
    free(source->lanes);
    source->lanes = malloc(source->layout.lane_count * sizeof *source->lanes);
    for (size_t i = 0; i < source->layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &source->layout.tensors[i];
        float middle = tensor->role == SOTTO_ROLE_NORM_GAIN ? 1.0f : 0.0f;

        for (size_t lane = 0; lane < (size_t)tensor->rows * tensor->columns; lane++)
            source->lanes[tensor->first + lane] =
                middle + (float)((tensor->first + lane) * 7 % 31) / 64 - 0.25f;
    }
}

static void merged__norms_and_biases__answers_as_base_and_adapter(void **state)
{
    static const char *const names[] = {"vit", "bert", "llama"};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct source source;

        source_open(&source, names[i]);
        tune_norms(&source);
        assert_merged_answers(&source, names[i]);
        source_close(&source);
    }
}

/* The golden adapter is in the top block, the base in three shards of BF16. */
static void merged__shards__hold_the_base_but_for_what_is_adapted(void **state)
{
    struct source source;
    struct sotto_checkpoint base, merged;
    size_t changed = 0;

    (void)state;
    source_open(&source, "llama3");
    merge(&source);
    assert_int_equal(sotto_checkpoint_open(&base, source.base, NULL), SOTTO_OK);
    assert_int_equal(sotto_checkpoint_open(&merged, out_path(&source).text, NULL), SOTTO_OK);
    assert_int_equal(merged.shard_count, base.shard_count);
    assert_int_equal(sotto_checkpoint_tensor_count(&merged), sotto_checkpoint_tensor_count(&base));
    for (size_t i = 0; i < sotto_checkpoint_tensor_count(&base); i++) {
        const struct sotto_stored_tensor *old = sotto_checkpoint_tensor(&base, i);
        size_t place = sotto_checkpoint_find(&merged, old->name);
        const struct sotto_stored_tensor *new = sotto_checkpoint_tensor(&merged, place);

        assert_int_equal(new->dtype, old->dtype);
        if (sotto_view_equal(new->bytes, old->bytes))
            continue;
        assert_non_null(strstr(old->name, "model.layers.1."));
        assert_non_null(strstr(old->name, "_proj.weight"));
        changed++;
    }
    assert_int_equal(changed, 7);
    sotto_checkpoint_close(&base);
    sotto_checkpoint_close(&merged);
    source_close(&source);
}

/* Values of their own for norms and biases, found by name. */
static void merged__norms_and_biases__are_the_adapters(void **state)
{
    struct source source;
    struct sotto_checkpoint merged;

    (void)state;
    source_open(&source, "bert");
    tune_norms(&source);
    merge(&source);
    assert_int_equal(sotto_checkpoint_open(&merged, out_path(&source).text, NULL), SOTTO_OK);
    for (size_t i = 0; i < source.layout.tensor_count; i++) {
        char name[SOTTO_TENSOR_TEXT_MAX + 1];
        size_t place;

        sotto_layout_tensor_name(name, &source.layout, i);
        place = sotto_checkpoint_find(&merged, name + strlen("base_model.model."));
        assert_true(place < sotto_checkpoint_tensor_count(&merged));
        assert_memory_equal(sotto_checkpoint_tensor(&merged, place)->bytes.at,
                            source.lanes + source.layout.tensors[i].first,
                            source.layout.tensors[i].rows * sizeof(float));
    }
    sotto_checkpoint_close(&merged);
    source_close(&source);
}

static void copy_into(const struct source *source, const char *name, const char *from)
{
    char path[160];
    uint8_t *bytes;
    size_t length;

    snprintf(path, sizeof path, "%s/%s", from, name);
    assert_int_equal(sotto_file_read(&bytes, &length, path, 1 << 20, NULL), SOTTO_OK);
    folder_write(&source->folder, name, sotto_view_of(bytes, length));
    free(bytes);
}

/* The base model as one without a head is saved, beside what is merged: names without "bert.". */
static void put_bare(struct source *source)
{
    struct sotto_checkpoint base;
    struct sotto_tensor_to_store tensors[64];
    struct folder_path path = folder_path(&source->folder, "model.safetensors");
    size_t count = 0;

    assert_int_equal(sotto_checkpoint_open(&base, source->base, NULL), SOTTO_OK);
    for (size_t i = 0; i < sotto_checkpoint_tensor_count(&base); i++) {
        const struct sotto_stored_tensor *stored = sotto_checkpoint_tensor(&base, i);

        if (strncmp(stored->name, "bert.", 5) != 0)
            continue;
        tensors[count] = (struct sotto_tensor_to_store){
            .name = stored->name + 5, .bytes = stored->bytes.at, .rank = stored->rank};
        memcpy(tensors[count++].shape, stored->shape, sizeof stored->shape);
    }
    assert_int_equal(sotto_safetensors_write(path.text, tensors, count, NULL, NULL), SOTTO_OK);
    sotto_checkpoint_close(&base);
    copy_into(source, "config.json", source->base);
    copy_into(source, "tokenizer.json", source->base);
    snprintf(source->base, sizeof source->base, "%.90s", source->folder.path);
}

static void merged__base_without_a_head__gets_the_prefix_and_the_classifier(void **state)
{
    struct source source;
    struct sotto_checkpoint golden, merged;

    (void)state;
    source_open(&source, "bert");
    assert_int_equal(sotto_checkpoint_open(&golden, source.base, NULL), SOTTO_OK);
    put_bare(&source);
    merge(&source);
    assert_int_equal(sotto_checkpoint_open(&merged, out_path(&source).text, NULL), SOTTO_OK);
    assert_int_equal(sotto_checkpoint_tensor_count(&merged),
                     sotto_checkpoint_tensor_count(&golden));
    for (size_t i = 0; i < sotto_checkpoint_tensor_count(&golden); i++)
        assert_true(sotto_checkpoint_find(&merged, sotto_checkpoint_tensor(&golden, i)->name) <
                    sotto_checkpoint_tensor_count(&merged));
    sotto_checkpoint_close(&golden);
    sotto_checkpoint_close(&merged);
    source_close(&source);
}

static void merged__existing_folder__is_left_alone(void **state)
{
    struct source source;

    (void)state;
    source_open(&source, "vit");
    merge(&source);
    assert_unmerged(&source, SOTTO_IO, "choose another name");
    assert_int_equal(folder_count(&source.folder), 1);
    source_close(&source);
}

static void merged__adapter_of_another_base__leaves_nothing(void **state)
{
    struct source source;

    (void)state;
    source_open(&source, "llama");
    snprintf(source.base, sizeof source.base, "tests/vectors/mistral");
    assert_unmerged(&source, SOTTO_MISMATCH, "query width 32 where this one has 48");
    assert_int_equal(folder_count(&source.folder), 0);
    source_close(&source);
}

static void merged__sum_beyond_f16__names_the_tensor_and_leaves_nothing(void **state)
{
    struct source source;

    (void)state;
    source_open(&source, "qwen2");
    for (size_t lane = 0; lane < source.layout.lane_count; lane++)
        source.lanes[lane] = 1e4f;
    assert_unmerged(&source, SOTTO_MALFORMED, "model.layers.0.");
    assert_int_equal(folder_count(&source.folder), 0);
    source.lanes[3] = NAN;
    assert_unmerged(&source, SOTTO_MALFORMED, "NaN");
    source_close(&source);
}

static uint64_t aligned(uint64_t bytes)
{
    return (bytes + 31) / 32 * 32;
}

/* The bytes of a GGUF file, and where the values of the layout's tensors begin in them. */
static uint8_t *read_gguf(const struct source *source, size_t *values)
{
    struct sotto_fault fault = {0};
    uint8_t *bytes;
    size_t length;
    uint64_t payload = 0;

    if (sotto_gguf_write(out_path(source).text, source->base, &source->layout, source->lanes,
                         &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    assert_int_equal(sotto_file_read(&bytes, &length, out_path(source).text, 1 << 20, NULL),
                     SOTTO_OK);
    for (size_t i = 0; i < source->layout.tensor_count; i++)
        payload += aligned((uint64_t)source->layout.tensors[i].rows *
                           source->layout.tensors[i].columns * sizeof(float));
    assert_true(length > payload);
    *values = length - payload;
    return bytes;
}

/* Row 2 j + t of a head of 8 is ours t * 4 + j; only B of query and key are in another order. */
static size_t row_of_ours(const struct sotto_layout_tensor *tensor, size_t row, bool is_permuted)
{
    static const size_t order[] = {0, 4, 1, 5, 2, 6, 3, 7};
    bool is_turned = tensor->role == SOTTO_ROLE_LORA_B &&
                     (tensor->target == SOTTO_TARGET_QUERY || tensor->target == SOTTO_TARGET_KEY);

    return is_permuted && is_turned ? row / 8 * 8 + order[row % 8] : row;
}

static void assert_gguf_values(const char *name, bool is_permuted)
{
    struct source source;
    size_t at;
    uint8_t *bytes;

    source_open(&source, name);
    bytes = read_gguf(&source, &at);
    assert_memory_equal(bytes, "GGUF\x03\0\0\0", 8);
    assert_int_equal(sotto_load_u64(bytes + 8), source.layout.tensor_count);
    assert_int_equal(at % 32, 0);
    for (size_t i = 0; i < source.layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &source.layout.tensors[i];
        size_t row_bytes = tensor->columns * sizeof(float);

        for (size_t row = 0; row < tensor->rows; row++)
            assert_memory_equal(bytes + at + row * row_bytes,
                                source.lanes + tensor->first +
                                    row_of_ours(tensor, row, is_permuted) * tensor->columns,
                                row_bytes);
        at += aligned(tensor->rows * row_bytes);
    }
    free(bytes);
    source_close(&source);
}

static void gguf__llama__rows_of_query_and_key_are_in_llama_cpps_order(void **state)
{
    (void)state;
    assert_gguf_values("llama", true);
    assert_gguf_values("qwen2", false);
}

static void gguf__rank_stabilised__scale_goes_into_b(void **state)
{
    struct source source;
    size_t at;
    uint8_t *bytes;
    float first;

    (void)state;
    source_open(&source, "qwen2");
    source.layout.choice.is_rank_stabilised = true;
    bytes = read_gguf(&source, &at);
    memcpy(&first, bytes + at + aligned(2 * 32 * sizeof(float)), sizeof first);
    assert_true(fabsf(first - source.lanes[source.layout.tensors[1].first] * sqrtf(2.0f)) < 1e-6f);
    free(bytes);
    source_close(&source);
}

static void gguf__name_is_taken__is_left_alone(void **state)
{
    struct source source;
    struct sotto_fault fault = {0};

    (void)state;
    source_open(&source, "llama");
    assert_int_equal(sotto_gguf_write(folder_path(&source.folder, "new/deeper/a.gguf").text,
                                      source.base, &source.layout, source.lanes, &fault),
                     SOTTO_OK);
    folder_write(&source.folder, "notes", sotto_view_text("mine"));
    assert_int_equal(sotto_gguf_write(folder_path(&source.folder, "notes").text, source.base,
                                      &source.layout, source.lanes, &fault),
                     SOTTO_IO);
    assert_non_null(strstr(fault.text, "exists and is not replaced"));
    assert_true(folder_holds(&source.folder, "notes", sotto_view_text("mine")));
    source_close(&source);
}

static void gguf__what_it_cannot_hold__is_refused(void **state)
{
    struct source source;
    struct sotto_fault fault = {0};

    (void)state;
    source_open(&source, "bert");
    assert_int_equal(
        sotto_gguf_write(out_path(&source).text, source.base, &source.layout, source.lanes, &fault),
        SOTTO_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "language models alone"));
    source_close(&source);
    source_open(&source, "llama");
    assert_int_equal(sotto_gguf_write(out_path(&source).text, "tests/vectors/bert", &source.layout,
                                      source.lanes, &fault),
                     SOTTO_UNSUPPORTED);
    assert_non_null(strstr(fault.text, "model_type bert"));
    assert_int_equal(sotto_gguf_write(out_path(&source).text, "tests/vectors/mistral",
                                      &source.layout, source.lanes, &fault),
                     SOTTO_MISMATCH);
    assert_int_equal(folder_count(&source.folder), 0);
    source_close(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged__golden_model__answers_as_base_and_adapter),
        cmocka_unit_test(merged__norms_and_biases__answers_as_base_and_adapter),
        cmocka_unit_test(merged__shards__hold_the_base_but_for_what_is_adapted),
        cmocka_unit_test(merged__norms_and_biases__are_the_adapters),
        cmocka_unit_test(merged__base_without_a_head__gets_the_prefix_and_the_classifier),
        cmocka_unit_test(merged__existing_folder__is_left_alone),
        cmocka_unit_test(merged__adapter_of_another_base__leaves_nothing),
        cmocka_unit_test(merged__sum_beyond_f16__names_the_tensor_and_leaves_nothing),
        cmocka_unit_test(gguf__llama__rows_of_query_and_key_are_in_llama_cpps_order),
        cmocka_unit_test(gguf__rank_stabilised__scale_goes_into_b),
        cmocka_unit_test(gguf__name_is_taken__is_left_alone),
        cmocka_unit_test(gguf__what_it_cannot_hold__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
