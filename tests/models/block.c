/*
 * The block of every spec against a naive twin in double: what it computes, and all its gradients
 * against the twin's difference quotients.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/block/block.h"
#include "models/ops/dropout.h"
#include "tests/models/block_twin.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { WIDTH = 6, MLP_WIDTH = 5, HEADS = 4, HEAD_WIDTH = 2, RANK = 2, POSITIONS = 8, SAMPLES = 9 };
enum { ROWS = 8, VALUES = ROWS * WIDTH };
enum { ALL_LAYERS = (1 << SOTTO_BLOCK_LINEAR_COUNT) - 1 };

/* Three samples, of which one has a single row. */
static const uint32_t starts[] = {0, 4, 5, 8};
static const struct sotto_block_shape ragged = {.batch = 3, .starts = starts, .length_max = 4};
static const struct sotto_block_shape ragged_first = {
    .batch = 3, .starts = starts, .length_max = 4, .is_first_only = true};

static const struct sotto_block_spec vit = {.width = WIDTH,
                                            .mlp_width = MLP_WIDTH,
                                            .head_count = HEADS,
                                            .kv_head_count = HEADS,
                                            .head_width = HEAD_WIDTH,
                                            .norm_epsilon = 1e-5f,
                                            .bias_set = ALL_LAYERS};

/* A block with its input, and the loss sum(y * direction). */
struct bench {
    struct sotto_block block;
    struct sotto_block_shape shape;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;
    struct sotto_device_arena arena;
    struct twin twin;
    float *weights;
    float *x;
    float *direction;
    float *angles[2];
    float y[VALUES];
    float gradient[VALUES];
};

static size_t onward_values(const struct bench *bench)
{
    return sotto_block_onward_count(&bench->shape) * WIDTH;
}

static double twin_loss(void *context)
{
    struct bench *bench = context;
    double loss = 0.0;

    bench->twin.block = &bench->block;
    bench->twin.shape = &bench->shape;
    bench->twin.x = bench->x;
    twin_run(&bench->twin);
    for (size_t i = 0; i < onward_values(bench); i++)
        loss += bench->twin.y[i / WIDTH][i % WIDTH] * bench->direction[i];
    return loss;
}

static double own_loss(void *context)
{
    struct bench *bench = context;
    double loss = 0.0;

    sotto_block_forward(&bench->block, &bench->pass, &bench->scratch, device_floats(bench->y),
                        device_view(bench->x), bench->shape);
    for (size_t i = 0; i < onward_values(bench); i++)
        loss += (double)bench->y[i] * bench->direction[i];
    return loss;
}

static size_t lora_in(const struct sotto_block *block, enum sotto_block_linear layer)
{
    return sotto_block_tensor_place(&block->spec, sotto_block_linear_weight(layer)).columns;
}

static size_t lora_out(const struct sotto_block *block, enum sotto_block_linear layer)
{
    return sotto_block_tensor_place(&block->spec, sotto_block_linear_weight(layer)).rows;
}

static void add_adapter(struct sotto_block *block, enum sotto_block_linear layer, float dropout)
{
    size_t a = RANK * lora_in(block, layer);
    size_t b = RANK * lora_out(block, layer);

    if (b == 0)
        return;
    block->lora[layer] = (struct sotto_lora){.rank = RANK,
                                             .scale = 1.5f,
                                             .a = device_view(normal_floats(a, 0.5, 10 + layer)),
                                             .b = device_view(normal_floats(b, 0.5, 20 + layer)),
                                             .a_gradient = calloc(a, sizeof(float)),
                                             .b_gradient = calloc(b, sizeof(float)),
                                             .dropout = {dropout, 77 + (uint64_t)layer}};
}

static void turn_tables(struct bench *bench)
{
    size_t half = HEAD_WIDTH / 2;

    for (int table = 0; table < 2; table++) {
        bench->angles[table] = calloc(POSITIONS * half, sizeof(float));
        for (size_t i = 0; i < POSITIONS * half; i++)
            bench->angles[table][i] = table == 0 ? cosf(0.7f * (float)i) : sinf(0.7f * (float)i);
    }
    bench->block.rotary =
        (struct sotto_rotary){device_view(bench->angles[0]), device_view(bench->angles[1])};
}

/* What a bench is made of. */
struct recipe {
    struct sotto_block_spec spec;
    struct sotto_block_shape shape;
    bool is_full;
    uint32_t adapted;
    float dropout;
};

static void bench_open(struct bench *bench, const struct recipe *recipe)
{
    size_t count = sotto_block_weight_count(&recipe->spec);
    struct sotto_block_shape largest = ragged;

    *bench = (struct bench){.shape = recipe->shape};
    bench->weights = normal_floats(count, 0.4, 1);
    bench->x = normal_floats(VALUES, 1.0, 2);
    bench->direction = normal_floats(VALUES, 1.0, 3);
    bench->block = (struct sotto_block){.kernels = sotto_kernels_cpu(),
                                        .spec = recipe->spec,
                                        .weights = device_view(bench->weights)};
    turn_tables(bench);
    if (recipe->is_full)
        bench->block.weight_gradients = calloc(count, sizeof(float));
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        if ((recipe->adapted >> i & 1) == 1)
            add_adapter(&bench->block, i, recipe->dropout);
    }
    assert_int_equal(sotto_device_arena_open(&bench->arena, sotto_kernels_cpu(), 1 << 20),
                     SOTTO_OK);
    assert_int_equal(sotto_block_pass_take(&bench->pass, &bench->block, largest, &bench->arena),
                     SOTTO_OK);
    assert_int_equal(
        sotto_block_scratch_take(&bench->scratch, &bench->block, largest, &bench->arena), SOTTO_OK);
}

static void bench_close(struct bench *bench)
{
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        free((void *)bench->block.lora[i].a);
        free((void *)bench->block.lora[i].b);
        free(bench->block.lora[i].a_gradient);
        free(bench->block.lora[i].b_gradient);
    }
    free(bench->block.weight_gradients);
    free(bench->weights);
    free(bench->x);
    free(bench->direction);
    free(bench->angles[0]);
    free(bench->angles[1]);
    sotto_device_arena_close(&bench->arena);
}

static void bench_backward(struct bench *bench, enum sotto_block_below below)
{
    own_loss(bench);
    memcpy(bench->gradient, bench->direction, sizeof bench->gradient);
    sotto_block_backward(&bench->block, &bench->pass, &bench->scratch,
                         device_floats(bench->gradient), below);
}

static void assert_adapters(struct bench *bench, const struct slope *slope)
{
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        struct sotto_lora *lora = &bench->block.lora[i];

        if (lora->a_gradient != NULL)
            assert_slope_sampled(slope, "lora A", (float *)host_view(lora->a),
                                 host_view(lora->a_gradient), RANK * lora_in(&bench->block, i),
                                 SAMPLES);
        if (lora->b_gradient != NULL)
            assert_slope_sampled(slope, "lora B", (float *)host_view(lora->b),
                                 host_view(lora->b_gradient), RANK * lora_out(&bench->block, i),
                                 SAMPLES);
    }
}

static void assert_gradients(struct bench *bench, const struct slope *slope,
                             enum sotto_block_below below)
{
    bench_backward(bench, below);
    assert_adapters(bench, slope);
    for (uint32_t tensor = 0; tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
        struct sotto_block_tensor_place place =
            sotto_block_tensor_place(&bench->block.spec, tensor);

        if (bench->block.weight_gradients != NULL)
            assert_slope_sampled(slope, "weights", bench->weights + place.first,
                                 host_view(bench->block.weight_gradients + place.first),
                                 (size_t)place.rows * place.columns, SAMPLES);
    }
    if (below == SOTTO_BLOCK_BELOW_TRAINED)
        assert_slope_sampled(slope, "x", bench->x, bench->gradient,
                             sotto_block_row_count(&bench->shape) * WIDTH, SAMPLES);
}

static void assert_forward(struct bench *bench)
{
    own_loss(bench);
    twin_loss(bench);
    for (size_t i = 0; i < onward_values(bench); i++) {
        double expected = bench->twin.y[i / WIDTH][i % WIDTH];

        if (!(fabs(bench->y[i] - expected) <= 1e-5 * (1.0 + fabs(expected))))
            fail_msg("y[%zu] is %g, the twin's %g", i, bench->y[i], expected);
    }
}

static void check(const struct recipe *recipe, enum sotto_block_below below)
{
    struct bench bench;
    struct slope slope = {twin_loss, &bench, 2e-4, 1e-4};

    bench_open(&bench, recipe);
    assert_forward(&bench);
    assert_gradients(&bench, &slope, below);
    bench_close(&bench);
}

enum { SPECS = 2 * 2 * 3 * 2 * 2 * 2 * 2 };

/* Every combination of what a spec can choose, by its number. */
static struct sotto_block_spec spec_of(size_t number)
{
    struct sotto_block_spec spec = vit;

    spec.norm_kind = number % 2 == 0 ? SOTTO_NORM_LAYER : SOTTO_NORM_RMS;
    spec.norm_place = number / 2 % 2 == 0 ? SOTTO_NORM_BEFORE : SOTTO_NORM_AFTER;
    spec.activation = (enum sotto_activation)(number / 4 % 3);
    spec.is_causal = number / 12 % 2 == 1;
    spec.is_rotary = number / 24 % 2 == 1;
    spec.kv_head_count = number / 48 % 2 == 0 ? HEADS : HEADS / 2;
    spec.bias_set = number / 96 % 2 == 0 ? ALL_LAYERS : 0;
    return spec;
}

/* Every `stride`th spec; one that shares no factor with their count meets every choice. */
static void check_specs(size_t stride, struct sotto_block_shape shape, bool is_full,
                        uint32_t adapted, enum sotto_block_below below)
{
    for (size_t number = 0; number < SPECS; number += stride) {
        const struct recipe recipe = {spec_of(number), shape, is_full, adapted, 0.0f};

        print_message("spec %zu\n", number);
        check(&recipe, below);
    }
}

static void block__every_spec_with_adapters__equals_its_twin(void **state)
{
    (void)state;
    check_specs(1, ragged, false, ALL_LAYERS, SOTTO_BLOCK_BELOW_TRAINED);
}

static void block__every_spec_with_all_weights_trained__equals_its_twin(void **state)
{
    (void)state;
    check_specs(1, ragged, true, 0, SOTTO_BLOCK_BELOW_TRAINED);
}

static void block__every_spec_with_first_rows_only__equals_its_twin(void **state)
{
    (void)state;
    check_specs(1, ragged_first, true, ALL_LAYERS, SOTTO_BLOCK_BELOW_TRAINED);
}

/* One thing trained and nothing below: what is left out may not be missed. */
static void block__one_adapter_with_nothing_below__equals_its_twin(void **state)
{
    (void)state;
    for (uint32_t layer = 0; layer < SOTTO_BLOCK_LINEAR_COUNT; layer++) {
        check_specs(5, ragged, false, 1u << layer, SOTTO_BLOCK_BELOW_FROZEN);
        check_specs(5, ragged_first, false, 1u << layer, SOTTO_BLOCK_BELOW_FROZEN);
    }
}

/* Lengths equal and not given; shorter than the pass was taken for; biases of some layers. */
static void block__other_shapes__equal_their_twin(void **state)
{
    struct recipe recipe = {vit, {.batch = 2, .length_max = 4}, true, ALL_LAYERS, 0.0f};

    (void)state;
    check(&recipe, SOTTO_BLOCK_BELOW_TRAINED);
    recipe.shape = (struct sotto_block_shape){.batch = 1, .length_max = 1};
    check(&recipe, SOTTO_BLOCK_BELOW_TRAINED);
    recipe.spec.bias_set = 1u << SOTTO_BLOCK_QUERY | 1u << SOTTO_BLOCK_VALUE;
    recipe.shape = ragged;
    check(&recipe, SOTTO_BLOCK_BELOW_TRAINED);
}

/* One vector is trained in the base's place, alone or with everything else. */
static void check_vector(enum sotto_block_tensor tensor, size_t number,
                         struct sotto_block_shape shape)
{
    const struct recipe recipe = {spec_of(number), shape, false, 0, 0.0f};
    struct sotto_block_tensor_place place = sotto_block_tensor_place(&recipe.spec, tensor);
    struct bench bench;
    struct slope slope = {twin_loss, &bench, 2e-4, 1e-4};
    float *vector;
    float *gradient;

    if (place.rows == 0 || place.columns > 1)
        return;
    vector = normal_floats(place.rows, 0.4, 31);
    gradient = calloc(place.rows, sizeof *gradient);
    bench_open(&bench, &recipe);
    bench.block.vector[tensor] = device_view(vector);
    bench.block.vector_gradient[tensor] = device_floats(gradient);
    assert_true(sotto_block_is_trained(&bench.block));
    assert_forward(&bench);
    bench_backward(&bench, SOTTO_BLOCK_BELOW_FROZEN);
    assert_slope(&slope, "vector", vector, gradient, place.rows);
    bench_close(&bench);
    free(vector);
    free(gradient);
}

static void block__one_vector_trained__equals_its_twin(void **state)
{
    (void)state;
    for (uint32_t tensor = 0; tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
        for (size_t number = 0; number < 12; number++) {
            check_vector(tensor, number, ragged);
            check_vector(tensor, number, ragged_first);
        }
    }
}

/* Frozen halves of adapters leave their gradients alone and pass the others' on. */
static void block__half_of_each_adapter_frozen__equals_its_twin(void **state)
{
    const struct recipe recipe = {vit, ragged, false, ALL_LAYERS, 0.0f};
    struct bench bench;
    struct slope slope = {twin_loss, &bench, 2e-4, 1e-4};

    (void)state;
    for (int half = 0; half < 2; half++) {
        bench_open(&bench, &recipe);
        for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
            struct sotto_device_float **frozen =
                half == 0 ? &bench.block.lora[i].a_gradient : &bench.block.lora[i].b_gradient;

            free(*frozen);
            *frozen = NULL;
        }
        assert_gradients(&bench, &slope, SOTTO_BLOCK_BELOW_TRAINED);
        bench_close(&bench);
    }
}

/* The mask depends on counters alone, so that the function with it has slopes of its own. */
static void block__dropout__gradients_are_the_slopes(void **state)
{
    struct recipe recipe = {vit, ragged, false, ALL_LAYERS, 0.4f};
    struct bench bench;
    struct slope slope = {own_loss, &bench, 5e-3, 3e-3};

    (void)state;
    for (size_t number = 0; number < 12; number++) {
        recipe.spec = spec_of(number);
        recipe.shape = number % 2 == 0 ? ragged : ragged_first;
        bench_open(&bench, &recipe);
        assert_gradients(&bench, &slope, SOTTO_BLOCK_BELOW_TRAINED);
        bench_close(&bench);
    }
}

/* A sample's mask does not depend on the samples that run with it. */
static void block__dropout_in_another_group__is_the_same(void **state)
{
    const struct recipe recipe = {vit, ragged, false, ALL_LAYERS, 0.4f};
    struct bench bench;
    float kept[VALUES];

    (void)state;
    bench_open(&bench, &recipe);
    own_loss(&bench);
    memcpy(kept, bench.y, sizeof kept);
    bench.shape = (struct sotto_block_shape){.batch = 1, .length_max = 3, .sample_first = 2};
    memmove(bench.x, bench.x + (size_t)starts[2] * WIDTH, (size_t)3 * WIDTH * sizeof *bench.x);
    own_loss(&bench);
    assert_near(bench.y, kept + (size_t)starts[2] * WIDTH, (size_t)3 * WIDTH, 1e-6);
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++)
        bench.block.lora[i].dropout.key++;
    own_loss(&bench);
    assert_true(fabsf(bench.y[0] - kept[(size_t)starts[2] * WIDTH]) > 1e-4f);
    bench_close(&bench);
}

/* The short cut for a classifier's last block computes the very rows that the whole block has. */
static void block__first_rows_only__equal_the_whole_blocks_rows(void **state)
{
    const struct recipe whole = {vit, ragged, false, ALL_LAYERS, 0.4f};
    const struct recipe short_cut = {vit, ragged_first, false, ALL_LAYERS, 0.4f};
    struct bench all;
    struct bench some;

    (void)state;
    bench_open(&all, &whole);
    bench_open(&some, &short_cut);
    own_loss(&all);
    own_loss(&some);
    for (size_t sample = 0; sample < ragged.batch; sample++)
        assert_near(some.y + sample * WIDTH, all.y + (size_t)starts[sample] * WIDTH, WIDTH, 1e-5);
    bench_close(&all);
    bench_close(&some);
}

/* Samples of a batch do not see one another. */
static void block__another_sample_in_the_batch__does_not_matter(void **state)
{
    const struct recipe recipe = {vit, ragged, false, 0, 0.0f};
    struct bench bench;
    float kept[VALUES];

    (void)state;
    bench_open(&bench, &recipe);
    own_loss(&bench);
    memcpy(kept, bench.y, sizeof kept);
    for (size_t i = starts[1] * WIDTH; i < VALUES; i++)
        bench.x[i] += 1.0f;
    own_loss(&bench);
    assert_near(bench.y, kept, starts[1] * WIDTH, 1e-6);
    bench_close(&bench);
}

/* What is not trained leaves nothing to do, whatever adapters pass gradients on. */
static void block__nothing_trained__is_told(void **state)
{
    const struct recipe recipe = {vit, ragged, false, ALL_LAYERS, 0.0f};
    struct bench bench;

    (void)state;
    bench_open(&bench, &recipe);
    assert_true(sotto_block_is_trained(&bench.block));
    for (uint32_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        free(bench.block.lora[i].a_gradient);
        free(bench.block.lora[i].b_gradient);
        bench.block.lora[i].a_gradient = NULL;
        bench.block.lora[i].b_gradient = NULL;
    }
    assert_false(sotto_block_is_trained(&bench.block));
    bench_close(&bench);
}

static void block__counting_arena__counts_what_is_taken(void **state)
{
    const struct recipe recipe = {vit, ragged, true, ALL_LAYERS, 0.4f};
    struct bench bench;
    struct sotto_device_arena counted;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;

    (void)state;
    bench_open(&bench, &recipe);
    sotto_device_arena_init_counting(&counted);
    assert_int_equal(sotto_block_pass_take(&pass, &bench.block, ragged, &counted), SOTTO_OK);
    assert_int_equal(sotto_block_scratch_take(&scratch, &bench.block, ragged, &counted), SOTTO_OK);
    assert_int_equal(counted.used, bench.arena.used);
    bench_close(&bench);
}

static void block__arena_too_small__is_refused(void **state)
{
    const struct recipe recipe = {vit, ragged, false, ALL_LAYERS, 0.0f};
    struct bench bench;
    struct sotto_device_arena small;
    struct sotto_block_pass pass;

    (void)state;
    bench_open(&bench, &recipe);
    assert_int_equal(sotto_device_arena_open(&small, sotto_kernels_cpu(), 1024), SOTTO_OK);
    assert_int_equal(sotto_block_pass_take(&pass, &bench.block, ragged, &small), SOTTO_NO_MEMORY);
    sotto_device_arena_close(&small);
    bench_close(&bench);
}

static void block__tensor_places__tile_the_weights(void **state)
{
    (void)state;
    for (size_t number = 0; number < SPECS; number++) {
        struct sotto_block_spec spec = spec_of(number);
        size_t next = 0;

        for (uint32_t tensor = 0; tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
            struct sotto_block_tensor_place place = sotto_block_tensor_place(&spec, tensor);

            assert_int_equal(place.first, next);
            next += (size_t)place.rows * place.columns;
        }
        assert_int_equal(next, sotto_block_weight_count(&spec));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block__every_spec_with_adapters__equals_its_twin),
        cmocka_unit_test(block__every_spec_with_all_weights_trained__equals_its_twin),
        cmocka_unit_test(block__every_spec_with_first_rows_only__equals_its_twin),
        cmocka_unit_test(block__one_adapter_with_nothing_below__equals_its_twin),
        cmocka_unit_test(block__other_shapes__equal_their_twin),
        cmocka_unit_test(block__one_vector_trained__equals_its_twin),
        cmocka_unit_test(block__half_of_each_adapter_frozen__equals_its_twin),
        cmocka_unit_test(block__dropout__gradients_are_the_slopes),
        cmocka_unit_test(block__dropout_in_another_group__is_the_same),
        cmocka_unit_test(block__first_rows_only__equal_the_whole_blocks_rows),
        cmocka_unit_test(block__another_sample_in_the_batch__does_not_matter),
        cmocka_unit_test(block__nothing_trained__is_told),
        cmocka_unit_test(block__counting_arena__counts_what_is_taken),
        cmocka_unit_test(block__arena_too_small__is_refused),
        cmocka_unit_test(block__tensor_places__tile_the_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
