/* The ops over the kernels: linear with and without adapter, norm, patches, cross-entropy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/kernels/kernels.h"
#include "models/ops/dropout.h"
#include "models/ops/language_loss.h"
#include "models/ops/linear.h"
#include "models/ops/norm.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"

enum { ROWS = 4, IN = 6, OUT = 5, RANK = 2 };

static const struct sotto_matrix_view no_residual = {NULL, 0, 0, 0};
static const struct sotto_matrix nobody = {NULL, 0, 0, 0};

/* A linear layer with an adapter, and the loss sum(y dy). */
struct layer {
    struct sotto_linear linear;
    struct sotto_lora lora;
    float *weight;
    float *bias;
    float *a;
    float *b;
    float *x;
    float *residual;
    float *dy;
    float y[ROWS * OUT];
    float down[ROWS * RANK];
    float weight_gradient[OUT * IN];
    float bias_gradient[OUT];
    float a_gradient[RANK * IN];
    float b_gradient[OUT * RANK];
    float dx[ROWS * IN];
};

static void layer_open(struct layer *layer)
{
    *layer = (struct layer){.weight = normal_floats(OUT * IN, 1.0, 1),
                            .bias = normal_floats(OUT, 1.0, 2),
                            .a = normal_floats(RANK * IN, 1.0, 3),
                            .b = normal_floats(OUT * RANK, 1.0, 4),
                            .x = normal_floats(ROWS * IN, 1.0, 5),
                            .residual = normal_floats(ROWS * OUT, 1.0, 6),
                            .dy = normal_floats(ROWS * OUT, 1.0, 7)};
    layer->linear = (struct sotto_linear){.in = IN,
                                          .out = OUT,
                                          .weight = device_view(layer->weight),
                                          .bias = device_view(layer->bias),
                                          .weight_gradient = device_floats(layer->weight_gradient),
                                          .bias_gradient = device_floats(layer->bias_gradient)};
    layer->lora = (struct sotto_lora){.rank = RANK,
                                      .scale = 0.75f,
                                      .a = device_view(layer->a),
                                      .b = device_view(layer->b),
                                      .a_gradient = device_floats(layer->a_gradient),
                                      .b_gradient = device_floats(layer->b_gradient)};
}

static void layer_close(struct layer *layer)
{
    free(layer->weight);
    free(layer->bias);
    free(layer->a);
    free(layer->b);
    free(layer->x);
    free(layer->residual);
    free(layer->dy);
}

static double layer_loss(void *context)
{
    struct layer *layer = context;
    struct sotto_matrix y = matrix_over(layer->y, ROWS, OUT);
    struct sotto_matrix_view x = view_over(layer->x, ROWS, IN);
    double loss = 0.0;

    sotto_linear_forward(sotto_kernels_cpu(), &layer->linear, y, x,
                         view_over(layer->residual, ROWS, OUT));
    sotto_lora_forward(sotto_kernels_cpu(), &layer->lora, y, device_floats(layer->down), x);
    for (size_t i = 0; i < ROWS * OUT; i++)
        loss += (double)layer->y[i] * layer->dy[i];
    return loss;
}

static void layer_backward(struct layer *layer, struct sotto_matrix dx)
{
    float inner[ROWS * RANK];
    struct sotto_matrix_view dy = view_over(layer->dy, ROWS, OUT);
    struct sotto_matrix_view x = view_over(layer->x, ROWS, IN);

    layer_loss(layer);
    sotto_linear_backward(sotto_kernels_cpu(), &layer->linear, dx, dy, x);
    sotto_lora_backward(sotto_kernels_cpu(), &layer->lora, device_floats(inner), dy,
                        device_view(layer->down), x);
    sotto_lora_carry(sotto_kernels_cpu(), &layer->lora, dx, device_view(inner), 1.0f);
}

static void linear__with_adapter__gradients_are_the_slopes(void **state)
{
    struct layer layer;
    struct slope slope = {layer_loss, &layer, 1e-2, 1e-3};

    (void)state;
    layer_open(&layer);
    layer_backward(&layer, matrix_over(layer.dx, ROWS, IN));
    assert_slope(&slope, "weight", layer.weight, layer.weight_gradient, OUT * IN);
    assert_slope(&slope, "bias", layer.bias, layer.bias_gradient, OUT);
    assert_slope(&slope, "A", layer.a, layer.a_gradient, RANK * IN);
    assert_slope(&slope, "B", layer.b, layer.b_gradient, OUT * RANK);
    assert_slope(&slope, "x", layer.x, layer.dx, ROWS * IN);
    layer_close(&layer);
}

static void linear__backward_twice__adds_up(void **state)
{
    struct layer layer;
    float once[OUT * IN];

    (void)state;
    layer_open(&layer);
    layer_backward(&layer, matrix_over(layer.dx, ROWS, IN));
    memcpy(once, layer.weight_gradient, sizeof once);
    layer_backward(&layer, nobody);
    for (size_t i = 0; i < OUT * IN; i++)
        assert_true(fabsf(layer.weight_gradient[i] - 2.0f * once[i]) < 1e-5f);
    layer_close(&layer);
}

static void linear__frozen__leaves_gradients_alone(void **state)
{
    struct layer layer;
    const float zeros[OUT * IN] = {0};

    (void)state;
    layer_open(&layer);
    layer.linear.weight_gradient = NULL;
    layer.linear.bias_gradient = NULL;
    layer.lora.rank = 0;
    layer_backward(&layer, nobody);
    assert_memory_equal(layer.weight_gradient, zeros, sizeof layer.weight_gradient);
    assert_memory_equal(layer.bias_gradient, zeros, sizeof layer.bias_gradient);
    assert_memory_equal(layer.a_gradient, zeros, sizeof layer.a_gradient);
    layer_close(&layer);
}

static void linear__no_bias_no_residual__is_the_product(void **state)
{
    const float weight[] = {1.0f, 2.0f, 3.0f, 4.0f};
    const float x[] = {1.0f, 10.0f};
    struct sotto_linear linear = {.in = 2, .out = 2, .weight = device_view(weight)};
    float y[] = {7.0f, 7.0f};

    (void)state;
    sotto_linear_forward(sotto_kernels_cpu(), &linear, matrix_over(y, 1, 2), view_over(x, 1, 2),
                         no_residual);
    assert_true(y[0] == 21.0f && y[1] == 43.0f);
}

static void norm__backward__adds_to_what_is_there(void **state)
{
    const float gain[] = {1.0f, 1.0f};
    const float bias[] = {0.0f, 0.0f};
    const float x[] = {0.0f, 2.0f};
    const float dy[] = {1.0f, 1.0f};
    struct sotto_norm norm = {
        .epsilon = 1e-6f, .gain = device_view(gain), .bias = device_view(bias)};
    float mean;
    float inverse_std;
    struct sotto_norm_rows rows = {device_floats(&mean), device_floats(&inverse_std)};
    float y[2];
    float dx[] = {5.0f, 6.0f};

    (void)state;
    sotto_norm_forward(sotto_kernels_cpu(), &norm, matrix_over(y, 1, 2), rows, view_over(x, 1, 2));
    assert_true(fabsf(y[0] + 1.0f) < 1e-5f && fabsf(y[1] - 1.0f) < 1e-5f);
    sotto_norm_backward(sotto_kernels_cpu(), &norm, matrix_over(dx, 1, 2), view_over(dy, 1, 2),
                        view_over(x, 1, 2), rows);
    assert_true(fabsf(dx[0] - 5.0f) < 1e-5f && fabsf(dx[1] - 6.0f) < 1e-5f);
}

/* Two channels of 4 x 4, patches of 2: patch by patch, then channel, row, column. */
static void patches__two_channels__lie_as_a_convolution_weight(void **state)
{
    const struct sotto_patch_shape shape = {2, 4, 2};
    const struct sotto_pixel_map map = {{1.0f, 0.5f}, {0.0f, 100.0f}};
    const float second[] = {2, 3, 6, 7, 109, 109.5f, 111, 111.5f};
    uint8_t pixels[32];
    float rows[4][8];

    (void)state;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)i;
    assert_int_equal(sotto_patch_count(&shape), 4);
    assert_int_equal(sotto_patch_values(&shape), 8);
    sotto_kernels_cpu()->cut_patches(device_floats(rows[0]), pixels, &shape, &map);
    assert_memory_equal(rows[1], second, sizeof second);
    assert_true(rows[2][0] == 8.0f);
    assert_true(rows[3][7] == 115.5f);
}

enum { EXAMPLES = 3, LABELS = 4 };

/* Of an example: these are three of a batch of eight. */
#define WEIGHT 0.125f

static const uint32_t labels[EXAMPLES] = {2, 0, 3};

static struct sotto_loss lost(float *logits, size_t rows, size_t columns, const uint32_t *expected,
                              float weight)
{
    struct sotto_device_loss sums;
    struct sotto_loss loss;

    sotto_kernels_cpu()->clear_loss(&sums);
    sotto_kernels_cpu()->cross_entropy(matrix_over(logits, rows, columns), expected, weight, &sums);
    sotto_kernels_cpu()->download_loss(&loss, &sums);
    return loss;
}

static double entropy_loss(void *context)
{
    float logits[EXAMPLES * LABELS];

    memcpy(logits, context, sizeof logits);
    return lost(logits, EXAMPLES, LABELS, labels, 1.0f).sum * WEIGHT;
}

static void cross_entropy__random_logits__gradient_is_the_slope(void **state)
{
    float *logits = normal_floats(EXAMPLES * LABELS, 2.0, 9);
    float *gradient = normal_floats(EXAMPLES * LABELS, 2.0, 9);
    struct slope slope = {entropy_loss, logits, 1e-2, 1e-3};

    (void)state;
    lost(gradient, EXAMPLES, LABELS, labels, WEIGHT);
    assert_slope(&slope, "logits", logits, gradient, EXAMPLES * LABELS);
    free(logits);
    free(gradient);
}

static void cross_entropy__certain_and_wrong__counts_and_stays_finite(void **state)
{
    float logits[] = {0.0f, 0.0f, 200.0f, 0.0f, 0.0f, 500.0f, 0.0f, 0.0f, 1.0f, 1.0f, 1.0f, 1.0f};
    struct sotto_loss result = lost(logits, EXAMPLES, LABELS, labels, WEIGHT);

    (void)state;
    assert_int_equal(result.correct_count, 1);
    assert_true(fabs(result.sum - (500.0 + log(4.0))) < 1e-6);
}

/* 300 classes; 300 rows are more than one chunk. */
enum { WORDS = 300, WORD_ROWS = 300, WORD_WIDTH = 4 };

struct language {
    struct sotto_linear head;
    float *hidden;
    float *weight;
    float *scratch;
    uint32_t labels[WORD_ROWS];
};

static void language_open(struct language *language)
{
    size_t scratch = sotto_language_loss_scratch(WORDS, WORD_ROWS);

    language->hidden = normal_floats((size_t)WORD_ROWS * WORD_WIDTH, 1.0, 1);
    language->weight = normal_floats((size_t)WORDS * WORD_WIDTH, 1.0, 2);
    language->scratch = calloc(scratch, sizeof(float));
    language->head = (struct sotto_linear){
        .in = WORD_WIDTH, .out = WORDS, .weight = device_view(language->weight)};
    for (uint32_t row = 0; row < WORD_ROWS; row++)
        language->labels[row] = row * 7 % WORDS;
    assert_true(scratch < (size_t)WORD_ROWS * WORDS);
}

static void language_close(struct language *language)
{
    free(language->hidden);
    free(language->weight);
    free(language->scratch);
}

static struct sotto_loss language_score(struct language *language)
{
    struct sotto_device_loss sums = {{0}};
    struct sotto_loss loss;

    sotto_language_loss_forward(
        sotto_kernels_cpu(), &language->head, view_over(language->hidden, WORD_ROWS, WORD_WIDTH),
        language->labels,
        &(struct sotto_language_loss){1.0f, device_floats(language->scratch), &sums});
    sotto_kernels_cpu()->download_loss(&loss, &sums);
    return loss;
}

static double language_sum(void *context)
{
    return language_score(context).sum;
}

static void language_loss__several_chunks__equals_the_whole_logits(void **state)
{
    struct language language;
    struct sotto_loss expected;
    struct sotto_loss got;
    float *logits = calloc((size_t)WORD_ROWS * WORDS, sizeof *logits);

    (void)state;
    language_open(&language);
    sotto_linear_forward(sotto_kernels_cpu(), &language.head, matrix_over(logits, WORD_ROWS, WORDS),
                         view_over(language.hidden, WORD_ROWS, WORD_WIDTH), no_residual);
    expected = lost(logits, WORD_ROWS, WORDS, language.labels, 1.0f);
    got = language_score(&language);
    assert_true(fabs(got.sum / expected.sum - 1.0) < 1e-6);
    assert_int_equal(got.correct_count, expected.correct_count);
    free(logits);
    language_close(&language);
}

static void language_loss__several_chunks__gradient_is_the_slope(void **state)
{
    struct language language;
    struct slope slope = {language_sum, &language, 1e-2, 2e-3};
    float gradient[WORD_ROWS * WORD_WIDTH];
    struct sotto_device_loss sums = {{0}};
    struct sotto_loss loss;

    (void)state;
    language_open(&language);
    memcpy(gradient, language.hidden, sizeof gradient);
    sotto_language_loss_backward(
        sotto_kernels_cpu(), &language.head, matrix_over(gradient, WORD_ROWS, WORD_WIDTH),
        language.labels,
        &(struct sotto_language_loss){1.0f, device_floats(language.scratch), &sums});
    sotto_kernels_cpu()->download_loss(&loss, &sums);
    assert_true(fabs(loss.sum / language_score(&language).sum - 1.0) < 1e-9);
    assert_slope(&slope, "hidden", language.hidden, gradient, WORD_ROWS * WORD_WIDTH);
    language_close(&language);
}

/* The label is far behind: its probability is no float any more, its loss is. */
static void language_loss__certain_and_wrong__stays_finite(void **state)
{
    const float weight[] = {0.0f, 500.0f};
    const struct sotto_linear head = {.in = 1, .out = 2, .weight = device_view(weight)};
    const uint32_t wrong = 0;
    float hidden = 1.0f;
    float scratch[2];
    struct sotto_device_loss sums = {{0}};
    struct sotto_loss loss;

    (void)state;
    sotto_language_loss_backward(
        sotto_kernels_cpu(), &head, matrix_over(&hidden, 1, 1), &wrong,
        &(struct sotto_language_loss){0.5f, device_floats(scratch), &sums});
    sotto_kernels_cpu()->download_loss(&loss, &sums);
    assert_true(fabs(loss.sum - 500.0) < 1e-6 && loss.correct_count == 0);
    assert_true(fabsf(hidden - 250.0f) < 1e-3f);
}

/* Every argument moves the key, and they are not mixed up with one another. */
static void dropout_key__any_argument__changes_the_key(void **state)
{
    const uint64_t keys[] = {sotto_dropout_key(1, 2, 3, 4), sotto_dropout_key(2, 2, 3, 4),
                             sotto_dropout_key(1, 3, 3, 4), sotto_dropout_key(1, 2, 4, 4),
                             sotto_dropout_key(1, 2, 3, 5), sotto_dropout_key(2, 1, 3, 4),
                             sotto_dropout_key(1, 2, 4, 3)};
    const struct sotto_dropout whole = {0.5f, keys[0]};
    size_t count = sizeof keys / sizeof keys[0];

    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i + 1; j < count; j++)
            assert_true(keys[i] != keys[j]);
    }
    assert_true(sotto_dropout_key(1, 2, 3, 4) == keys[0]);
    assert_true(sotto_dropout_of_sample(whole, 0).key != sotto_dropout_of_sample(whole, 1).key);
    assert_true(sotto_dropout_of_sample(whole, 1).rate == whole.rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear__with_adapter__gradients_are_the_slopes),
        cmocka_unit_test(linear__backward_twice__adds_up),
        cmocka_unit_test(linear__frozen__leaves_gradients_alone),
        cmocka_unit_test(linear__no_bias_no_residual__is_the_product),
        cmocka_unit_test(norm__backward__adds_to_what_is_there),
        cmocka_unit_test(patches__two_channels__lie_as_a_convolution_weight),
        cmocka_unit_test(cross_entropy__random_logits__gradient_is_the_slope),
        cmocka_unit_test(cross_entropy__certain_and_wrong__counts_and_stays_finite),
        cmocka_unit_test(dropout_key__any_argument__changes_the_key),
        cmocka_unit_test(language_loss__several_chunks__equals_the_whole_logits),
        cmocka_unit_test(language_loss__several_chunks__gradient_is_the_slope),
        cmocka_unit_test(language_loss__certain_and_wrong__stays_finite),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
