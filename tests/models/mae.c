/* The masked autoencoder: gradients against finite differences, and that training draws better. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/pretrain/fit.h"
#include "models/pretrain/mae_pass.h"
#include "models/pretrain/sample.h"
#include "tests/models/slope.h"
#include "tests/support/cmocka.h"
#include "tests/support/device.h"

enum { SIDE = 12, PICTURES = 3, PATCHES = 9, PIXELS = SIDE * SIDE };

static const struct sotto_pixel_map plain = {{1 / 255.0f, 0, 0}, {0, 0, 0}};

static struct sotto_mae mae_tiny(void)
{
    return (struct sotto_mae){
        .kernels = sotto_kernels_cpu(),
        .arch = {.width = 16,
                 .mlp_width = 64,
                 .block_count = 2,
                 .head_count = 2,
                 .kv_head_count = 2,
                 .head_width = 8,
                 .image_side = SIDE,
                 .patch_side = 4,
                 .channels = 1,
                 .norm_epsilon = 1e-6,
                 .has_qkv_bias = true,
                 .has_out_bias = true,
                 .has_mlp_bias = true},
        .visible_count = 3,
        .decoder_width = 8,
        .decoder_blocks = 1,
        .decoder_heads = 2,
    };
}

/* Bright bars of random place and slope: what is hidden follows from what is seen. */
static void paint(uint8_t *pixels, size_t count, uint64_t seed)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, seed);
    for (size_t picture = 0; picture < count; picture++) {
        double turn = 6.28 * sotto_entropy_unit(&entropy);
        double phase = 6.28 * sotto_entropy_unit(&entropy);

        for (size_t i = 0; i < PIXELS; i++) {
            double place = cos(turn) * (double)(i % SIDE) + sin(turn) * (double)(i / SIDE);

            *pixels++ = (uint8_t)(128 + 120 * sin(0.7 * place + phase));
        }
    }
}

/* A pass over three pictures, with gradients. */
struct fixture {
    struct sotto_mae mae;
    struct sotto_mae_pass pass;
    struct sotto_workspace workspace;
    struct sotto_mae_batch batch;
    uint8_t pixels[PICTURES * PIXELS];
    uint32_t orders[PICTURES * PATCHES];
    size_t count;
    float *weights;
    float *gradients;
};

static void fixture_open(struct fixture *fixture)
{
    struct sotto_entropy entropy;
    struct sotto_workspace counted;
    float *noise;

    fixture->mae = mae_tiny();
    fixture->count = sotto_mae_places(&fixture->mae).count;
    fixture->weights = malloc(fixture->count * sizeof(float));
    fixture->gradients = calloc(fixture->count, sizeof(float));
    noise = normal_floats(fixture->count, 0.05, 2);
    sotto_entropy_init_seeded(&entropy, 1);
    sotto_mae_start(fixture->weights, &fixture->mae, &entropy);
    for (size_t i = 0; i < fixture->count; i++)
        fixture->weights[i] += noise[i];
    free(noise);
    paint(fixture->pixels, PICTURES, 3);
    for (size_t picture = 0; picture < PICTURES; picture++)
        sotto_sample_shuffle(fixture->orders + picture * PATCHES, PATCHES, &entropy);
    sotto_workspace_init_counting(&counted);
    assert_int_equal(sotto_mae_pass_take(&fixture->pass, &fixture->mae,
                                         device_view(fixture->weights),
                                         device_floats(fixture->gradients), PICTURES, &counted),
                     SOTTO_OK);
    assert_int_equal(sotto_workspace_open(&fixture->workspace, fixture->mae.kernels, &counted),
                     SOTTO_OK);
    assert_int_equal(
        sotto_mae_pass_take(&fixture->pass, &fixture->mae, device_view(fixture->weights),
                            device_floats(fixture->gradients), PICTURES, &fixture->workspace),
        SOTTO_OK);
    fixture->batch =
        (struct sotto_mae_batch){PICTURES, fixture->pixels, fixture->orders, plain, 1.0};
}

static void fixture_close(struct fixture *fixture)
{
    sotto_workspace_close(&fixture->workspace);
    free(fixture->weights);
    free(fixture->gradients);
}

static double loss_of(void *context)
{
    struct fixture *fixture = context;

    return sotto_mae_pass_run(&fixture->pass, &fixture->batch);
}

static void mae__gradient_of_every_tensor__is_the_slope_of_the_loss(void **state)
{
    struct fixture fixture;
    struct slope slope = {loss_of, &fixture, 1e-2, 2e-2};
    struct sotto_adamw_span spans[128];
    size_t span_count;
    float *gradients;

    (void)state;
    fixture_open(&fixture);
    span_count = sotto_mae_spans(NULL, &fixture.mae, 0);
    assert_true(span_count <= sizeof spans / sizeof spans[0]);
    sotto_mae_spans(spans, &fixture.mae, 0);
    loss_of(&fixture);
    gradients = malloc(fixture.count * sizeof *gradients);
    memcpy(gradients, fixture.gradients, fixture.count * sizeof *gradients);
    for (size_t i = 0; i < span_count; i++) {
        char what[32];

        snprintf(what, sizeof what, "span %zu", i);
        assert_slope(&slope, what, fixture.weights + spans[i].first, gradients + spans[i].first,
                     spans[i].count);
    }
    free(gradients);
    fixture_close(&fixture);
}

static void mae__spans__cover_every_weight_once(void **state)
{
    struct sotto_mae mae = mae_tiny();
    struct sotto_adamw_span spans[128];
    size_t span_count = sotto_mae_spans(spans, &mae, 0.5);
    size_t covered = 0;
    size_t decaying = 0;

    (void)state;
    assert_true(span_count <= sizeof spans / sizeof spans[0]);
    for (size_t i = 0; i < span_count; i++) {
        assert_int_equal(spans[i].first, covered);
        covered += spans[i].count;
        decaying += spans[i].weight_decay > 0 ? spans[i].count : 0;
    }
    assert_int_equal(covered, sotto_mae_places(&mae).count);
    assert_int_equal(decaying, 2 * 12 * 16 * 16 + 16 * 16 + 8 * 16 + 12 * 8 * 8 + 16 * 8);
}

/* Halves the contrast of one patch of the first picture; from even values, so without rounding. */
static void fade_patch(struct fixture *fixture, uint32_t patch)
{
    for (size_t row = 0; row < 4; row++) {
        uint8_t *pixels = fixture->pixels + (patch / 3 * 4 + row) * SIDE + patch % 3 * 4;

        for (size_t column = 0; column < 4; column++)
            pixels[column] = (uint8_t)(pixels[column] / 2 + 40);
    }
}

/* Targets are normalised and hidden patches are not seen: their contrast changes nothing. */
static void mae__contrast_of_a_hidden_patch__does_not_matter(void **state)
{
    struct fixture fixture;
    double loss;
    double faded;

    (void)state;
    fixture_open(&fixture);
    for (size_t i = 0; i < sizeof fixture.pixels; i++)
        fixture.pixels[i] &= 0xfe;
    loss = loss_of(&fixture);
    fade_patch(&fixture, fixture.orders[PATCHES - 1]);
    faded = loss_of(&fixture);
    assert_true(fabs(faded - loss) < 5e-5 * loss);
    fade_patch(&fixture, fixture.orders[0]);
    assert_true(fabs(loss_of(&fixture) - faded) > 2e-4 * loss);
    fixture_close(&fixture);
}

/* What the fits below have in common. */
static struct sotto_pretrain_rule rule_of(uint32_t epochs, uint32_t threads)
{
    return (struct sotto_pretrain_rule){.epochs = epochs,
                                        .batch = 16,
                                        .thread_count = threads,
                                        .shift_max = 1,
                                        .learning_rate = 4e-3,
                                        .warm_up = 0.05,
                                        .weight_decay = 0.05,
                                        .seed = 5,
                                        .pixel_map = plain};
}

static double fit(float *weights, const struct sotto_pretrain_rule *rule)
{
    static uint8_t pixels[256 * PIXELS];
    struct sotto_dataset dataset = {.channels = 1, .side = SIDE, .count = 256, .pixels = pixels};
    struct sotto_mae mae = mae_tiny();
    struct sotto_fault fault = {0};
    double loss = 0;

    paint(pixels, 256, 7);
    if (sotto_pretrain_fit(weights, &loss, &mae, &dataset, rule, &fault) != SOTTO_OK)
        fail_msg("%s", fault.text);
    return loss;
}

static void fit__few_epochs__draws_better(void **state)
{
    struct sotto_mae mae = mae_tiny();
    float *weights = malloc(sotto_mae_places(&mae).count * sizeof *weights);
    struct sotto_pretrain_rule shortest = rule_of(1, 1);
    struct sotto_pretrain_rule longer = rule_of(30, 1);

    (void)state;
    shortest.learning_rate = 1e-8;
    assert_true(fit(weights, &longer) < 0.75 * fit(weights, &shortest));
    free(weights);
}

static void fit__same_seed_and_threads__same_bits(void **state)
{
    struct sotto_mae mae = mae_tiny();
    size_t bytes = sotto_mae_places(&mae).count * sizeof(float);
    float *first = malloc(bytes);
    float *second = malloc(bytes);
    struct sotto_pretrain_rule rule = rule_of(1, 3);

    (void)state;
    fit(first, &rule);
    fit(second, &rule);
    assert_memory_equal(first, second, bytes);
    rule.seed++;
    fit(second, &rule);
    assert_memory_not_equal(first, second, bytes);
    free(first);
    free(second);
}

static void fit__more_threads__the_same_up_to_rounding(void **state)
{
    struct sotto_mae mae = mae_tiny();
    size_t count = sotto_mae_places(&mae).count;
    float *one = malloc(count * sizeof *one);
    float *three = malloc(count * sizeof *three);
    struct sotto_pretrain_rule rule = rule_of(1, 1);

    (void)state;
    rule.learning_rate = 1e-4;
    fit(one, &rule);
    rule.thread_count = 3;
    fit(three, &rule);
    assert_near(three, one, count, 1e-3);
    free(one);
    free(three);
}

static void sample__move__keeps_size_and_repeats_edges(void **state)
{
    uint8_t picture[9] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    uint8_t moved[9];
    struct sotto_entropy entropy;
    bool is_mirrored_once = false;
    bool is_still_once = false;

    (void)state;
    sotto_entropy_init_seeded(&entropy, 1);
    for (size_t i = 0; i < 64; i++) {
        sotto_sample_move(moved, picture, (struct sotto_picture_form){1, 3}, 0, &entropy);
        is_still_once = is_still_once || memcmp(moved, picture, 9) == 0;
        is_mirrored_once = is_mirrored_once || memcmp(moved, "\3\2\1\6\5\4\11\10\7", 9) == 0;
        sotto_sample_move(moved, picture, (struct sotto_picture_form){1, 3}, 2, &entropy);
        for (size_t at = 0; at < 9; at++)
            assert_in_range(moved[at], 1, 9);
    }
    assert_true(is_still_once && is_mirrored_once);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mae__gradient_of_every_tensor__is_the_slope_of_the_loss),
        cmocka_unit_test(mae__spans__cover_every_weight_once),
        cmocka_unit_test(mae__contrast_of_a_hidden_patch__does_not_matter),
        cmocka_unit_test(fit__few_epochs__draws_better),
        cmocka_unit_test(fit__same_seed_and_threads__same_bits),
        cmocka_unit_test(fit__more_threads__the_same_up_to_rounding),
        cmocka_unit_test(sample__move__keeps_size_and_repeats_edges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
