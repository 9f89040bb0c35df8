/* Each kernel of the CPU's table against a naive twin in double, under its own tolerance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/kernels/kernels.h"
#include "models/kernels/vector.h"
#include "tests/models/slope.h"

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
    return (struct sotto_matrix){at, ROWS, COLUMNS, STRIDE};
}

static struct sotto_matrix_view strided_view(const float *at)
{
    return (struct sotto_matrix_view){at, ROWS, COLUMNS, STRIDE};
}

static double element(struct sotto_factor factor, size_t row, size_t column)
{
    return factor.is_transposed ? factor.view.at[column * factor.view.stride + row]
                                : factor.view.at[row * factor.view.stride + column];
}

static void multiply_naively(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                             double alpha, double beta)
{
    size_t inner = a.is_transposed ? a.view.rows : a.view.columns;

    for (size_t row = 0; row < c.rows; row++) {
        for (size_t column = 0; column < c.columns; column++) {
            float *at = &c.at[row * c.stride + column];
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
        struct sotto_matrix_view flipped = {a, COLUMNS, ROWS, STRIDE};
        struct sotto_matrix_view y = {b, COLUMNS, 5, STRIDE};
        struct sotto_matrix_view turned = {b, 5, COLUMNS, STRIDE};
        struct sotto_factor left =
            which & 1 ? sotto_factor_transposed(flipped) : sotto_factor_plain(x);
        struct sotto_factor right =
            which & 2 ? sotto_factor_transposed(turned) : sotto_factor_plain(y);
        float *got = normal_floats(ROWS * 5, 1.0, 3);
        float *expected = normal_floats(ROWS * 5, 1.0, 3);

        kernels->matmul(sotto_matrix_of(got, ROWS, 5), left, right, 0.5f, 2.0f);
        multiply_naively(sotto_matrix_of(expected, ROWS, 5), left, right, 0.5, 2.0);
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
    kernels->matmul(sotto_matrix_of(c, 1, 1), sotto_factor_plain(sotto_matrix_view_of(one, 1, 1)),
                    sotto_factor_plain(sotto_matrix_view_of(one, 1, 1)), 3.0f, 0.0f);
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

        kernels->fill_rows(strided(y), which & 2 ? bias : NULL, beside);
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
    kernels->add_column_sums(sums, strided_view(x));
    for (size_t i = 0; i < SPAN; i++) {
        if (i % STRIDE < COLUMNS)
            expected[i % STRIDE] += x[i];
    }
    assert_near(sums, expected, COLUMNS, 1e-6);
    free(x);
    free(sums);
    free(expected);
}

static void add_and_multiply__any_length__are_exact(void **state)
{
    (void)state;
    for (size_t count = 0; count < 40; count++) {
        float *x = normal_floats(40, 1.0, 1);
        float *sum = normal_floats(40, 1.0, 2);
        float *product = normal_floats(40, 1.0, 2);
        float *before = normal_floats(40, 1.0, 2);

        kernels->add(sum, x, count);
        kernels->multiply(product, x, count);
        for (size_t i = 0; i < 40; i++) {
            assert_true(sum[i] == (i < count ? before[i] + x[i] : before[i]));
            assert_true(product[i] == (i < count ? before[i] * x[i] : before[i]));
        }
        free(x);
        free(sum);
        free(product);
        free(before);
    }
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

/* Over the whole range in steps of 1/512, against erf of the C library. */
static void gelu__whole_range__within_its_stated_error(void **state)
{
    (void)state;
    for (int i = -12 * 512; i <= 12 * 512; i++) {
        double z = i / 512.0;
        double below = 0.5 * erfc(-z / sqrt(2.0));
        double slope = below + z * exp(-0.5 * z * z) / sqrt(2.0 * M_PI);
        float at = (float)z;
        float y;

        kernels->gelu(&y, &at, 1);
        assert_true(fabs(y - z * below) <= 1e-6 * (1.0 + fabs(z)));
        assert_true(fabs(at - slope) <= 1e-6 * (1.0 + fabs(z)));
    }
}

static void gelu__extremes__are_the_limits(void **state)
{
    float z[] = {-1e30f, 1e30f, NAN, 0.0f};
    float y[4];

    (void)state;
    kernels->gelu(y, z, 4);
    assert_true(fabsf(y[0]) < 1e-6f);
    assert_true(y[1] == 1e30f && z[1] == 1.0f);
    assert_true(isnan(y[2]) && isnan(z[2]));
    assert_true(y[3] == 0.0f && fabsf(z[3] - 0.5f) < 1e-7f);
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
    kernels->softmax_rows(sotto_matrix_of(x, 1, 3));
    assert_true(isnan(x[0]) && isnan(x[1]) && isnan(x[2]));
}

/* One layer norm with all that its kernels read. */
struct norm_case {
    float *x;
    float *gain;
    float *bias;
    float *dy;
    float mean[ROWS];
    float inverse_std[ROWS];
};

static void norm_case_open(struct norm_case *norm)
{
    norm->x = normal_floats(SPAN, 3.0, 1);
    norm->gain = normal_floats(COLUMNS, 1.0, 2);
    norm->bias = normal_floats(COLUMNS, 1.0, 3);
    norm->dy = normal_floats(SPAN, 1.0, 4);
}

static void norm_case_close(struct norm_case *norm)
{
    free(norm->x);
    free(norm->gain);
    free(norm->bias);
    free(norm->dy);
}

static double norm_naively(const struct norm_case *norm, size_t row, size_t column)
{
    const float *x = norm->x + row * STRIDE;
    double mean = 0.0;
    double variance = 0.0;

    for (size_t i = 0; i < COLUMNS; i++)
        mean += x[i] / (double)COLUMNS;
    for (size_t i = 0; i < COLUMNS; i++)
        variance += (x[i] - mean) * (x[i] - mean) / COLUMNS;
    return (x[column] - mean) / sqrt(variance + 1e-5) * norm->gain[column] + norm->bias[column];
}

static void norm_forward__strided__equals_its_twin(void **state)
{
    struct norm_case norm;
    float *y = normal_floats(SPAN, 1.0, 5);

    (void)state;
    norm_case_open(&norm);
    kernels->norm_forward(strided(y), (struct sotto_norm_rows){norm.mean, norm.inverse_std},
                          strided_view(norm.x), norm.gain, norm.bias, 1e-5f);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t column = 0; column < COLUMNS; column++)
            assert_true(fabs(y[row * STRIDE + column] - norm_naively(&norm, row, column)) < 2e-6);
    }
    free(y);
    norm_case_close(&norm);
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

static void norm_backward__strided__is_the_slope(void **state)
{
    struct norm_case norm;
    struct slope slope = {norm_loss, &norm, 1e-3, 1e-4};
    struct sotto_norm_rows rows = {norm.mean, norm.inverse_std};
    float dgain[COLUMNS] = {0};
    float dbias[COLUMNS] = {0};
    float *dx = calloc(SPAN, sizeof *dx);
    float *y = calloc(SPAN, sizeof *y);

    (void)state;
    norm_case_open(&norm);
    kernels->norm_forward(strided(y), rows, strided_view(norm.x), norm.gain, norm.bias, 1e-5f);
    kernels->norm_backward(strided(dx), strided_view(norm.dy), strided_view(norm.x), rows,
                           norm.gain);
    kernels->norm_parameters(dgain, dbias, strided_view(norm.dy), strided_view(norm.x), rows);
    assert_slope(&slope, "x", norm.x, dx, SPAN);
    assert_slope(&slope, "gain", norm.gain, dgain, COLUMNS);
    assert_slope(&slope, "bias", norm.bias, dbias, COLUMNS);
    free(dx);
    free(y);
    norm_case_close(&norm);
}

enum { BATCH = 2, HEADS = 3, HEAD_WIDTH = 5, QUERIES = 4, KEYS = 6, WIDTH = HEADS * HEAD_WIDTH };

/* An attention whose key and value are columns of one matrix, as a block has them. */
struct attention_case {
    struct sotto_attention_shape shape;
    struct sotto_attention_inputs inputs;
    float *query;
    float *both;
    float *dy;
};

static void attention_case_open(struct attention_case *attention)
{
    struct sotto_matrix_view both;

    attention->shape = (struct sotto_attention_shape){BATCH, HEADS, HEAD_WIDTH, QUERIES, KEYS};
    attention->query = normal_floats((size_t)BATCH * QUERIES * WIDTH, 1.0, 1);
    attention->both = normal_floats((size_t)BATCH * KEYS * 2 * WIDTH, 1.0, 2);
    attention->dy = normal_floats((size_t)BATCH * QUERIES * WIDTH, 1.0, 3);
    both = sotto_matrix_view_of(attention->both, BATCH * KEYS, 2 * WIDTH);
    attention->inputs.query = sotto_matrix_view_of(attention->query, BATCH * QUERIES, WIDTH);
    attention->inputs.key = sotto_matrix_view_columns(both, 0, WIDTH);
    attention->inputs.value = sotto_matrix_view_columns(both, WIDTH, WIDTH);
}

static void attention_case_close(struct attention_case *attention)
{
    free(attention->query);
    free(attention->both);
    free(attention->dy);
}

static double score_naively(const struct attention_case *attention, const size_t at[4])
{
    const float *query = attention->query + (at[0] * QUERIES + at[2]) * WIDTH + at[1] * HEAD_WIDTH;
    const float *key = attention->both + (at[0] * KEYS + at[3]) * 2 * WIDTH + at[1] * HEAD_WIDTH;
    double sum = 0.0;

    for (size_t i = 0; i < HEAD_WIDTH; i++)
        sum += (double)query[i] * key[i];
    return exp(sum / sqrt(HEAD_WIDTH));
}

/* Element `column` of head at[1] of query at[2] of sample at[0]. */
static double attend_naively(const struct attention_case *attention, size_t at[4], size_t column)
{
    double total = 0.0;
    double sum = 0.0;

    for (at[3] = 0; at[3] < KEYS; at[3]++) {
        const float *value = attention->both + (at[0] * KEYS + at[3]) * 2 * WIDTH + WIDTH;
        double weight = score_naively(attention, at);

        total += weight;
        sum += weight * value[at[1] * HEAD_WIDTH + column];
    }
    return sum / total;
}

/* Element `index` of the result, [BATCH, QUERIES, WIDTH]. */
static double attention_naively(const struct attention_case *attention, size_t index)
{
    size_t column = index % WIDTH;
    size_t row = index / WIDTH;
    size_t at[4] = {row / QUERIES, column / HEAD_WIDTH, row % QUERIES, 0};

    return attend_naively(attention, at, column % HEAD_WIDTH);
}

static double attention_loss(void *context)
{
    const struct attention_case *attention = context;
    double loss = 0.0;

    for (size_t i = 0; i < (size_t)BATCH * QUERIES * WIDTH; i++)
        loss += attention->dy[i] * attention_naively(attention, i);
    return loss;
}

static void attention_forward__key_and_value_side_by_side__equals_its_twin(void **state)
{
    struct attention_case attention;
    float y[BATCH * QUERIES * WIDTH];
    float p[BATCH * HEADS * QUERIES * KEYS];

    (void)state;
    attention_case_open(&attention);
    kernels->attention_forward(sotto_matrix_of(y, BATCH * QUERIES, WIDTH), p, &attention.inputs,
                               &attention.shape);
    for (size_t i = 0; i < BATCH * QUERIES * WIDTH; i++)
        assert_true(fabs(y[i] - attention_naively(&attention, i)) < 2e-6);
    attention_case_close(&attention);
}

static void attention_backward__key_and_value_side_by_side__is_the_slope(void **state)
{
    struct attention_case attention;
    struct slope slope = {attention_loss, &attention, 1e-3, 1e-4};
    float y[BATCH * QUERIES * WIDTH];
    float p[BATCH * HEADS * QUERIES * KEYS];
    float scores[QUERIES * KEYS];
    float query[BATCH * QUERIES * WIDTH];
    float both[BATCH * KEYS * 2 * WIDTH];
    struct sotto_matrix sides = sotto_matrix_of(both, BATCH * KEYS, 2 * WIDTH);
    struct sotto_attention_gradients gradients = {
        sotto_matrix_of(query, BATCH * QUERIES, WIDTH), sotto_matrix_columns(sides, 0, WIDTH),
        sotto_matrix_columns(sides, WIDTH, WIDTH), scores};

    (void)state;
    attention_case_open(&attention);
    kernels->attention_forward(sotto_matrix_of(y, BATCH * QUERIES, WIDTH), p, &attention.inputs,
                               &attention.shape);
    kernels->attention_backward(&gradients,
                                sotto_matrix_view_of(attention.dy, BATCH * QUERIES, WIDTH), p,
                                &attention.inputs, &attention.shape);
    assert_slope(&slope, "query", attention.query, query, BATCH * QUERIES * WIDTH);
    assert_slope(&slope, "key and value", attention.both, both, BATCH * KEYS * 2 * WIDTH);
    attention_case_close(&attention);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul__every_transposition__equals_its_twin),
        cmocka_unit_test(matmul__beta_zero__ignores_what_was_there),
        cmocka_unit_test(fill_rows__with_and_without_each__equals_its_twin),
        cmocka_unit_test(add_column_sums__strided__equals_its_twin),
        cmocka_unit_test(add_and_multiply__any_length__are_exact),
        cmocka_unit_test(exponential__whole_range__within_its_stated_error),
        cmocka_unit_test(gelu__whole_range__within_its_stated_error),
        cmocka_unit_test(gelu__extremes__are_the_limits),
        cmocka_unit_test(softmax_rows__wide_spread__equals_its_twin),
        cmocka_unit_test(softmax_rows__nan_in_a_row__stays_visible),
        cmocka_unit_test(norm_forward__strided__equals_its_twin),
        cmocka_unit_test(norm_backward__strided__is_the_slope),
        cmocka_unit_test(attention_forward__key_and_value_side_by_side__equals_its_twin),
        cmocka_unit_test(attention_backward__key_and_value_side_by_side__is_the_slope),
    };

    return cmocka_run_group_tests(tests, choose_kernels, NULL);
}
