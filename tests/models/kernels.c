/* Each kernel of the CPU's table against a naive twin in double, under its own tolerance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/kernels/elementwise.h"
#include "models/kernels/kernels.h"
#include "models/kernels/vector.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { ROWS = 7, COLUMNS = 37, STRIDE = 41, SPAN = ROWS * STRIDE };

static const struct sotto_kernels *kernels;

static int choose_kernels(void **state)
{
    (void)state;
    kernels = sotto_kernels_cpu();
    return 0;
}

static struct sotto_matrix strided(float *at)
{
    return (struct sotto_matrix){device_floats(at), ROWS, COLUMNS, STRIDE};
}

static struct sotto_matrix_view strided_view(const float *at)
{
    return (struct sotto_matrix_view){device_view(at), ROWS, COLUMNS, STRIDE};
}

static double element(struct sotto_factor factor, size_t row, size_t column)
{
    const float *at = host_view(factor.view.at);

    return factor.is_transposed ? at[column * factor.view.stride + row]
                                : at[row * factor.view.stride + column];
}

static void multiply_naively(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                             double alpha, double beta)
{
    size_t inner = a.is_transposed ? a.view.rows : a.view.columns;

    for (size_t row = 0; row < c.rows; row++) {
        for (size_t column = 0; column < c.columns; column++) {
            float *at = host_floats(c.at + row * c.stride + column);
            double sum = 0.0;

            for (size_t k = 0; k < inner; k++)
                sum += element(a, row, k) * element(b, k, column);
            *at = (float)(alpha * sum + beta * *at);
        }
    }
}

/* Sums of 37 products of N(0, 1): 1e-6 is a few roundings. */
static void matmul__every_transposition__equals_its_twin(void **state)
{
    float *a = normal_floats((size_t)STRIDE * STRIDE, 1.0, 1);
    float *b = normal_floats((size_t)STRIDE * STRIDE, 1.0, 2);

    (void)state;
    for (int which = 0; which < 4; which++) {
        struct sotto_matrix_view x = strided_view(a);
        struct sotto_matrix_view flipped = {device_view(a), COLUMNS, ROWS, STRIDE};
        struct sotto_matrix_view y = {device_view(b), COLUMNS, 5, STRIDE};
        struct sotto_matrix_view turned = {device_view(b), 5, COLUMNS, STRIDE};
        struct sotto_factor left =
            which & 1 ? sotto_factor_transposed(flipped) : sotto_factor_plain(x);
        struct sotto_factor right =
            which & 2 ? sotto_factor_transposed(turned) : sotto_factor_plain(y);
        float *got = normal_floats(ROWS * 5, 1.0, 3);
        float *expected = normal_floats(ROWS * 5, 1.0, 3);

        kernels->matmul(matrix_over(got, ROWS, 5), left, right, 0.5f, 2.0f);
        multiply_naively(matrix_over(expected, ROWS, 5), left, right, 0.5, 2.0);
        assert_near(got, expected, ROWS * 5, 2e-6);
        free(got);
        free(expected);
    }
    free(a);
    free(b);
}

static void matmul__beta_zero__ignores_what_was_there(void **state)
{
    const float one[] = {1.0f};
    float c[] = {NAN};

    (void)state;
    kernels->matmul(matrix_over(c, 1, 1), sotto_factor_plain(view_over(one, 1, 1)),
                    sotto_factor_plain(view_over(one, 1, 1)), 3.0f, 0.0f);
    assert_true(c[0] == 3.0f);
}

static void fill_rows__with_and_without_each__equals_its_twin(void **state)
{
    float *bias = normal_floats(COLUMNS, 1.0, 1);
    float *residual = normal_floats(SPAN, 1.0, 2);

    (void)state;
    for (int which = 0; which < 4; which++) {
        float *y = normal_floats(SPAN, 1.0, 3);
        float *before = normal_floats(SPAN, 1.0, 3);
        struct sotto_matrix_view beside = strided_view(which & 1 ? residual : NULL);

        kernels->fill_rows(strided(y), device_view(which & 2 ? bias : NULL), beside);
        for (size_t i = 0; i < SPAN; i++) {
            float expected = (which & 1 ? residual[i] : 0.0f) +
                             (which & 2 && i % STRIDE < COLUMNS ? bias[i % STRIDE] : 0.0f);

            assert_true(y[i] == (i % STRIDE < COLUMNS ? expected : before[i]));
        }
        free(y);
        free(before);
    }
    free(bias);
    free(residual);
}

static void add_column_sums__strided__equals_its_twin(void **state)
{
    float *x = normal_floats(SPAN, 1.0, 1);
    float *sums = normal_floats(COLUMNS, 1.0, 2);
    float *expected = normal_floats(COLUMNS, 1.0, 2);

    (void)state;
    kernels->add_column_sums(device_floats(sums), strided_view(x));
    for (size_t i = 0; i < SPAN; i++) {
        if (i % STRIDE < COLUMNS)
            expected[i % STRIDE] += x[i];
    }
    assert_near(sums, expected, COLUMNS, 1e-6);
    free(x);
    free(sums);
    free(expected);
}

static void add__any_length__is_exact(void **state)
{
    (void)state;
    for (size_t count = 0; count < 40; count++) {
        float *x = normal_floats(40, 1.0, 1);
        float *sum = normal_floats(40, 1.0, 2);
        float *before = normal_floats(40, 1.0, 2);

        kernels->add(device_floats(sum), device_view(x), count);
        for (size_t i = 0; i < 40; i++)
            assert_true(sum[i] == (i < count ? before[i] + x[i] : before[i]));
        free(x);
        free(sum);
        free(before);
    }
}

/* Each row its own, or one row to all. */
static void add_rows__strided_and_one_for_all__is_exact(void **state)
{
    float *x = normal_floats(SPAN, 1.0, 1);

    (void)state;
    for (int is_one = 0; is_one < 2; is_one++) {
        float *sum = normal_floats(SPAN, 1.0, 2);
        float *before = normal_floats(SPAN, 1.0, 2);
        struct sotto_matrix_view added = strided_view(x);

        added.stride = is_one == 1 ? 0 : added.stride;
        kernels->add_rows(strided(sum), added);
        for (size_t i = 0; i < SPAN; i++) {
            float more = is_one == 1 ? x[i % STRIDE] : x[i];

            assert_true(sum[i] == (i % STRIDE < COLUMNS ? before[i] + more : before[i]));
        }
        free(sum);
        free(before);
    }
    free(x);
}

static void exponential__whole_range__within_its_stated_error(void **state)
{
    (void)state;
    for (int i = -87 * 256; i <= 88 * 256; i++) {
        float x = (float)i / 256.0f;

        assert_true(fabs(sotto_vector_exp(x) / exp(x) - 1.0) <= 3e-7);
    }
    assert_true(sotto_vector_exp(-INFINITY) == sotto_vector_exp(-87.0f));
    assert_true(sotto_vector_exp(INFINITY) == sotto_vector_exp(88.0f));
    assert_true(isnan(sotto_vector_exp(NAN)));
}

/* Value and slope of an activation at one z, with the gate at z and 2 to let through. */
static void activate_one(enum sotto_activation activation, float z, float *value, float *slope)
{
    const size_t columns = activation == SOTTO_ACTIVATION_SILU_GATE ? 2 : 1;
    const float in[] = {z, 2.0f};
    const float one = 1.0f;
    float out[2];

    kernels->activate(matrix_over(value, 1, 1), view_over(in, 1, columns), activation);
    kernels->activate_backward(matrix_over(out, 1, columns), view_over(&one, 1, 1),
                               view_over(in, 1, columns), activation);
    *slope = out[0];
}

static double gelu_tanh_of(double z)
{
    return 0.5 * z * (1.0 + tanh(sqrt(2.0 / M_PI) * (z + 0.044715 * z * z * z)));
}

static double silu_of(double z)
{
    return z / (1.0 + exp(-z));
}

/* Over the whole range in steps of 1/512, against erf of the C library. */
static void gelu_erf__whole_range__within_its_stated_error(void **state)
{
    (void)state;
    for (int i = -12 * 512; i <= 12 * 512; i++) {
        double z = i / 512.0;
        double below = 0.5 * erfc(-z / sqrt(2.0));
        double expected = below + z * exp(-0.5 * z * z) / sqrt(2.0 * M_PI);
        float y;
        float slope;

        activate_one(SOTTO_ACTIVATION_GELU_ERF, (float)z, &y, &slope);
        assert_true(fabs(y - z * below) <= 1e-6 * (1.0 + fabs(z)));
        assert_true(fabs(slope - expected) <= 1e-6 * (1.0 + fabs(z)));
    }
}

static void gelu_tanh_and_silu__whole_range__equal_their_twins(void **state)
{
    (void)state;
    for (int i = -24 * 128; i <= 24 * 128; i++) {
        double z = i / 128.0;
        float y;
        float slope;

        activate_one(SOTTO_ACTIVATION_GELU_TANH, (float)z, &y, &slope);
        assert_true(fabs(y - gelu_tanh_of(z)) <= 1e-6 * (1.0 + fabs(z)));
        assert_true(fabs(slope - (gelu_tanh_of(z + 1e-4) - gelu_tanh_of(z - 1e-4)) / 2e-4) < 2e-6);
        activate_one(SOTTO_ACTIVATION_SILU_GATE, (float)z, &y, &slope);
        assert_true(fabs(y - 2.0 * silu_of(z)) <= 2e-6 * (1.0 + fabs(z)));
        assert_true(fabs(slope - (silu_of(z + 1e-4) - silu_of(z - 1e-4)) / 1e-4) < 4e-6);
    }
}

static void silu_gate__two_columns__lets_through_what_is_beside(void **state)
{
    const float z[] = {0.5f, -1.0f, 3.0f, 4.0f};
    const float dy[] = {1.0f, 10.0f};
    float y[2];
    float dz[4];

    (void)state;
    kernels->activate(matrix_over(y, 1, 2), view_over(z, 1, 4), SOTTO_ACTIVATION_SILU_GATE);
    kernels->activate_backward(matrix_over(dz, 1, 4), view_over(dy, 1, 2), view_over(z, 1, 4),
                               SOTTO_ACTIVATION_SILU_GATE);
    for (size_t i = 0; i < 2; i++) {
        assert_true(fabs(y[i] - silu_of(z[i]) * z[2 + i]) < 1e-6);
        assert_true(fabs(dz[2 + i] - silu_of(z[i]) * dy[i]) < 1e-5);
    }
}

static void activations__extremes__are_the_limits(void **state)
{
    (void)state;
    for (int which = 0; which < 3; which++) {
        float factor = which == SOTTO_ACTIVATION_SILU_GATE ? 2.0f : 1.0f;
        float y;
        float slope;

        activate_one((enum sotto_activation)which, -1e30f, &y, &slope);
        assert_true(fabsf(y) < 1e-6f && fabsf(slope) < 1e-6f);
        activate_one((enum sotto_activation)which, 1e30f, &y, &slope);
        assert_true(y == factor * 1e30f && slope == factor);
        activate_one((enum sotto_activation)which, NAN, &y, &slope);
        assert_true(isnan(y) && isnan(slope));
        activate_one((enum sotto_activation)which, 0.0f, &y, &slope);
        assert_true(y == 0.0f && fabsf(slope - 0.5f * factor) < 1e-6f);
    }
}

static void softmax_rows__wide_spread__equals_its_twin(void **state)
{
    float *x = normal_floats(SPAN, 20.0, 1);
    float *before = normal_floats(SPAN, 20.0, 1);

    (void)state;
    kernels->softmax_rows(strided(x));
    for (size_t row = 0; row < ROWS; row++) {
        const float *in = before + row * STRIDE;
        double sum = 0.0;

        for (size_t i = 0; i < COLUMNS; i++)
            sum += exp((double)in[i] - in[0]);
        for (size_t i = 0; i < COLUMNS; i++)
            assert_true(fabs(x[row * STRIDE + i] - exp((double)in[i] - in[0]) / sum) < 1e-6);
        for (size_t i = COLUMNS; i < STRIDE; i++)
            assert_true(x[row * STRIDE + i] == in[i]);
    }
    free(x);
    free(before);
}

static void softmax_rows__nan_in_a_row__stays_visible(void **state)
{
    float x[] = {0.0f, NAN, 1.0f};

    (void)state;
    kernels->softmax_rows(matrix_over(x, 1, 3));
    assert_true(isnan(x[0]) && isnan(x[1]) && isnan(x[2]));
}

static void largest__any_length__is_the_first_of_equals(void **state)
{
    float *x = normal_floats(200, 1.0, 1);
    const float nothing[] = {NAN, NAN};

    (void)state;
    for (size_t count = 1; count <= 200; count++) {
        size_t expected = 0;

        for (size_t i = 1; i < count; i++)
            expected = x[i] > x[expected] ? i : expected;
        assert_int_equal(sotto_cpu_largest(x, count), expected);
    }
    x[70] = x[150] = 100.0f;
    assert_int_equal(sotto_cpu_largest(x, 200), 70);
    assert_int_equal(sotto_cpu_largest(nothing, 2), 0);
    free(x);
}

/* One layer norm with all that its kernels read. */
struct norm_case {
    float *x;
    float *gain;
    float *bias;
    float *dy;
    float mean[ROWS];
    float inverse_std[ROWS];
    float dgain[COLUMNS];
    float dbias[COLUMNS];
    struct sotto_norm rule;
};

static void norm_case_open(struct norm_case *norm, enum sotto_norm_kind kind)
{
    *norm = (struct norm_case){0};
    norm->x = normal_floats(SPAN, 3.0, 1);
    norm->gain = normal_floats(COLUMNS, 1.0, 2);
    norm->bias = normal_floats(COLUMNS, 1.0, 3);
    norm->dy = normal_floats(SPAN, 1.0, 4);
    norm->rule = (struct sotto_norm){
        .kind = kind,
        .epsilon = 1e-5f,
        .gain = device_view(norm->gain),
        .bias = device_view(kind == SOTTO_NORM_LAYER ? norm->bias : NULL),
        .gain_gradient = device_floats(norm->dgain),
        .bias_gradient = device_floats(kind == SOTTO_NORM_LAYER ? norm->dbias : NULL)};
}

static void norm_case_close(struct norm_case *norm)
{
    free(norm->x);
    free(norm->gain);
    free(norm->bias);
    free(norm->dy);
}

static struct sotto_norm_rows rows_of(struct norm_case *norm)
{
    return (struct sotto_norm_rows){device_floats(norm->mean), device_floats(norm->inverse_std)};
}

static double norm_naively(const struct norm_case *norm, size_t row, size_t column)
{
    const float *x = norm->x + row * STRIDE;
    const float *bias = host_view(norm->rule.bias);
    double mean = 0.0;
    double variance = 0.0;

    for (size_t i = 0; i < COLUMNS && norm->rule.kind == SOTTO_NORM_LAYER; i++)
        mean += x[i] / (double)COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++)
        variance += (x[i] - mean) * (x[i] - mean) / COLUMNS;
    return (x[column] - mean) / sqrt(variance + 1e-5) * norm->gain[column] +
           (bias == NULL ? 0.0 : bias[column]);
}

static void norm_forward__each_kind__equals_its_twin(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct norm_case norm;
        float *y = normal_floats(SPAN, 1.0, 5);

        norm_case_open(&norm, (enum sotto_norm_kind)kind);
        kernels->norm_forward(strided(y), rows_of(&norm), strided_view(norm.x), &norm.rule);
        for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++) {
            double expected = norm_naively(&norm, i / COLUMNS, i % COLUMNS);

            assert_true(fabs(y[i / COLUMNS * STRIDE + i % COLUMNS] - expected) < 2e-6);
        }
        free(y);
        norm_case_close(&norm);
    }
}

/* sum dy y, the function whose slopes the two backward kernels are. */
static double norm_loss(void *context)
{
    const struct norm_case *norm = context;
    double loss = 0.0;

    for (size_t row = 0; row < ROWS; row++) {
        for (size_t column = 0; column < COLUMNS; column++)
            loss += norm->dy[row * STRIDE + column] * norm_naively(norm, row, column);
    }
    return loss;
}

static void norm_backward__each_kind__is_the_slope(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct norm_case norm;
        struct slope slope = {norm_loss, &norm, 1e-3, 1e-4};
        struct sotto_norm_rows rows = rows_of(&norm);
        float *dx = calloc(SPAN, sizeof *dx);
        float *y = calloc(SPAN, sizeof *y);

        norm_case_open(&norm, (enum sotto_norm_kind)kind);
        kernels->norm_forward(strided(y), rows, strided_view(norm.x), &norm.rule);
        kernels->norm_backward(strided(dx), strided_view(norm.dy), strided_view(norm.x), rows,
                               &norm.rule);
        kernels->norm_parameters(&norm.rule, strided_view(norm.dy), strided_view(norm.x), rows);
        assert_slope(&slope, "x", norm.x, dx, SPAN);
        assert_slope(&slope, "gain", norm.gain, norm.dgain, COLUMNS);
        if (kind == SOTTO_NORM_LAYER)
            assert_slope(&slope, "bias", norm.bias, norm.dbias, COLUMNS);
        free(dx);
        free(y);
        norm_case_close(&norm);
    }
}

static void norm_parameters__frozen__are_left_alone(void **state)
{
    struct norm_case norm;
    struct sotto_norm_rows rows = rows_of(&norm);
    const float zeros[COLUMNS] = {0};

    (void)state;
    norm_case_open(&norm, SOTTO_NORM_LAYER);
    norm.rule.gain_gradient = NULL;
    kernels->norm_parameters(&norm.rule, strided_view(norm.dy), strided_view(norm.x), rows);
    assert_memory_equal(norm.dgain, zeros, sizeof zeros);
    assert_memory_not_equal(norm.dbias, zeros, sizeof zeros);
    norm_case_close(&norm);
}

/* Pairs of a head's halves turn by the angle of their position, and back. */
static void rotate__two_heads__turns_pairs_and_back(void **state)
{
    enum { POSITIONS = 3, HALF = 2, HEADS = 2, ACROSS = 2 * HALF * HEADS };
    float cosines[POSITIONS * HALF];
    float sines[POSITIONS * HALF];
    const struct sotto_rotary rotary = {device_view(cosines), device_view(sines)};
    float *x = normal_floats((size_t)POSITIONS * ACROSS, 1.0, 1);
    float *before = normal_floats((size_t)POSITIONS * ACROSS, 1.0, 1);

    (void)state;
    for (size_t i = 0; i < POSITIONS * HALF; i++) {
        cosines[i] = cosf(0.3f * (float)i);
        sines[i] = sinf(0.3f * (float)i);
    }
    kernels->rotate(matrix_over(x, POSITIONS, ACROSS), &rotary, 2 * HALF, false);
    for (size_t i = 0; i < (size_t)POSITIONS * ACROSS; i++) {
        size_t angle = i / ACROSS * HALF + i % HALF;
        bool is_low = i % (2 * HALF) < HALF;
        float other = is_low ? -before[i + HALF] : before[i - HALF];

        assert_true(fabsf(x[i] - before[i] * cosines[angle] - other * sines[angle]) < 1e-6f);
    }
    kernels->rotate(matrix_over(x, POSITIONS, ACROSS), &rotary, 2 * HALF, true);
    assert_near(x, before, (size_t)POSITIONS * ACROSS, 1e-6);
    free(x);
    free(before);
}

enum { DROPPED_ROWS = 100, DROPPED_COLUMNS = 101, DROPPED = DROPPED_ROWS * DROPPED_COLUMNS };

static size_t count_equal(const float *a, const float *b)
{
    size_t count = 0;

    for (size_t i = 0; i < DROPPED; i++)
        count += a[i] == b[i];
    return count;
}

/* 10100 elements at rate 0.3: 3030 go, with a deviation of 46; of two keys 0.58 agree. */
static void drop__three_in_ten__go_and_the_others_grow(void **state)
{
    struct sotto_dropout dropout = {0.3f, 12345};
    float *x = malloc(DROPPED * sizeof *x);
    float *y = malloc(DROPPED * sizeof *y);
    float *z = malloc(DROPPED * sizeof *z);
    size_t gone = 0;
    size_t equal;

    (void)state;
    for (size_t i = 0; i < DROPPED; i++)
        x[i] = 1.0f;
    kernels->drop(matrix_over(y, DROPPED_ROWS, DROPPED_COLUMNS),
                  view_over(x, DROPPED_ROWS, DROPPED_COLUMNS), &dropout);
    for (size_t i = 0; i < DROPPED; i++) {
        gone += y[i] == 0.0f;
        assert_true(y[i] == 0.0f || fabsf(y[i] - 1.0f / 0.7f) < 1e-6f);
    }
    assert_in_range(gone, 3030 - 5 * 46, 3030 + 5 * 46);
    dropout.key++;
    kernels->drop(matrix_over(z, DROPPED_ROWS, DROPPED_COLUMNS),
                  view_over(x, DROPPED_ROWS, DROPPED_COLUMNS), &dropout);
    equal = count_equal(y, z);
    assert_in_range(equal, 5858 - 250, 5858 + 250);
    free(x);
    free(y);
    free(z);
}

static void tanh__whole_range__equals_its_twin_and_its_slope(void **state)
{
    float x[] = {-90.0f, -2.5f, -0.3f, -1e-4f, 0.0f, 0.02f, 0.9f, 5.0f, 90.0f};
    enum { COUNT = sizeof x / sizeof x[0] };
    float y[COUNT], dx[COUNT];

    (void)state;
    memcpy(y, x, sizeof x);
    kernels->tanh_forward(device_floats(y), COUNT);
    for (size_t i = 0; i < COUNT; i++)
        dx[i] = 2.0f;
    kernels->tanh_backward(device_floats(dx), device_view(y), COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        double right = tanh(x[i]);

        assert_true(fabs(y[i] - right) < 1e-6);
        assert_true(fabs(dx[i] - 2.0 * (1.0 - right * right)) < 1e-6);
    }
}

/* Rows 4, 0, 4 of a strided matrix, and back: the row that was taken twice gets both. */
static void gather_and_scatter__a_row_twice__copies_and_adds(void **state)
{
    static const uint32_t rows[] = {4, 0, 4};
    float *x = normal_floats(SPAN, 1.0, 1);
    float *sums = normal_floats(SPAN, 1.0, 2);
    float *before = normal_floats(SPAN, 1.0, 2);
    float y[3 * COLUMNS];

    (void)state;
    kernels->gather_rows(matrix_over(y, 3, COLUMNS), strided_view(x), rows);
    for (size_t i = 0; i < 3; i++)
        assert_memory_equal(y + i * COLUMNS, x + rows[i] * STRIDE, COLUMNS * sizeof *y);
    kernels->scatter_rows(strided(sums), view_over(y, 3, COLUMNS), rows);
    for (size_t i = 0; i < SPAN; i++) {
        float times = i / STRIDE == 4 ? 2.0f : i / STRIDE == 0 ? 1.0f : 0.0f;
        float added = i % STRIDE < COLUMNS ? times * x[i] : 0.0f;

        assert_true(fabsf(sums[i] - before[i] - added) < 1e-6f);
    }
    free(x);
    free(sums);
    free(before);
}

static void scatter_rows__one_row_for_all__is_added_to_each(void **state)
{
    static const uint32_t rows[] = {5, 1, 5};
    const float one[] = {1.0f, -2.0f};
    float sums[ROWS * 2] = {0};

    (void)state;
    kernels->scatter_rows(matrix_over(sums, ROWS, 2),
                          (struct sotto_matrix_view){device_view(one), 3, 2, 0}, rows);
    for (size_t i = 0; i < (size_t)ROWS * 2; i++)
        assert_true(sums[i] == (i / 2 == 5 ? 2.0f : i / 2 == 1 ? 1.0f : 0.0f) * one[i % 2]);
}

/* Rows 2 and 0 of three patches, against the formula in double. */
static void compare_patches__drawn__become_their_gradient(void **state)
{
    enum { PATCHES = 3, DRAWN = 2 };
    static const uint32_t rows[DRAWN] = {2, 0};
    float *patches = normal_floats((size_t)PATCHES * COLUMNS, 2.0, 1);
    float *drawn = normal_floats((size_t)DRAWN * COLUMNS, 1.0, 2);
    float *before = normal_floats((size_t)DRAWN * COLUMNS, 1.0, 2);
    struct sotto_device_loss sums = {{100.0, 3}};
    struct sotto_loss loss;
    double sum = 100.0;

    (void)state;
    kernels->compare_patches(matrix_over(drawn, DRAWN, COLUMNS),
                             view_over(patches, PATCHES, COLUMNS), rows, 0.25, &sums);
    kernels->download_loss(&loss, &sums);
    for (size_t i = 0; i < (size_t)DRAWN * COLUMNS; i++) {
        const float *patch = patches + rows[i / COLUMNS] * COLUMNS;
        double mean = 0.0, square = 0.0, error;

        for (size_t j = 0; j < COLUMNS; j++)
            mean += patch[j] / (double)COLUMNS;
        for (size_t j = 0; j < COLUMNS; j++)
            square += pow(patch[j] - mean, 2) / COLUMNS;
        error = before[i] - (patch[i % COLUMNS] - mean) / sqrt(square + 1e-6);
        assert_true(fabs(drawn[i] - 0.5 * error) < 1e-6);
        sum += error * error;
    }
    assert_true(fabs(loss.sum - sum) < 1e-6 * sum && loss.correct_count == 3);
    free(patches);
    free(drawn);
    free(before);
}

static void copy_clear_scale__some_values__touch_those_alone(void **state)
{
    float x[] = {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f, 7.0f};
    const float copied[] = {1.0f, 1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 7.0f};
    const float scaled[] = {1.0f, 0.0f, 0.0f, 0.0f, 2.0f, 2.5f, 7.0f};

    (void)state;
    kernels->copy(device_floats(x + 1), device_view(x), 5);
    assert_memory_equal(x, copied, sizeof x);
    kernels->clear(device_floats(x + 1), 3);
    sotto_cpu_scale(device_floats(x + 4), 0.5f, 2);
    assert_memory_equal(x, scaled, sizeof x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul__every_transposition__equals_its_twin),
        cmocka_unit_test(matmul__beta_zero__ignores_what_was_there),
        cmocka_unit_test(fill_rows__with_and_without_each__equals_its_twin),
        cmocka_unit_test(add_column_sums__strided__equals_its_twin),
        cmocka_unit_test(add__any_length__is_exact),
        cmocka_unit_test(add_rows__strided_and_one_for_all__is_exact),
        cmocka_unit_test(exponential__whole_range__within_its_stated_error),
        cmocka_unit_test(gelu_erf__whole_range__within_its_stated_error),
        cmocka_unit_test(gelu_tanh_and_silu__whole_range__equal_their_twins),
        cmocka_unit_test(silu_gate__two_columns__lets_through_what_is_beside),
        cmocka_unit_test(activations__extremes__are_the_limits),
        cmocka_unit_test(softmax_rows__wide_spread__equals_its_twin),
        cmocka_unit_test(softmax_rows__nan_in_a_row__stays_visible),
        cmocka_unit_test(largest__any_length__is_the_first_of_equals),
        cmocka_unit_test(norm_forward__each_kind__equals_its_twin),
        cmocka_unit_test(norm_backward__each_kind__is_the_slope),
        cmocka_unit_test(norm_parameters__frozen__are_left_alone),
        cmocka_unit_test(rotate__two_heads__turns_pairs_and_back),
        cmocka_unit_test(tanh__whole_range__equals_its_twin_and_its_slope),
        cmocka_unit_test(gather_and_scatter__a_row_twice__copies_and_adds),
        cmocka_unit_test(drop__three_in_ten__go_and_the_others_grow),
        cmocka_unit_test(scatter_rows__one_row_for_all__is_added_to_each),
        cmocka_unit_test(compare_patches__drawn__become_their_gradient),
        cmocka_unit_test(copy_clear_scale__some_values__touch_those_alone),
    };

    return cmocka_run_group_tests(tests, choose_kernels, NULL);
}
