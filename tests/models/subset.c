/* The part of an adapter that a round trains, and other factors of the same products. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/adapter/manifest.h"
#include "models/adapter/rebase.h"
#include "models/adapter/subset.h"
#include "tests/support/cmocka.h"

/* Different widths on each side, two ranks, one block without an adapter. */
struct bench {
    struct sotto_layout layout;
    float *lanes;
};

static const struct sotto_arch arch = {.family = SOTTO_FAMILY_VIT,
                                       .width = 12,
                                       .mlp_width = 20,
                                       .block_count = 3,
                                       .head_count = 3,
                                       .kv_head_count = 3,
                                       .head_width = 4};

static void bench_open(struct bench *bench, uint32_t rank)
{
    struct sotto_adapter_choice choice = {.rank = rank,
                                          .alpha = 8,
                                          .target_set =
                                              1u << SOTTO_TARGET_VALUE | 1u << SOTTO_TARGET_MLP_OUT,
                                          .top_blocks = 2,
                                          .label_count = 2,
                                          .labels = {"bag", "coat"}};
    struct sotto_entropy entropy;

    choice.ranks[SOTTO_TARGET_MLP_OUT] = 2;
    assert_int_equal(sotto_layout_derive(&bench->layout, &arch, &choice, NULL), SOTTO_OK);
    bench->lanes = calloc(bench->layout.lane_count, sizeof *bench->lanes);
    assert_non_null(bench->lanes);
    sotto_entropy_init_seeded(&entropy, rank);
    for (size_t lane = 0; lane < bench->layout.lane_count; lane++)
        bench->lanes[lane] = (float)sotto_entropy_normal(&entropy);
}

static void bench_close(struct bench *bench)
{
    free(bench->lanes);
}

/* a of [rank, in] times b of [out, rank] at one place. */
static double product_at(const float *lanes, const struct sotto_layout_tensor *pair, size_t row,
                         size_t column)
{
    double sum = 0;

    for (size_t k = 0; k < pair[0].rows; k++)
        sum += (double)lanes[pair[1].first + row * pair[1].columns + k] *
               lanes[pair[0].first + k * pair[0].columns + column];
    return sum;
}

static double dot_of(const float *left, const float *right, size_t count, size_t stride)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++)
        sum += (double)left[i * stride] * right[i * stride];
    return sum;
}

static void assert_same_products(const struct bench *bench, const float *other)
{
    for (size_t i = 0; i < bench->layout.tensor_count; i++) {
        const struct sotto_layout_tensor *pair = &bench->layout.tensors[i];

        if (pair->role != SOTTO_ROLE_LORA_A)
            continue;
        for (size_t at = 0; at < (size_t)pair[1].rows * pair[0].columns; at++) {
            size_t row = at / pair[0].columns, column = at % pair[0].columns;

            assert_true(fabs(product_at(bench->lanes, pair, row, column) -
                             product_at(other, pair, row, column)) < 1e-5);
        }
    }
}

/* Rows of A orthonormal; columns of B orthogonal, the longest first. */
static void assert_settled(const float *lanes, const struct sotto_layout_tensor *pair)
{
    size_t rank = pair[0].rows;
    double last = INFINITY;

    for (size_t i = 0; i < rank; i++) {
        const float *row = lanes + pair[0].first + i * pair[0].columns;
        const float *column = lanes + pair[1].first + i;
        double length = dot_of(column, column, pair[1].rows, rank);

        assert_true(length <= last + 1e-5);
        last = length;
        for (size_t k = 0; k < rank; k++) {
            const float *other = lanes + pair[0].first + k * pair[0].columns;

            assert_true(fabs(dot_of(row, other, pair[0].columns, 1) - (i == k)) < 1e-5);
            if (i != k)
                assert_true(fabs(dot_of(column, lanes + pair[1].first + k, pair[1].rows, rank)) <
                            1e-3);
        }
    }
}

static void rebase__random_factors__keep_every_product(void **state)
{
    (void)state;
    for (uint32_t rank = 1; rank <= 8; rank++) {
        struct bench bench;
        float *rebased;

        bench_open(&bench, rank);
        rebased = malloc(bench.layout.lane_count * sizeof *rebased);
        assert_non_null(rebased);
        memcpy(rebased, bench.lanes, bench.layout.lane_count * sizeof *rebased);
        assert_int_equal(sotto_adapter_rebase(rebased, &bench.layout), SOTTO_OK);
        assert_same_products(&bench, rebased);
        for (size_t i = 0; i < bench.layout.tensor_count; i++) {
            if (bench.layout.tensors[i].role == SOTTO_ROLE_LORA_A)
                assert_settled(rebased, &bench.layout.tensors[i]);
        }
        assert_memory_equal(rebased + bench.layout.lane_count - 26,
                            bench.lanes + bench.layout.lane_count - 26, 26 * sizeof(float));
        free(rebased);
        bench_close(&bench);
    }
}

/* Nothing has been learnt yet: B is zero, and so is its product. */
static void rebase__fresh_adapter__keeps_b_zero(void **state)
{
    struct bench bench;
    struct sotto_entropy entropy;

    (void)state;
    bench_open(&bench, 4);
    sotto_entropy_init_seeded(&entropy, 5);
    sotto_layout_start(bench.lanes, &bench.layout, &entropy);
    assert_int_equal(sotto_adapter_rebase(bench.lanes, &bench.layout), SOTTO_OK);
    for (size_t i = 0; i < bench.layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &bench.layout.tensors[i];

        for (size_t at = 0; at < (size_t)tensor->rows * tensor->columns; at++)
            assert_true(tensor->role == SOTTO_ROLE_LORA_A || bench.lanes[tensor->first + at] == 0);
        if (tensor->role == SOTTO_ROLE_LORA_A)
            assert_settled(bench.lanes, tensor);
    }
    bench_close(&bench);
}

static void rebase__dependent_rows__stay_as_they_are(void **state)
{
    struct bench bench;
    float *before;
    const struct sotto_layout_tensor *a;

    (void)state;
    bench_open(&bench, 3);
    a = &bench.layout.tensors[0];
    for (size_t i = 0; i < a->columns; i++)
        bench.lanes[a->first + 2 * a->columns + i] = 2 * bench.lanes[a->first + i];
    before = malloc(bench.layout.lane_count * sizeof *before);
    assert_non_null(before);
    memcpy(before, bench.lanes, bench.layout.lane_count * sizeof *before);
    assert_int_equal(sotto_adapter_rebase(bench.lanes, &bench.layout), SOTTO_OK);
    assert_memory_equal(bench.lanes, before, bench.layout.tensors[2].first * sizeof *before);
    assert_memory_not_equal(bench.lanes, before, bench.layout.lane_count * sizeof *before);
    free(before);
    bench_close(&bench);
}

static void subset__counts__add_up(void **state)
{
    struct bench bench;
    size_t a = 2 * (3 * 12 + 2 * 20), b = 2 * (12 * 3 + 12 * 2), head = 2 * 12 + 2;

    (void)state;
    bench_open(&bench, 3);
    assert_int_equal(sotto_subset_count(&bench.layout, SOTTO_TRAINED_ALL), a + b + head);
    assert_int_equal(sotto_subset_count(&bench.layout, SOTTO_TRAINED_A), a + head);
    assert_int_equal(sotto_subset_count(&bench.layout, SOTTO_TRAINED_B), b + head);
    bench_close(&bench);
}

/* What was gathered comes back to its place, and nothing else moves. */
static void subset__gathered_and_scattered__touches_the_trained_lanes_alone(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench, 3);
    for (uint32_t trained = 0; trained < SOTTO_TRAINED_COUNT; trained++) {
        size_t count = sotto_subset_count(&bench.layout, (enum sotto_trained)trained);
        float *compact = malloc(count * sizeof *compact);
        float *lanes = calloc(bench.layout.lane_count, sizeof *lanes);

        assert_true(compact != NULL && lanes != NULL);
        sotto_subset_gather(compact, bench.lanes, &bench.layout, (enum sotto_trained)trained);
        sotto_subset_scatter(lanes, compact, &bench.layout, (enum sotto_trained)trained);
        for (size_t i = 0; i < bench.layout.tensor_count; i++) {
            const struct sotto_layout_tensor *tensor = &bench.layout.tensors[i];
            bool is_trained = sotto_trained_has((enum sotto_trained)trained, tensor->role);

            for (size_t at = 0; at < (size_t)tensor->rows * tensor->columns; at++)
                assert_true(lanes[tensor->first + at] ==
                            (is_trained ? bench.lanes[tensor->first + at] : 0.0f));
        }
        free(compact);
        free(lanes);
    }
    bench_close(&bench);
}

/* Not SHA-256: the rooms of models know none. */
static void mix(struct sotto_digest *out, const struct sotto_view *parts, size_t part_count)
{
    uint64_t sum = 14695981039346656037u;

    memset(out, 0, sizeof *out);
    for (size_t part = 0; part < part_count; part++)
        for (size_t at = 0; at < parts[part].length; at++)
            sum = (sum ^ parts[part].at[at]) * 1099511628211u;
    sotto_store_u64(out->bytes, sum);
}

/* The lanes of a bench with their manifest, from malloc. */
static float *adapter_of(const struct bench *bench)
{
    float *adapter = malloc(sotto_manifest_adapter_bytes(&bench->layout));

    assert_non_null(adapter);
    memcpy(adapter, bench->lanes, bench->layout.lane_count * sizeof *adapter);
    sotto_manifest_write(adapter, &bench->layout, mix);
    return adapter;
}

static void assert_names(const struct bench *bench, const float *adapter, size_t length,
                         enum sotto_status status, const char *words)
{
    struct sotto_fault fault = {0};

    assert_int_equal(
        sotto_manifest_check(sotto_view_of(adapter, length), &bench->layout, mix, &fault), status);
    if (strstr(fault.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", fault.text, words);
}

static void manifest__adapter_as_written__passes(void **state)
{
    struct bench bench;
    float *adapter;

    (void)state;
    bench_open(&bench, 3);
    adapter = adapter_of(&bench);
    assert_names(&bench, adapter, sotto_manifest_adapter_bytes(&bench.layout), SOTTO_OK, "");
    free(adapter);
    bench_close(&bench);
}

static void manifest__tensor_or_its_line_altered__names_it(void **state)
{
    struct bench bench;
    float *adapter;
    size_t length;

    (void)state;
    bench_open(&bench, 3);
    length = sotto_manifest_adapter_bytes(&bench.layout);
    for (size_t i = 0; i < bench.layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &bench.layout.tensors[i];
        size_t line = bench.layout.lane_count * sizeof(float) + i * SOTTO_DIGEST_BYTES;
        char words[SOTTO_TENSOR_TEXT_MAX + 64], name[SOTTO_TENSOR_TEXT_MAX + 1];

        sotto_layout_tensor_name(name, &bench.layout, i);
        snprintf(words, sizeof words, "tensor %s of the adapter is not the one", name);
        adapter = adapter_of(&bench);
        adapter[tensor->first + (size_t)tensor->rows * tensor->columns - 1] += 1;
        assert_names(&bench, adapter, length, SOTTO_MISMATCH, words);
        free(adapter);
        adapter = adapter_of(&bench);
        ((uint8_t *)adapter)[line] ^= 1;
        assert_names(&bench, adapter, length, SOTTO_MISMATCH, words);
        free(adapter);
    }
    bench_close(&bench);
}

static void manifest__adapter_cut_or_too_long__names_where_it_ends(void **state)
{
    struct bench bench;
    float *adapter;
    size_t lanes, length;

    (void)state;
    bench_open(&bench, 3);
    lanes = bench.layout.lane_count * sizeof(float);
    length = sotto_manifest_adapter_bytes(&bench.layout);
    adapter = adapter_of(&bench);
    assert_names(
        &bench, adapter, 20, SOTTO_MISMATCH,
        "it ends at base_model.model.vit.encoder.layer.1.attention.attention.value.lora_A");
    assert_names(&bench, adapter, lanes - 1, SOTTO_MISMATCH,
                 "it ends at base_model.model."
                 "classifier.bias");
    assert_names(&bench, adapter, lanes, SOTTO_MISMATCH, "value.lora_A.weight of the manifest");
    assert_names(&bench, adapter, lanes + 40, SOTTO_MISMATCH,
                 "value.lora_B.weight of the manifest");
    assert_names(&bench, adapter, length - 1, SOTTO_MISMATCH, "classifier.bias of the manifest");
    assert_names(&bench, adapter, length + 4, SOTTO_MISMATCH, "classifier.bias of the manifest");
    free(adapter);
    bench_close(&bench);
}

static void manifest__value_that_is_no_number__names_its_tensor(void **state)
{
    struct bench bench;
    struct sotto_fault fault = {0};
    float *adapter;

    (void)state;
    bench_open(&bench, 3);
    bench.lanes[bench.layout.tensors[3].first] = INFINITY;
    adapter = adapter_of(&bench);
    assert_names(&bench, adapter, sotto_manifest_adapter_bytes(&bench.layout), SOTTO_MALFORMED,
                 "layer.1.output.dense.lora_B.weight");
    assert_int_equal(sotto_manifest_check_lanes(bench.lanes, &bench.layout, &fault),
                     SOTTO_MALFORMED);
    assert_non_null(strstr(fault.text, "layer.1.output.dense.lora_B.weight"));
    free(adapter);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rebase__random_factors__keep_every_product),
        cmocka_unit_test(rebase__fresh_adapter__keeps_b_zero),
        cmocka_unit_test(rebase__dependent_rows__stay_as_they_are),
        cmocka_unit_test(manifest__adapter_as_written__passes),
        cmocka_unit_test(manifest__tensor_or_its_line_altered__names_it),
        cmocka_unit_test(manifest__adapter_cut_or_too_long__names_where_it_ends),
        cmocka_unit_test(manifest__value_that_is_no_number__names_its_tensor),
        cmocka_unit_test(subset__counts__add_up),
        cmocka_unit_test(subset__gathered_and_scattered__touches_the_trained_lanes_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
