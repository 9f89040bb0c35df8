/* Products with packed weights against a naive twin in double, and a block that uses them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/block/block.h"
#include "models/block/packing.h"
#include "models/kernels/matmul.h"
#include "models/kernels/packed/tile.h"
#include "models/kernels/packed/tile_avx512.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { ROWS = 64, COLUMNS = 416, SLACK = 3, BATCH_MAX = 230 };

/* Who multiplies, and by weights of which kind. */
struct unit {
    void (*affine)(struct sotto_matrix y, struct sotto_matrix_view x, const struct sotto_packed *w,
                   const struct sotto_device_float *bias, struct sotto_matrix_view residual);
    void (*matmul)(struct sotto_matrix c, struct sotto_matrix_view a, const struct sotto_packed *w);
    bool is_float;
};
static const struct unit units[] = {
    {sotto_cpu_affine_packed, sotto_cpu_matmul_packed, false},
    {sotto_portable_affine_packed, sotto_portable_matmul_packed, false},
    {sotto_cpu_affine_packed, sotto_cpu_matmul_packed, true},
};

/* Without AVX-512 float32 weights are not packed. */
static size_t unit_count(void)
{
    return sotto_cpu_packs_floats() ? 3 : 2;
}

/* The nearest float32 with 8 bits of precision; of two equally near ones the even one. */
static double rounded(float value)
{
    int exponent;
    double mantissa = frexp((double)value, &exponent);

    return ldexp(nearbyint(mantissa * 256.0), exponent - 8);
}

/* A weight matrix, plain and packed in both ways, and room for both of its products. */
struct bench {
    float *w;
    struct sotto_device_bf16 *halves;
    struct sotto_device_float *floats;
    struct sotto_packed packed[2]; /* as bfloat16, as float32 */
    float *a;                      /* [BATCH_MAX, COLUMNS + SLACK] */
    float *c;
    float *before; /* c's content, and the residual */
};

static void bench_open(struct bench *bench)
{
    size_t values = (size_t)BATCH_MAX * (COLUMNS + SLACK);
    size_t count = (size_t)ROWS * COLUMNS;

    *bench = (struct bench){.w = normal_floats(count, 1.0, 1),
                            .halves = aligned_alloc(64, count * sizeof *bench->halves),
                            .floats = aligned_alloc(64, count * sizeof *bench->floats)};
    assert_true(bench->halves != NULL && bench->floats != NULL);
    bench->packed[0] = sotto_cpu_pack(bench->halves, view_over(bench->w, ROWS, COLUMNS));
    if (sotto_cpu_packs_floats())
        bench->packed[1] = sotto_cpu_pack_floats(bench->floats, view_over(bench->w, ROWS, COLUMNS));
    bench->a = normal_floats(values, 1.0, 2);
    bench->before = normal_floats(values, 1.0, 3);
    bench->c = calloc(values, sizeof *bench->c);
    assert_non_null(bench->c);
}

static void bench_close(struct bench *bench)
{
    free(bench->w);
    free(bench->halves);
    free(bench->floats);
    free(bench->a);
    free(bench->before);
    free(bench->c);
}

/* `count` rows of W from `first` on. */
struct slice {
    uint32_t first;
    uint32_t count;
};

/* A product: by what, of which rows of W, which way; forward with a bias and a residual or none. */
struct trial {
    const struct unit *unit;
    struct slice slice;
    size_t batch;
    bool is_forward;
    bool has_addends;
};

static double twin_of(const struct bench *bench, const struct trial *trial, size_t row,
                      size_t column)
{
    size_t inner = trial->is_forward ? COLUMNS : trial->slice.count;
    double sum = 0.0;

    if (trial->has_addends)
        sum = (double)bench->w[column] + (double)bench->before[row * (COLUMNS + SLACK) + column];
    for (size_t k = 0; k < inner; k++) {
        size_t at = trial->is_forward ? (trial->slice.first + column) * COLUMNS + k
                                      : (trial->slice.first + k) * COLUMNS + column;
        float a = bench->a[row * (COLUMNS + SLACK) + k];
        float w = bench->w[at];

        sum += trial->unit->is_float ? (double)a * w : rounded(a) * rounded(w);
    }
    return sum;
}

/* Its result in bench->c. The bias is the first of W. */
static void compute(struct bench *bench, const struct trial *trial)
{
    const size_t stride = COLUMNS + SLACK;
    struct sotto_packed w = sotto_packed_rows(bench->packed[trial->unit->is_float],
                                              trial->slice.first, trial->slice.count);
    size_t out = trial->is_forward ? trial->slice.count : COLUMNS;
    size_t inner = trial->is_forward ? COLUMNS : trial->slice.count;
    struct sotto_matrix c = {device_floats(bench->c), trial->batch, out, stride};
    struct sotto_matrix_view a = {device_view(bench->a), trial->batch, inner, stride};
    struct sotto_matrix_view residual = {device_view(bench->before), trial->batch, out, stride};

    if (!trial->has_addends)
        residual.at = NULL;
    if (trial->is_forward)
        trial->unit->affine(c, a, &w, trial->has_addends ? device_view(bench->w) : NULL, residual);
    else
        trial->unit->matmul(c, a, &w);
}

/* Sums of up to 416 products of N(0, 1), in float32. What lies beside c is left alone. */
static void check(struct bench *bench, const struct trial *trial)
{
    const size_t stride = COLUMNS + SLACK;
    size_t out = trial->is_forward ? trial->slice.count : COLUMNS;

    memcpy(bench->c, bench->before, trial->batch * stride * sizeof *bench->c);
    compute(bench, trial);
    for (size_t i = 0; i < trial->batch * stride; i++) {
        double expected = i % stride >= out ? (double)bench->before[i]
                                            : twin_of(bench, trial, i / stride, i % stride);

        assert_true(fabs(bench->c[i] - expected) < 1e-4);
    }
}

/* Batches round the heights of tiles and of what is rounded at a time; rows of W from anywhere. */
static void packed__forward_and_backward__equal_the_twin(void **state)
{
    static const size_t batches[] = {1, 13, 14, 15, 113, BATCH_MAX};
    static const struct slice slices[] = {{0, ROWS}, {32, 32}};
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (size_t i = 0; i < unit_count() * 2 * sizeof batches / sizeof batches[0]; i++) {
        struct trial trial = {.unit = &units[i % unit_count()],
                              .slice = slices[i / unit_count() % 2],
                              .batch = batches[i / unit_count() / 2]};

        check(&bench, &trial);
        trial.is_forward = true;
        check(&bench, &trial);
        trial.has_addends = true;
        check(&bench, &trial);
    }
    bench_close(&bench);
}

static void packed__nan_in_a_row__spoils_that_row_alone(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    bench.a[5 * (COLUMNS + SLACK) + 400] = NAN;
    for (size_t unit = 0; unit < unit_count(); unit++) {
        struct trial trial = {
            .unit = &units[unit], .slice = {0, ROWS}, .batch = 20, .is_forward = true};

        compute(&bench, &trial);
        for (size_t i = 0; i < (size_t)20 * ROWS; i++)
            assert_int_equal(isnan(bench.c[i / ROWS * (COLUMNS + SLACK) + i % ROWS]) != 0,
                             i / ROWS == 5);
    }
    bench_close(&bench);
}

enum { LONG = 832, SHORT = 96, PLAIN_BATCH = 270 };

/* Both products of a weight matrix, packed and as it is. */
static void check_bits(size_t rows, size_t columns)
{
    float *w = normal_floats(rows * columns, 1.0, 4);
    float *a = normal_floats((size_t)PLAIN_BATCH * LONG, 1.0, 5);
    float *c[2] = {calloc((size_t)PLAIN_BATCH * LONG, sizeof **c),
                   calloc((size_t)PLAIN_BATCH * LONG, sizeof **c)};
    float *memory = aligned_alloc(64, rows * columns * sizeof *memory);
    struct sotto_matrix_view plain = view_over(w, rows, columns);
    struct sotto_packed packed = sotto_cpu_pack_floats(device_floats(memory), plain);
    struct sotto_matrix_view residual = view_over(a, PLAIN_BATCH, rows);

    sotto_cpu_affine(matrix_over(c[0], PLAIN_BATCH, rows), view_over(a, PLAIN_BATCH, columns),
                     plain, device_view(w), residual);
    sotto_cpu_affine_packed(matrix_over(c[1], PLAIN_BATCH, rows),
                            view_over(a, PLAIN_BATCH, columns), &packed, device_view(w), residual);
    assert_memory_equal(c[0], c[1], PLAIN_BATCH * rows * sizeof **c);
    sotto_cpu_matmul(matrix_over(c[0], PLAIN_BATCH, columns),
                     sotto_factor_plain(view_over(a, PLAIN_BATCH, rows)), sotto_factor_plain(plain),
                     1.0f, 0.0f);
    sotto_cpu_matmul_packed(matrix_over(c[1], PLAIN_BATCH, columns),
                            view_over(a, PLAIN_BATCH, rows), &packed);
    assert_memory_equal(c[0], c[1], PLAIN_BATCH * columns * sizeof **c);
    free(w);
    free(a);
    free(c[0]);
    free(c[1]);
    free(memory);
}

/* Inner dimensions of several slices, and more rows than a block has. */
static void packed__float32__same_bits_as_the_weights_as_they_are(void **state)
{
    (void)state;
    if (!sotto_cpu_packs_floats())
        skip();
    check_bits(SHORT, LONG);
    check_bits(LONG, SHORT);
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

static void pack(struct sotto_packed *packed, void *memory, const struct sotto_block *block,
                 bool as_floats)
{
    struct sotto_packing packing = {.kernels = block->kernels};

    if (as_floats)
        packing.floats = memory;
    else
        packing.halves = memory;
    sotto_block_pack(packed, &packing, &block->spec, block->weights);
}

/*
 * As bfloat16 eight bits of precision leave errors of about 2^-9 a product, which mostly cancel;
 * float32 weights are what they were.
 */
static void check_block(const struct sotto_block_spec *spec, bool is_first_only, bool as_floats)
{
    struct sotto_block_shape shape = {
        .batch = SAMPLES, .length_max = TOKENS, .is_first_only = is_first_only};
    void *memory = aligned_alloc(64, sotto_block_packed_count(spec) * sizeof(float));
    float *weights = normal_floats(sotto_block_weight_count(spec), 0.125, 5);
    float *x = normal_floats(VALUES, 1.0, 6);
    struct sotto_packed packed[SOTTO_BLOCK_LINEAR_COUNT];
    struct sotto_block block = {
        .kernels = sotto_kernels_cpu(), .spec = *spec, .weights = device_view(weights)};
    float y[2][VALUES] = {{0}};
    float dx[2][VALUES] = {{0}};

    run(y[0], dx[0], &block, x, shape);
    pack(packed, memory, &block, as_floats);
    block.packed = packed;
    memset(weights + sotto_block_tensor_place(spec, SOTTO_BLOCK_QUERY_WEIGHT).first, 0x7f,
           (size_t)WIDTH * WIDTH * sizeof *weights);
    run(y[1], dx[1], &block, x, shape);
    assert_int_equal(memcmp(y[0], y[1], sizeof y[0]) == 0, as_floats);
    assert_int_equal(memcmp(dx[0], dx[1], sizeof dx[0]) == 0, as_floats);
    assert_true(distance(y[1], y[0], VALUES) < 4e-3);
    assert_true(distance(dx[1], dx[0], VALUES) < 8e-3);
    free(memory);
    free(weights);
    free(x);
}

static void block__bfloat16_weights__computes_nearly_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++)
        check_block(&specs[i / 2], i % 2 == 1, false);
}

static void block__float32_weights_in_panels__computes_the_same(void **state)
{
    (void)state;
    if (!sotto_cpu_packs_floats())
        skip();
    for (size_t i = 0; i < 4; i++)
        check_block(&specs[i / 2], i % 2 == 1, true);
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
        cmocka_unit_test(packed__forward_and_backward__equal_the_twin),
        cmocka_unit_test(packed__nan_in_a_row__spoils_that_row_alone),
        cmocka_unit_test(packed__float32__same_bits_as_the_weights_as_they_are),
        cmocka_unit_test(tile__round__goes_to_the_nearest_and_to_even),
        cmocka_unit_test(tile__turn__makes_pairs_of_rows_of_pairs_of_columns),
        cmocka_unit_test(block__bfloat16_weights__computes_nearly_the_same),
        cmocka_unit_test(block__float32_weights_in_panels__computes_the_same),
        cmocka_unit_test(block__widths_that_fill_no_panel__are_not_packed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
