/* The vision transformer: its tensors, model directories, golden features of another one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/arch/base.h"
#include "models/arch/network.h"
#include "models/arch/tensors.h"
#include "tests/models/golden.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"
#include "tests/support/model_folder.h"

enum { PICTURES = 5, WIDTH = 32, PIXELS = 3 * 12 * 12, TOKENS = 10 };

static const char golden_folder[] = "tests/vectors/vit";

/* A pass over a base model, without adapters. */
struct bench {
    struct sotto_base base;
    struct sotto_block blocks[2];
    struct sotto_network network;
    struct sotto_network_pass pass;
    struct sotto_workspace workspace;
};

static void bench_open(struct bench *bench, const char *folder, uint32_t batch_max)
{
    struct sotto_network_room room = {batch_max, TOKENS, batch_max * TOKENS};
    struct sotto_workspace counted;
    struct sotto_fault fault = {0};

    if (sotto_base_open(&bench->base, folder, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    bench->network = (struct sotto_network){.kernels = sotto_kernels_cpu(),
                                            .arch = &bench->base.arch,
                                            .weights = device_view(bench->base.weights),
                                            .pixel_map = bench->base.pixel_map,
                                            .blocks = bench->blocks,
                                            .adapted_first = bench->base.arch.block_count};
    sotto_network_bind(&bench->network);
    sotto_workspace_init_counting(&counted);
    assert_int_equal(sotto_network_pass_take(&bench->pass, &bench->network, room, &counted),
                     SOTTO_OK);
    assert_int_equal(sotto_workspace_open(&bench->workspace, bench->network.kernels, &counted),
                     SOTTO_OK);
    assert_int_equal(
        sotto_network_pass_take(&bench->pass, &bench->network, room, &bench->workspace), SOTTO_OK);
}

static void bench_close(struct bench *bench)
{
    sotto_workspace_close(&bench->workspace);
    sotto_base_close(&bench->base);
}

static void vit__golden_pictures__features_as_another_implementation(void **state)
{
    struct bench bench;
    size_t count;
    uint8_t *pixels = golden_pixels("vit", &count);
    float *expected = golden_read("vit", "features", &count);
    const uint8_t *pictures[PICTURES];
    struct sotto_samples samples = {.count = PICTURES, .pictures = pictures};
    float features[PICTURES * WIDTH];

    (void)state;
    assert_int_equal(count, PICTURES * WIDTH);
    for (size_t i = 0; i < PICTURES; i++)
        pictures[i] = pixels + i * PIXELS;
    bench_open(&bench, golden_folder, PICTURES);
    sotto_network_forward(&bench.network, &bench.pass, device_floats(features), &samples);
    assert_near(features, expected, PICTURES * WIDTH, 1e-5);
    samples = (struct sotto_samples){.count = 1, .pictures = pictures + 3};
    sotto_network_forward(&bench.network, &bench.pass, device_floats(features), &samples);
    assert_near(features, expected + (size_t)3 * WIDTH, WIDTH, 1e-5);
    bench_close(&bench);
    free(pixels);
    free(expected);
}

static void vit__tensor_table__tiles_the_weights(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    size_t next = 0;

    (void)state;
    for (size_t i = 0; i < sotto_base_tensor_count(&arch); i++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(&arch, i);

        assert_int_equal(tensor.first, next);
        next += tensor.count;
    }
    assert_int_equal(next, sotto_base_weight_count(&arch));
}

static size_t stored_count(const struct sotto_arch *arch)
{
    size_t count = 0;

    for (size_t i = 0; i < sotto_base_tensor_count(arch); i++)
        count += sotto_base_tensor(arch, i).count > 0;
    return count;
}

static void vit__without_qkv_bias__three_tensors_a_block_are_not_stored(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    size_t with = stored_count(&arch);

    (void)state;
    arch.has_qkv_bias = false;
    assert_int_equal(stored_count(&arch), with - 3 * arch.block_count);
}

/* The names themselves, which no other test spells out for transformers 5. */
static void vit__tensor_names__are_those_of_transformers_4_and_5(void **state)
{
    static const char *const names[][2] = {
        {"layernorm_before.weight", "layernorm_before.weight"},
        {"layernorm_before.bias", "layernorm_before.bias"},
        {"attention.attention.query.weight", "attention.q_proj.weight"},
        {"attention.attention.key.weight", "attention.k_proj.weight"},
        {"attention.attention.value.weight", "attention.v_proj.weight"},
        {"attention.attention.query.bias", "attention.q_proj.bias"},
        {"attention.attention.key.bias", "attention.k_proj.bias"},
        {"attention.attention.value.bias", "attention.v_proj.bias"},
        {"attention.output.dense.weight", "attention.o_proj.weight"},
        {"attention.output.dense.bias", "attention.o_proj.bias"},
        {"layernorm_after.weight", "layernorm_after.weight"},
        {"layernorm_after.bias", "layernorm_after.bias"},
        {"intermediate.dense.weight", "mlp.fc1.weight"},
        {"intermediate.dense.bias", "mlp.fc1.bias"},
        {"output.dense.weight", "mlp.fc2.weight"},
        {"output.dense.bias", "mlp.fc2.bias"},
    };
    struct sotto_arch arch = model_folder_tiny();
    size_t next = 0;

    (void)state;
    for (size_t i = 0; i < SOTTO_BLOCK_TENSOR_COUNT; i++) {
        struct sotto_base_tensor tensor =
            sotto_base_tensor(&arch, SOTTO_OUTER_NORM_GAIN + SOTTO_BLOCK_TENSOR_COUNT + i);
        char expected[2][SOTTO_BASE_NAME_MAX + 1];

        if (tensor.count == 0)
            continue;
        snprintf(expected[0], sizeof expected[0], "vit.encoder.layer.1.%s", names[next][0]);
        snprintf(expected[1], sizeof expected[1], "vit.layers.1.%s", names[next][1]);
        next++;
        assert_string_equal(tensor.names[SOTTO_NAMING_4], expected[0]);
        assert_string_equal(tensor.names[SOTTO_NAMING_5], expected[1]);
    }
    assert_int_equal(next, sizeof names / sizeof names[0]);
}

enum naming { TRANSFORMERS_4, TRANSFORMERS_4_BARE, TRANSFORMERS_5, TRANSFORMERS_5_BARE };

static const char *name_in(const struct sotto_base_tensor *tensor, enum naming naming)
{
    switch (naming) {
    case TRANSFORMERS_4: return tensor->names[SOTTO_NAMING_4];
    case TRANSFORMERS_4_BARE: return tensor->names[SOTTO_NAMING_4] + strlen("vit.");
    case TRANSFORMERS_5: return tensor->names[SOTTO_NAMING_5];
    case TRANSFORMERS_5_BARE: return tensor->names[SOTTO_NAMING_5] + strlen("vit.");
    }
    return NULL;
}

enum { TINY_TENSORS = SOTTO_OUTER_COUNT + 2 * SOTTO_BLOCK_TENSOR_COUNT };

/*
 * Rewrites the folder's weights under other names, without the last `missing` tensors, with one
 * called `extra` unless that is NULL.
 */
static void rewrite(const struct model_folder *folder, const float *weights, enum naming naming,
                    size_t missing, const char *extra)
{
    struct sotto_arch arch = model_folder_tiny();
    static struct sotto_base_tensor tensors[TINY_TENSORS];
    struct sotto_tensor_to_store stored[TINY_TENSORS + 1];
    size_t count = 0;
    char path[MODEL_FOLDER_PATH_MAX + 64];

    for (size_t i = 0; i < TINY_TENSORS; i++) {
        tensors[i] = sotto_base_tensor(&arch, i);
        stored[count] = (struct sotto_tensor_to_store){.name = name_in(&tensors[i], naming),
                                                       .values = weights + tensors[i].first,
                                                       .rank = tensors[i].rank,
                                                       .dtype = SOTTO_DTYPE_F32};
        memcpy(stored[count].shape, tensors[i].shape, sizeof stored[count].shape);
        count += tensors[i].count > 0;
    }
    count -= missing;
    stored[count] =
        (struct sotto_tensor_to_store){.name = extra, .values = weights, .rank = 1, .shape = {3}};
    count += extra != NULL;
    snprintf(path, sizeof path, "%s/model.safetensors", folder->path);
    assert_int_equal(sotto_safetensors_write(path, stored, count, NULL, NULL), SOTTO_OK);
}

static void base__any_naming__reads_the_same_weights(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    for (enum naming naming = TRANSFORMERS_4; naming <= TRANSFORMERS_5_BARE; naming++) {
        struct sotto_base base;

        rewrite(&folder, weights, naming, 0, NULL);
        assert_int_equal(sotto_base_open(&base, folder.path, NULL), SOTTO_OK);
        assert_memory_equal(base.weights, weights,
                            sotto_base_weight_count(&arch) * sizeof *weights);
        sotto_base_close(&base);
    }
    model_folder_close(&folder);
    free(weights);
}

/* Opens the folder, which must fail with this status and a sentence that holds `part`. */
static void assert_refused(const struct model_folder *folder, enum sotto_status status,
                           const char *part)
{
    struct sotto_base base;
    struct sotto_fault fault = {0};

    assert_int_equal(sotto_base_open(&base, folder->path, &fault), status);
    if (strstr(fault.text, part) == NULL)
        fail_msg("'%s' does not name '%s'", fault.text, part);
}

static void base__tensor_missing__is_named(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    rewrite(&folder, weights, TRANSFORMERS_4, 1, NULL);
    assert_refused(&folder, SOTTO_MISMATCH, "vit.layernorm.bias");
    model_folder_close(&folder);
    free(weights);
}

static void base__tensor_of_a_head__is_passed_over(void **state)
{
    static const char *const names[] = {"classifier.weight", "vit.pooler.dense.bias",
                                        "pooler.dense.weight", "vit.embeddings.mask_token"};
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sotto_base base;

        rewrite(&folder, weights, TRANSFORMERS_4, 0, names[i]);
        assert_int_equal(sotto_base_open(&base, folder.path, NULL), SOTTO_OK);
        sotto_base_close(&base);
    }
    model_folder_close(&folder);
    free(weights);
}

static void base__tensor_that_nothing_asks_for__is_named(void **state)
{
    static const char *const names[] = {"vit.encoder.layer.2.layernorm_before.weight",
                                        "layernorm.weight", "lm_head.weight"};
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rewrite(&folder, weights, TRANSFORMERS_4, 0, names[i]);
        assert_refused(&folder, SOTTO_MISMATCH, names[i]);
    }
    model_folder_close(&folder);
    free(weights);
}

static void base__not_a_number_in_the_weights__is_malformed(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    weights[sotto_base_outer_place(&arch, SOTTO_OUTER_NORM_GAIN) + 3] = NAN;
    model_folder_open(&folder, &arch, weights);
    assert_refused(&folder, SOTTO_MALFORMED, "vit.layernorm.weight");
    model_folder_close(&folder);
    free(weights);
}

/* The config promises 7 patches a side; the positions are there for 2. */
static void base__config_of_another_shape__names_the_tensor(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    model_folder_write(&folder, "config.json",
                       "{\"model_type\": \"vit\", \"hidden_size\": 16,"
                       " \"intermediate_size\": 24, \"num_hidden_layers\": 2,"
                       " \"num_attention_heads\": 2, \"image_size\": 28, \"patch_size\": 4,"
                       " \"num_channels\": 1}");
    assert_refused(&folder, SOTTO_MISMATCH, "vit.embeddings.position_embeddings");
    model_folder_close(&folder);
    free(weights);
}

static void base__config_of_a_giant__reserves_no_memory_for_it(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    model_folder_write(&folder, "config.json",
                       "{\"model_type\": \"vit\", \"hidden_size\": 16384,"
                       " \"intermediate_size\": 65536, \"num_hidden_layers\": 256,"
                       " \"num_attention_heads\": 2, \"image_size\": 8, \"patch_size\": 4,"
                       " \"num_channels\": 1}");
    assert_refused(&folder, SOTTO_MISMATCH, "too small");
    model_folder_close(&folder);
    free(weights);
}

static void base__no_such_folder__is_not_found(void **state)
{
    const struct model_folder nowhere = {"/nonexistent"};

    (void)state;
    assert_refused(&nowhere, SOTTO_NOT_FOUND, "/nonexistent/config.json");
}

static void base__preprocessor_that_does_not_fit__names_the_key(void **state)
{
    static const struct {
        const char *text;
        enum sotto_status status;
        const char *part;
    } rows[] = {
        {"[]", SOTTO_MALFORMED, "object"},
        {"{", SOTTO_MALFORMED, "line 1"},
        {"{\"size\": 9}", SOTTO_MISMATCH, "size"},
        {"{\"size\": {\"height\": 8, \"width\": 9}}", SOTTO_MISMATCH, "size"},
        {"{\"do_rescale\": 1}", SOTTO_MALFORMED, "do_rescale"},
        {"{\"rescale_factor\": 0}", SOTTO_MALFORMED, "rescale_factor"},
        {"{\"image_mean\": [0.5, 0.5]}", SOTTO_MISMATCH, "image_mean"},
        {"{\"image_std\": [0]}", SOTTO_MALFORMED, "image_std"},
        {"{\"image_std\": [\"1\"]}", SOTTO_MALFORMED, "image_std"},
    };
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 1);
    struct model_folder folder;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        model_folder_write(&folder, "preprocessor_config.json", rows[i].text);
        assert_refused(&folder, rows[i].status, rows[i].part);
    }
    model_folder_close(&folder);
    free(weights);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vit__golden_pictures__features_as_another_implementation),
        cmocka_unit_test(vit__tensor_table__tiles_the_weights),
        cmocka_unit_test(vit__without_qkv_bias__three_tensors_a_block_are_not_stored),
        cmocka_unit_test(vit__tensor_names__are_those_of_transformers_4_and_5),
        cmocka_unit_test(base__any_naming__reads_the_same_weights),
        cmocka_unit_test(base__tensor_missing__is_named),
        cmocka_unit_test(base__tensor_of_a_head__is_passed_over),
        cmocka_unit_test(base__tensor_that_nothing_asks_for__is_named),
        cmocka_unit_test(base__not_a_number_in_the_weights__is_malformed),
        cmocka_unit_test(base__config_of_another_shape__names_the_tensor),
        cmocka_unit_test(base__config_of_a_giant__reserves_no_memory_for_it),
        cmocka_unit_test(base__no_such_folder__is_not_found),
        cmocka_unit_test(base__preprocessor_that_does_not_fit__names_the_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
