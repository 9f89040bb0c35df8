/* The attention kernels against a naive twin in double: every kind of mask, sharing and length. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/kernels/kernels.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { HEADS = 4, HEAD_WIDTH = 5, WIDTH = HEADS * HEAD_WIDTH, SAMPLES = 40 };
/* The second sample is longer than a tile of queries. */
enum { ROWS = 79, LONGEST = 75 };

static const uint32_t starts[] = {0, 3, 78, 79};

/* An attention whose key and value are columns of one matrix, as a block has them. */
struct bench {
    struct sotto_attention_shape shape;
    struct sotto_attention_inputs inputs;
    size_t query_count;
    size_t key_width;
    float *query;
    float *both;
    float *dy;
    float *scratch;
    double scores[LONGEST];
};

static void bench_open(struct bench *bench, bool is_causal, uint32_t kv_heads, bool is_first_only)
{
    struct sotto_matrix_view both;

    *bench = (struct bench){.shape = {.batch = 3,
                                      .starts = starts,
                                      .length_max = LONGEST,
                                      .is_first_only = is_first_only,
                                      .is_causal = is_causal,
                                      .head_count = HEADS,
                                      .kv_head_count = kv_heads,
                                      .head_width = HEAD_WIDTH}};
    bench->query_count = is_first_only ? bench->shape.batch : ROWS;
    bench->key_width = (size_t)kv_heads * HEAD_WIDTH;
    bench->query = normal_floats(bench->query_count * WIDTH, 1.0, 1);
    bench->both = normal_floats(ROWS * 2 * bench->key_width, 1.0, 2);
    bench->dy = normal_floats(bench->query_count * WIDTH, 1.0, 3);
    bench->scratch = calloc(sotto_attention_scratch(LONGEST), sizeof(float));
    both = view_over(bench->both, ROWS, 2 * bench->key_width);
    bench->inputs.query = view_over(bench->query, bench->query_count, WIDTH);
    bench->inputs.key = sotto_matrix_view_columns(both, 0, bench->key_width);
    bench->inputs.value = sotto_matrix_view_columns(both, bench->key_width, bench->key_width);
}

static void bench_close(struct bench *bench)
{
    free(bench->query);
    free(bench->both);
    free(bench->dy);
    free(device_floats(bench->scratch));
}

static size_t sample_of(const struct bench *bench, size_t query)
{
    size_t sample = 0;

    if (bench->shape.is_first_only)
        return query;
    while (starts[sample + 1] <= query)
        sample++;
    return sample;
}

/* Softmax of one query's scores against the keys that it sees; returns how many. */
static size_t score(struct bench *bench, size_t query, size_t head)
{
    size_t sample = sample_of(bench, query);
    size_t place = bench->shape.is_first_only ? 0 : query - starts[sample];
    size_t seen = bench->shape.is_causal ? place + 1 : starts[sample + 1] - starts[sample];
    size_t column = head / (HEADS / bench->shape.kv_head_count) * HEAD_WIDTH;
    double total = 0.0;

    for (size_t key = 0; key < seen; key++) {
        const float *at = bench->both + (starts[sample] + key) * 2 * bench->key_width + column;
        double sum = 0.0;

        for (size_t i = 0; i < HEAD_WIDTH; i++)
            sum += (double)bench->query[query * WIDTH + head * HEAD_WIDTH + i] * at[i];
        bench->scores[key] = exp(sum / sqrt(HEAD_WIDTH));
        total += bench->scores[key];
    }
    for (size_t key = 0; key < seen; key++)
        bench->scores[key] /= total;
    return seen;
}

/* One element of the result, after score. */
static double attend(const struct bench *bench, size_t query, size_t head, size_t i, size_t seen)
{
    size_t first = starts[sample_of(bench, query)];
    size_t column = bench->key_width + head / (HEADS / bench->shape.kv_head_count) * HEAD_WIDTH + i;
    double sum = 0.0;

    for (size_t key = 0; key < seen; key++)
        sum += bench->scores[key] * bench->both[(first + key) * 2 * bench->key_width + column];
    return sum;
}

static double twin_loss(void *context)
{
    struct bench *bench = context;
    double loss = 0.0;

    for (size_t at = 0; at < bench->query_count * HEADS; at++) {
        size_t seen = score(bench, at / HEADS, at % HEADS);

        for (size_t i = 0; i < HEAD_WIDTH; i++)
            loss += bench->dy[at * HEAD_WIDTH + i] * attend(bench, at / HEADS, at % HEADS, i, seen);
    }
    return loss;
}

static void assert_forward(struct bench *bench)
{
    float y[ROWS * WIDTH];

    sotto_kernels_cpu()->attention_forward(matrix_over(y, bench->query_count, WIDTH),
                                           &bench->inputs, &bench->shape,
                                           device_floats(bench->scratch));
    for (size_t at = 0; at < bench->query_count * HEADS; at++) {
        size_t seen = score(bench, at / HEADS, at % HEADS);

        for (size_t i = 0; i < HEAD_WIDTH; i++)
            assert_true(fabs(y[at * HEAD_WIDTH + i] -
                             attend(bench, at / HEADS, at % HEADS, i, seen)) < 3e-6);
    }
}

static void assert_backward(struct bench *bench)
{
    struct slope slope = {twin_loss, bench, 1e-3, 1e-4};
    float query[ROWS * WIDTH];
    float both[ROWS * 2 * WIDTH];
    struct sotto_matrix sides = matrix_over(both, ROWS, 2 * bench->key_width);
    struct sotto_attention_gradients gradients = {
        matrix_over(query, bench->query_count, WIDTH),
        sotto_matrix_columns(sides, 0, bench->key_width),
        sotto_matrix_columns(sides, bench->key_width, bench->key_width)};

    sotto_kernels_cpu()->attention_backward(
        &gradients, view_over(bench->dy, bench->query_count, WIDTH), &bench->inputs, &bench->shape,
        device_floats(bench->scratch));
    assert_slope_sampled(&slope, "query", bench->query, query, bench->query_count * WIDTH, SAMPLES);
    assert_slope_sampled(&slope, "key and value", bench->both, both, ROWS * 2 * bench->key_width,
                         SAMPLES);
}

static void check(bool is_causal, uint32_t kv_heads, bool is_first_only)
{
    struct bench bench;

    bench_open(&bench, is_causal, kv_heads, is_first_only);
    assert_forward(&bench);
    assert_backward(&bench);
    bench_close(&bench);
}

static void attention__whole_samples__equals_its_twin(void **state)
{
    (void)state;
    check(false, HEADS, false);
}

static void attention__causal__equals_its_twin(void **state)
{
    (void)state;
    check(true, HEADS, false);
}

static void attention__shared_keys__equals_its_twin(void **state)
{
    (void)state;
    check(false, 2, false);
    check(true, 1, false);
}

static void attention__first_rows_only__equals_its_twin(void **state)
{
    (void)state;
    check(false, HEADS, true);
    check(true, 2, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention__whole_samples__equals_its_twin),
        cmocka_unit_test(attention__causal__equals_its_twin),
        cmocka_unit_test(attention__shared_keys__equals_its_twin),
        cmocka_unit_test(attention__first_rows_only__equals_its_twin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
