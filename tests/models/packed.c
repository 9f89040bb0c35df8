/* Products with packed weights against a naive twin in double, and a block that uses them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/block/block.h"
#include "models/block/packing.h"
#include "models/kernels/packed/tile.h"
#include "models/kernels/packed/tile_avx512.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { ROWS = 64, COLUMNS = 416, SLACK = 3, BATCH_MAX = 230 };

typedef void (*multiply_function)(struct sotto_matrix c, struct sotto_matrix_view a,
                                  const struct sotto_packed *w, enum sotto_packed_way way,
                                  bool adds);
static const multiply_function units[] = {sotto_cpu_matmul_packed, sotto_portable_matmul_packed};
enum { UNITS = sizeof units / sizeof units[0] };

/* The nearest float32 with 8 bits of precision; of two equally near ones the even one. */
static double rounded(float value)
{
    int exponent;
    double mantissa = frexp((double)value, &exponent);

    return ldexp(nearbyint(mantissa * 256.0), exponent - 8);
}

/* A weight matrix, plain and packed, and room for both of its products. */
struct bench {
    float *w;
    struct sotto_device_bf16 *memory;
    struct sotto_packed packed;
    float *a; /* [BATCH_MAX, COLUMNS + SLACK] */
    float *c;
    float *before;
};

static void bench_open(struct bench *bench)
{
    size_t values = (size_t)BATCH_MAX * (COLUMNS + SLACK);

    bench->w = normal_floats((size_t)ROWS * COLUMNS, 1.0, 1);
    bench->memory = aligned_alloc(64, sotto_packed_count(ROWS, COLUMNS) * sizeof *bench->memory);
    assert_non_null(bench->memory);
    bench->packed = sotto_cpu_pack(bench->memory, view_over(bench->w, ROWS, COLUMNS));
    bench->a = normal_floats(values, 1.0, 2);
    bench->before = normal_floats(values, 1.0, 3);
    bench->c = calloc(values, sizeof *bench->c);
    assert_non_null(bench->c);
}

static void bench_close(struct bench *bench)
{
    free(bench->w);
    free(bench->memory);
    free(bench->a);
    free(bench->before);
    free(bench->c);
}

/* `count` rows of W from `first` on. */
struct slice {
    uint32_t first;
    uint32_t count;
};

static double twin_of(const struct bench *bench, struct slice slice, enum sotto_packed_way way,
                      size_t row, size_t column)
{
    size_t inner = way == SOTTO_PACKED_FORWARD ? COLUMNS : slice.count;
    double sum = 0.0;

    for (size_t k = 0; k < inner; k++) {
        size_t w = way == SOTTO_PACKED_FORWARD ? (slice.first + column) * COLUMNS + k
                                               : (slice.first + k) * COLUMNS + column;

        sum += rounded(bench->a[row * (COLUMNS + SLACK) + k]) * rounded(bench->w[w]);
    }
    return sum;
}

/* Sums of up to 416 products of N(0, 1), in float32. */
static void check(struct bench *bench, multiply_function multiply, struct slice slice,
                  enum sotto_packed_way way, size_t batch)
{
    const size_t stride = COLUMNS + SLACK;
    struct sotto_packed w = sotto_packed_rows(bench->packed, slice.first, slice.count);
    size_t out = way == SOTTO_PACKED_FORWARD ? slice.count : COLUMNS;
    size_t inner = way == SOTTO_PACKED_FORWARD ? COLUMNS : slice.count;

    for (int adds = 0; adds < 2; adds++) {
        memcpy(bench->c, bench->before, batch * stride * sizeof *bench->c);
        multiply((struct sotto_matrix){device_floats(bench->c), batch, out, stride},
                 (struct sotto_matrix_view){device_view(bench->a), batch, inner, stride}, &w, way,
                 adds == 1);
        for (size_t i = 0; i < batch * stride; i++) {
            bool is_beside = i % stride >= out;
            double expected = is_beside || adds == 1 ? (double)bench->before[i] : 0.0;

            if (!is_beside)
                expected += twin_of(bench, slice, way, i / stride, i % stride);
            assert_true(fabs(bench->c[i] - expected) < 1e-4);
        }
    }
}

/* Batches round the heights of tiles and of what is rounded at a time; rows of W from anywhere. */
static void matmul_packed__forward_and_backward__equal_the_twin(void **state)
{
    static const size_t batches[] = {1, 13, 14, 15, 113, BATCH_MAX};
    static const struct slice slices[] = {{0, ROWS}, {32, 32}};
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (size_t i = 0; i < UNITS * 2 * sizeof batches / sizeof batches[0]; i++) {
        size_t batch = batches[i / 2 / UNITS];

        check(&bench, units[i % UNITS], slices[i / UNITS % 2], SOTTO_PACKED_FORWARD, batch);
        check(&bench, units[i % UNITS], slices[i / UNITS % 2], SOTTO_PACKED_BACKWARD, batch);
    }
    bench_close(&bench);
}

static void matmul_packed__nan_in_a_row__spoils_that_row_alone(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    bench.a[5 * COLUMNS + 400] = NAN;
    for (size_t unit = 0; unit < UNITS; unit++) {
        units[unit](matrix_over(bench.c, 20, ROWS), view_over(bench.a, 20, COLUMNS), &bench.packed,
                    SOTTO_PACKED_FORWARD, false);
        for (size_t i = 0; i < (size_t)20 * ROWS; i++)
            assert_int_equal(isnan(bench.c[i]) != 0, i / ROWS == 5);
    }
    bench_close(&bench);
}

static void check_rounding(const struct sotto_tile_kernel *kernel)
{
    /* 1 + 2^-8 and 1 + 3 * 2^-8 lie half way. */
    float in[32] = {1.0f,       1.00390625f, 1.01171875f, 1.0039064f, -1.00390625f,  0.0f,
                    3.1415927f, INFINITY,    -INFINITY,   NAN,        3.4028235e38f, 1e-30f};
    static const uint16_t expected[] = {0x3f80, 0x3f80, 0x3f82, 0x3f81, 0xbf80, 0x0000,
                                        0x4049, 0x7f80, 0xff80, 0x7fc0, 0x7f80, 0x0da2};
    uint16_t out[32];

    kernel->round(out, in, 32);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        assert_int_equal(out[i], expected[i]);
}

static void tile__round__goes_to_the_nearest_and_to_even(void **state)
{
    (void)state;
    check_rounding(sotto_tile_portable());
    if (sotto_tile_avx512() != NULL)
        check_rounding(sotto_tile_avx512());
}

/* Element (row, column) of the square is 100 * row + column. */
static void check_turning(const struct sotto_tile_kernel *kernel)
{
    uint16_t square[SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH];
    uint16_t out[SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH];

    for (size_t i = 0; i < SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH; i++) {
        size_t pair = i / 2 / SOTTO_PANEL_WIDTH;

        square[i] = (uint16_t)(100 * (i / 2 % SOTTO_PANEL_WIDTH) + 2 * pair + i % 2);
    }
    kernel->turn(out, square);
    for (size_t i = 0; i < SOTTO_PANEL_WIDTH * SOTTO_PANEL_WIDTH; i++) {
        size_t pair = i / 2 / SOTTO_PANEL_WIDTH;

        assert_int_equal(out[i], 100 * (2 * pair + i % 2) + i / 2 % SOTTO_PANEL_WIDTH);
    }
}

static void tile__turn__makes_pairs_of_rows_of_pairs_of_columns(void **state)
{
    (void)state;
    check_turning(sotto_tile_portable());
    if (sotto_tile_avx512() != NULL)
        check_turning(sotto_tile_avx512());
}

enum { WIDTH = 64, MLP_WIDTH = 96, SAMPLES = 3, TOKENS = 5, VALUES = SAMPLES * TOKENS * WIDTH };

static const struct sotto_block_spec specs[] = {
    {.width = WIDTH,
     .mlp_width = MLP_WIDTH,
     .head_count = 4,
     .kv_head_count = 4,
     .head_width = 16,
     .norm_epsilon = 1e-5f,
     .bias_set = (1 << SOTTO_BLOCK_LINEAR_COUNT) - 1},
    {.width = WIDTH,
     .mlp_width = MLP_WIDTH,
     .head_count = 4,
     .kv_head_count = 2,
     .head_width = 16,
     .norm_kind = SOTTO_NORM_RMS,
     .activation = SOTTO_ACTIVATION_SILU_GATE,
     .is_causal = true,
     .norm_epsilon = 1e-5f},
};

/* Forward and backward of one block; y and dx out. */
static void run(float *y, float *dx, const struct sotto_block *block, const float *x,
                struct sotto_block_shape shape)
{
    struct sotto_device_arena arena;
    struct sotto_block_pass pass;
    struct sotto_block_scratch scratch;

    assert_int_equal(sotto_device_arena_open(&arena, block->kernels, (size_t)4 << 20), SOTTO_OK);
    assert_int_equal(sotto_block_pass_take(&pass, block, shape, &arena), SOTTO_OK);
    assert_int_equal(sotto_block_scratch_take(&scratch, block, shape, &arena), SOTTO_OK);
    sotto_block_forward(block, &pass, &scratch, device_floats(y), device_view(x), shape);
    memcpy(dx, y, VALUES * sizeof *dx);
    sotto_block_backward(block, &pass, &scratch, device_floats(dx), SOTTO_BLOCK_BELOW_TRAINED);
    sotto_device_arena_close(&arena);
}

/* |a - b| / |b| */
static double distance(const float *a, const float *b, size_t count)
{
    double difference = 0.0;
    double length = 0.0;

    for (size_t i = 0; i < count; i++) {
        difference += pow((double)a[i] - b[i], 2);
        length += pow((double)b[i], 2);
    }
    return sqrt(difference / length);
}

/* Eight bits of precision leave errors of about 2^-9 a product, which mostly cancel. */
static void check_block(const struct sotto_block_spec *spec, bool is_first_only)
{
    struct sotto_block_shape shape = {
        .batch = SAMPLES, .length_max = TOKENS, .is_first_only = is_first_only};
    size_t count = sotto_block_packed_count(spec);
    struct sotto_device_bf16 *memory = aligned_alloc(64, count * sizeof *memory);
    float *weights = normal_floats(sotto_block_weight_count(spec), 0.125, 5);
    float *x = normal_floats(VALUES, 1.0, 6);
    struct sotto_packed packed[SOTTO_BLOCK_LINEAR_COUNT];
    struct sotto_block block = {
        .kernels = sotto_kernels_cpu(), .spec = *spec, .weights = device_view(weights)};
    float y[2][VALUES] = {{0}};
    float dx[2][VALUES] = {{0}};

    run(y[0], dx[0], &block, x, shape);
    sotto_block_pack(packed, memory, block.kernels, spec, device_view(weights));
    block.packed = packed;
    run(y[1], dx[1], &block, x, shape);
    assert_memory_not_equal(y[0], y[1], sizeof y[0]);
    assert_true(distance(y[1], y[0], VALUES) < 4e-3);
    assert_true(distance(dx[1], dx[0], VALUES) < 8e-3);
    free(memory);
    free(weights);
    free(x);
}

static void block__packed_weights__computes_nearly_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        check_block(&specs[i / 2], i % 2 == 1);
}

static void block__widths_that_fill_no_panel__are_not_packed(void **state)
{
    struct sotto_block_spec spec = specs[0];

    (void)state;
    assert_int_equal(sotto_block_packed_count(&spec), 4 * WIDTH * WIDTH + 2 * WIDTH * MLP_WIDTH);
    spec.mlp_width = 90;
    assert_int_equal(sotto_block_packed_count(&spec), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul_packed__forward_and_backward__equal_the_twin),
        cmocka_unit_test(matmul_packed__nan_in_a_row__spoils_that_row_alone),
        cmocka_unit_test(tile__round__goes_to_the_nearest_and_to_even),
        cmocka_unit_test(tile__turn__makes_pairs_of_rows_of_pairs_of_columns),
        cmocka_unit_test(block__packed_weights__computes_nearly_the_same),
        cmocka_unit_test(block__widths_that_fill_no_panel__are_not_packed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
