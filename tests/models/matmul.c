/* Both products of the CPU against a naive twin in double: all shapes of tiles and their edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/kernels/matmul.h"
#include "models/kernels/wide/wide.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

typedef void product(struct sotto_matrix c, struct sotto_factor a, struct sotto_factor b,
                     float alpha, float beta);

struct form {
    size_t rows;
    size_t columns;
    size_t inner;
    bool is_a_transposed;
    bool is_b_transposed;
    float beta;
};

enum { GAP = 3 };

/* A factor of rows x columns whose rows lie GAP further apart than they are long. */
static struct sotto_factor factor_of(const float *at, size_t rows, size_t columns,
                                     bool is_transposed)
{
    struct sotto_matrix_view view = {device_view(at), rows, columns, columns + GAP};
    struct sotto_matrix_view turned = {device_view(at), columns, rows, rows + GAP};

    return is_transposed ? sotto_factor_transposed(turned) : sotto_factor_plain(view);
}

static double element(struct sotto_factor factor, size_t row, size_t column)
{
    const float *at = host_view(factor.view.at);

    return factor.is_transposed ? at[column * factor.view.stride + row]
                                : at[row * factor.view.stride + column];
}

static double expected_at(struct sotto_factor a, struct sotto_factor b, size_t row, size_t column,
                          size_t inner)
{
    double sum = 0.0;

    for (size_t k = 0; k < inner; k++)
        sum += element(a, row, k) * element(b, k, column);
    return sum;
}

/* Fails at the first element that is off by more than float sums of `inner` products may be. */
static void assert_product(const struct form *form, struct sotto_factor a, struct sotto_factor b,
                           const float *got, const float *before)
{
    double tolerance = 1e-5 * (4.0 + sqrt((double)form->inner));
    size_t stride = form->columns + GAP;

    for (size_t i = 0; i < form->rows * stride; i++) {
        size_t row = i / stride;
        size_t column = i % stride;
        bool is_outside = column >= form->columns;
        double expected = before[i];

        if (!is_outside)
            expected = 0.5 * expected_at(a, b, row, column, form->inner) +
                       (form->beta == 0.0f ? 0.0 : form->beta * before[i]);
        if (!(fabs(got[i] - expected) <= (is_outside ? 0.0 : tolerance)))
            fail_msg("%zu x %zu x %zu: element (%zu, %zu) is %g, expected %g", form->rows,
                     form->columns, form->inner, row, column, got[i], expected);
    }
}

static void check(product *multiply, const struct form *form)
{
    size_t a_count = (form->rows + GAP) * (form->inner + GAP);
    size_t b_count = (form->columns + GAP) * (form->inner + GAP);
    size_t c_count = form->rows * (form->columns + GAP);
    float *a = normal_floats(a_count, 1.0, 1);
    float *b = normal_floats(b_count, 1.0, 2);
    float *before = normal_floats(c_count, 1.0, 3);
    float *c = malloc(c_count * sizeof *c);
    struct sotto_factor left = factor_of(a, form->rows, form->inner, form->is_a_transposed);
    struct sotto_factor right = factor_of(b, form->inner, form->columns, form->is_b_transposed);
    struct sotto_matrix result = {device_floats(c), form->rows, form->columns, form->columns + GAP};

    assert_non_null(c);
    memcpy(c, before, c_count * sizeof *c);
    for (size_t i = 0; i < form->rows && form->beta == 0.0f; i++)
        c[i * result.stride] = NAN;
    multiply(result, left, right, 0.5f, form->beta);
    assert_product(form, left, right, c, before);
    free(a);
    free(b);
    free(c);
    free(before);
}

/* Every height of a tile, panels with and without a second vector, deep and flat. */
static void check_all(product *multiply)
{
    static const size_t columns[] = {1, 8, 16, 17, 32, 33, 70};
    static const size_t inners[] = {1, 8, 33, 390};

    for (size_t i = 0; i < 31 * 7 * 4; i++) {
        struct form form = {1 + i % 31, columns[i / 31 % 7], inners[i / 217],
                            i % 2 == 1, i / 2 % 2 == 1,      i % 3 == 0 ? 0.0f : (float)(i % 3)};

        check(multiply, &form);
    }
}

static void check_long(product *multiply)
{
    for (size_t i = 0; i < 4; i++) {
        struct form form = {300, 40, 400, i % 2 == 1, i / 2 == 1, 1.0f};

        check(multiply, &form);
    }
}

static void matmul__of_blas__equals_its_twin(void **state)
{
    (void)state;
    check_all(sotto_blas_matmul);
    check_long(sotto_blas_matmul);
}

static void matmul__of_wide_vectors__equals_its_twin(void **state)
{
    (void)state;
    if (!sotto_wide_is_supported())
        skip();
    check_all(sotto_wide_matmul);
    check_long(sotto_wide_matmul);
}

typedef void affine(struct sotto_matrix y, struct sotto_matrix_view x,
                    struct sotto_matrix_view weight, const struct sotto_device_float *bias,
                    struct sotto_matrix_view residual);

/* Bias and residual as `which` says, on a shape of several blocks or within one tile. */
static void check_affine(affine *run, size_t rows, size_t inner, int which)
{
    enum { COLUMNS = 70 };
    float *x = normal_floats(rows * inner, 1.0, 1);
    float *weight = normal_floats(COLUMNS * inner, 1.0, 2);
    float *bias = normal_floats(COLUMNS, 1.0, 3);
    float *residual = normal_floats(rows * (COLUMNS + GAP), 1.0, 4);
    float *y = normal_floats(rows * COLUMNS, 1.0, 5);
    struct sotto_matrix_view in = view_over(x, rows, inner);
    struct sotto_matrix_view by = view_over(weight, COLUMNS, inner);
    struct sotto_matrix_view beside = {device_view(which & 1 ? residual : NULL), rows, COLUMNS,
                                       COLUMNS + GAP};

    run(matrix_over(y, rows, COLUMNS), in, by, device_view(which & 2 ? bias : NULL), beside);
    for (size_t i = 0; i < rows * COLUMNS; i++) {
        size_t row = i / COLUMNS;
        size_t column = i % COLUMNS;
        double expected =
            expected_at(sotto_factor_plain(in), sotto_factor_transposed(by), row, column, inner) +
            (which & 1 ? residual[row * beside.stride + column] : 0.0) +
            (which & 2 ? bias[column] : 0.0);

        assert_true(fabs(y[i] - expected) <= 1e-5 * (4.0 + sqrt((double)inner)));
    }
    free(x);
    free(weight);
    free(bias);
    free(residual);
    free(y);
}

static void affine__of_both__equals_its_twin(void **state)
{
    (void)state;
    for (int which = 0; which < 4; which++) {
        check_affine(sotto_blas_affine, 5, 9, which);
        check_affine(sotto_cpu_affine, 5, 9, which);
        check_affine(sotto_cpu_affine, 300, 400, which);
    }
}

/* What a sample's rows become does not depend on the rows beside them. */
static void matmul__of_wide_vectors__row_has_the_same_bits_in_any_company(void **state)
{
    enum { ROWS = 40, COLUMNS = 50, INNER = 500 };
    float *a = normal_floats((size_t)ROWS * INNER, 1.0, 1);
    float *b = normal_floats((size_t)COLUMNS * INNER, 1.0, 2);
    float all[ROWS * COLUMNS];
    float some[ROWS * COLUMNS];
    struct sotto_factor right = sotto_factor_transposed(view_over(b, COLUMNS, INNER));

    (void)state;
    if (!sotto_wide_is_supported())
        skip();
    sotto_wide_matmul(matrix_over(all, ROWS, COLUMNS),
                      sotto_factor_plain(view_over(a, ROWS, INNER)), right, 1.0f, 0.0f);
    for (size_t count = 1; count < ROWS; count++) {
        sotto_wide_matmul(matrix_over(some, count, COLUMNS),
                          sotto_factor_plain(view_over(a + INNER, count, INNER)), right, 1.0f,
                          0.0f);
        assert_memory_equal(some, all + COLUMNS, count * COLUMNS * sizeof *some);
    }
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matmul__of_blas__equals_its_twin),
        cmocka_unit_test(matmul__of_wide_vectors__equals_its_twin),
        cmocka_unit_test(affine__of_both__equals_its_twin),
        cmocka_unit_test(matmul__of_wide_vectors__row_has_the_same_bits_in_any_company),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
