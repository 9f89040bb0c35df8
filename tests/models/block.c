/* The block's gradients against finite differences, with adapters and with all weights trained. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/block/block.h"
#include "tests/models/slope.h"

enum { WIDTH = 8, MLP_WIDTH = 12, HEADS = 2, BATCH = 2, TOKENS = 5, RANK = 2 };
enum { VALUES = BATCH * TOKENS * WIDTH };

static const struct sotto_block_spec spec = {WIDTH, MLP_WIDTH, HEADS, 1e-6f};
static const struct sotto_block_shape whole = {BATCH, TOKENS, TOKENS};
static const struct sotto_block_shape first_only = {BATCH, TOKENS, 1};

static const struct {
    uint32_t in;
    uint32_t out;
} layers[SOTTO_BLOCK_LINEAR_COUNT] = {
    [SOTTO_BLOCK_QUERY] = {WIDTH, WIDTH},      [SOTTO_BLOCK_KEY] = {WIDTH, WIDTH},
    [SOTTO_BLOCK_VALUE] = {WIDTH, WIDTH},      [SOTTO_BLOCK_ATTENTION_OUT] = {WIDTH, WIDTH},
    [SOTTO_BLOCK_MLP_IN] = {WIDTH, MLP_WIDTH}, [SOTTO_BLOCK_MLP_OUT] = {MLP_WIDTH, WIDTH},
};

/* A block with its input, and the loss sum(y * direction). */
struct bench {
    struct sotto_block block;
    struct sotto_block_shape shape;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;
    struct sotto_arena arena;
    float *weights;
    float *x;
    float *direction;
    float y[VALUES];
    float gradient[VALUES];
};

static double loss_of(void *context)
{
    struct bench *bench = context;
    size_t count = (size_t)bench->shape.batch * bench->shape.query_count * WIDTH;
    double loss = 0.0;

    sotto_block_forward(&bench->block, &bench->pass, bench->y, bench->x, bench->shape);
    for (size_t i = 0; i < count; i++)
        loss += (double)bench->y[i] * bench->direction[i];
    return loss;
}

static void bench_open(struct bench *bench, struct sotto_block_shape shape, bool is_full,
                       uint32_t adapted)
{
    size_t count = sotto_block_weight_count(&spec);

    *bench = (struct bench){.shape = shape};
    bench->weights = normal_floats(count, 0.4, 1);
    bench->x = normal_floats(VALUES, 1.0, 2);
    bench->direction = normal_floats(VALUES, 1.0, 3);
    bench->block = (struct sotto_block){
        .kernels = sotto_kernels_cpu(), .spec = spec, .weights = bench->weights};
    if (is_full)
        bench->block.weight_gradients = calloc(count, sizeof(float));
    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        if ((adapted >> i & 1) == 0)
            continue;
        bench->block.lora[i] =
            (struct sotto_lora){RANK,
                                1.5f,
                                normal_floats((size_t)RANK * layers[i].in, 0.5, 10 + i),
                                normal_floats((size_t)RANK * layers[i].out, 0.5, 20 + i),
                                calloc((size_t)RANK * layers[i].in, sizeof(float)),
                                calloc((size_t)RANK * layers[i].out, sizeof(float))};
    }
    assert_int_equal(sotto_arena_open(&bench->arena, 1 << 20), SOTTO_OK);
    assert_int_equal(sotto_block_pass_take(&bench->pass, &bench->block, whole, &bench->arena),
                     SOTTO_OK);
    assert_int_equal(sotto_block_scratch_take(&bench->scratch, &bench->block, whole, &bench->arena),
                     SOTTO_OK);
}

static void bench_close(struct bench *bench)
{
    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        free((void *)bench->block.lora[i].a);
        free((void *)bench->block.lora[i].b);
        free(bench->block.lora[i].a_gradient);
        free(bench->block.lora[i].b_gradient);
    }
    free(bench->block.weight_gradients);
    free(bench->weights);
    free(bench->x);
    free(bench->direction);
    sotto_arena_close(&bench->arena);
}

static void bench_backward(struct bench *bench, enum sotto_block_below below)
{
    loss_of(bench);
    memcpy(bench->gradient, bench->direction, sizeof bench->gradient);
    sotto_block_backward(&bench->block, &bench->pass, &bench->scratch, bench->gradient, below);
}

static void assert_adapters(struct bench *bench, const struct slope *slope)
{
    for (size_t i = 0; i < SOTTO_BLOCK_LINEAR_COUNT; i++) {
        struct sotto_lora *lora = &bench->block.lora[i];

        if (lora->rank == 0)
            continue;
        assert_slope(slope, "lora A", (float *)lora->a, lora->a_gradient,
                     (size_t)RANK * layers[i].in);
        assert_slope(slope, "lora B", (float *)lora->b, lora->b_gradient,
                     (size_t)RANK * layers[i].out);
    }
}

static void check(struct sotto_block_shape shape, bool is_full, uint32_t adapted,
                  enum sotto_block_below below)
{
    struct bench bench;
    struct slope slope = {loss_of, &bench, 5e-3, 2e-3};

    bench_open(&bench, shape, is_full, adapted);
    bench_backward(&bench, below);
    assert_adapters(&bench, &slope);
    for (size_t tensor = 0; is_full && tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
        struct sotto_block_tensor_place place = sotto_block_tensor_place(&spec, tensor);

        assert_slope(&slope, "weights", bench.weights + place.first,
                     bench.block.weight_gradients + place.first,
                     (size_t)place.rows * place.columns);
    }
    if (below == SOTTO_BLOCK_BELOW_TRAINED)
        assert_slope(&slope, "x", bench.x, bench.gradient,
                     (size_t)shape.batch * shape.token_count * WIDTH);
    bench_close(&bench);
}

static void block__all_weights_trained__gradients_are_the_slopes(void **state)
{
    (void)state;
    check(whole, true, 0, SOTTO_BLOCK_BELOW_TRAINED);
    check(whole, true, 0, SOTTO_BLOCK_BELOW_FROZEN);
}

static void block__adapters_on_all_layers__gradients_are_the_slopes(void **state)
{
    (void)state;
    check(whole, false, 0x3f, SOTTO_BLOCK_BELOW_TRAINED);
    check(whole, false, 0x3f, SOTTO_BLOCK_BELOW_FROZEN);
}

static void block__one_adapter_with_nothing_below__gradient_is_the_slope(void **state)
{
    (void)state;
    for (uint32_t layer = 0; layer < SOTTO_BLOCK_LINEAR_COUNT; layer++)
        check(whole, false, 1u << layer, SOTTO_BLOCK_BELOW_FROZEN);
}

static void block__first_token_only__gradients_are_the_slopes(void **state)
{
    (void)state;
    check(first_only, true, 0x3f, SOTTO_BLOCK_BELOW_TRAINED);
    check(first_only, false, 0x3f, SOTTO_BLOCK_BELOW_FROZEN);
}

static void block__shorter_than_it_was_taken_for__gradients_are_the_slopes(void **state)
{
    (void)state;
    check((struct sotto_block_shape){1, 3, 3}, true, 0x3f, SOTTO_BLOCK_BELOW_TRAINED);
    check((struct sotto_block_shape){2, 1, 1}, true, 0x3f, SOTTO_BLOCK_BELOW_TRAINED);
}

/* The short cut for a classifier's last block computes the very rows that the whole block has. */
static void block__first_token_only__equals_the_whole_blocks_row(void **state)
{
    struct bench all;
    struct bench some;

    (void)state;
    bench_open(&all, whole, false, 0x3f);
    bench_open(&some, first_only, false, 0x3f);
    loss_of(&all);
    loss_of(&some);
    for (size_t sample = 0; sample < BATCH; sample++)
        assert_near(some.y + sample * WIDTH, all.y + sample * TOKENS * WIDTH, WIDTH, 1e-5);
    bench_close(&all);
    bench_close(&some);
}

/* Samples of a batch do not see one another. */
static void block__another_sample_in_the_batch__does_not_matter(void **state)
{
    struct bench bench;
    float kept[TOKENS * WIDTH];

    (void)state;
    bench_open(&bench, whole, false, 0);
    loss_of(&bench);
    memcpy(kept, bench.y, sizeof kept);
    for (size_t i = TOKENS * WIDTH; i < VALUES; i++)
        bench.x[i] += 1.0f;
    loss_of(&bench);
    assert_near(bench.y, kept, TOKENS * WIDTH, 1e-6);
    bench_close(&bench);
}

static void block__counting_arena__counts_what_is_taken(void **state)
{
    struct bench bench;
    struct sotto_arena counted;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;

    (void)state;
    bench_open(&bench, whole, true, 0x3f);
    sotto_arena_init_counting(&counted);
    assert_int_equal(sotto_block_pass_take(&pass, &bench.block, whole, &counted), SOTTO_OK);
    assert_int_equal(sotto_block_scratch_take(&scratch, &bench.block, whole, &counted), SOTTO_OK);
    assert_int_equal(counted.used, bench.arena.used);
    bench_close(&bench);
}

static void block__arena_too_small__is_refused(void **state)
{
    struct bench bench;
    struct sotto_arena small;
    struct sotto_block_pass pass;

    (void)state;
    bench_open(&bench, whole, false, 0x3f);
    assert_int_equal(sotto_arena_open(&small, 4096), SOTTO_OK);
    assert_int_equal(sotto_block_pass_take(&pass, &bench.block, whole, &small), SOTTO_NO_MEMORY);
    sotto_arena_close(&small);
    bench_close(&bench);
}

static void block__tensor_places__tile_the_weights(void **state)
{
    size_t next = 0;

    (void)state;
    for (size_t tensor = 0; tensor < SOTTO_BLOCK_TENSOR_COUNT; tensor++) {
        struct sotto_block_tensor_place place = sotto_block_tensor_place(&spec, tensor);

        assert_int_equal(place.first, next);
        next += (size_t)place.rows * place.columns;
    }
    assert_int_equal(next, sotto_block_weight_count(&spec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(block__all_weights_trained__gradients_are_the_slopes),
        cmocka_unit_test(block__adapters_on_all_layers__gradients_are_the_slopes),
        cmocka_unit_test(block__one_adapter_with_nothing_below__gradient_is_the_slope),
        cmocka_unit_test(block__first_token_only__gradients_are_the_slopes),
        cmocka_unit_test(block__shorter_than_it_was_taken_for__gradients_are_the_slopes),
        cmocka_unit_test(block__first_token_only__equals_the_whole_blocks_row),
        cmocka_unit_test(block__another_sample_in_the_batch__does_not_matter),
        cmocka_unit_test(block__counting_arena__counts_what_is_taken),
        cmocka_unit_test(block__arena_too_small__is_refused),
        cmocka_unit_test(block__tensor_places__tile_the_weights),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
