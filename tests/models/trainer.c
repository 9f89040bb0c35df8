/* The one door: gradients, fitting, saving, predicting, and what it refuses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/trainer.h"
#include "models/worker.h"
#include "tests/models/slope.h"
#include "tests/support/model_folder.h"

enum { LABELS = 3, EXAMPLES = 21, SIDE = 8, BATCH_MAX = 8, ALL_TARGETS = 0x3f };

/* A tiny model, an adapter for it, and pictures whose bright corner is their label. */
struct bench {
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_trainer *trainer;
    float *lanes;
    struct sotto_dataset dataset;
    uint8_t pixels[EXAMPLES * SIDE * SIDE];
    uint32_t labels[EXAMPLES];
};

static void choose(struct sotto_adapter_choice *choice, uint32_t rank, uint32_t target_set)
{
    *choice = (struct sotto_adapter_choice){
        .rank = rank, .alpha = 3.0, .target_set = target_set, .label_count = LABELS};
    for (uint32_t i = 0; i < LABELS; i++)
        snprintf(choice->labels[i], sizeof choice->labels[i], "corner-%u", i);
}

static void fill_pictures(struct bench *bench)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 11);
    for (size_t example = 0; example < EXAMPLES; example++) {
        uint32_t label = (uint32_t)(example % LABELS);
        uint8_t *picture = bench->pixels + example * SIDE * SIDE;
        size_t corner = (label & 1) * SIDE / 2 + (label >> 1) * SIDE * SIDE / 2;

        bench->labels[example] = label;
        for (size_t i = 0; i < SIDE * SIDE; i++)
            picture[i] = (uint8_t)sotto_entropy_below(&entropy, 100);
        for (size_t i = 0; i < 16; i++)
            picture[corner + i / 4 * SIDE + i % 4] = (uint8_t)(200 + i);
    }
    bench->dataset = (struct sotto_dataset){.channels = 1,
                                            .side = SIDE,
                                            .count = EXAMPLES,
                                            .pixels = bench->pixels,
                                            .labels = bench->labels};
}

static void bench_open(struct bench *bench, uint32_t rank, uint32_t target_set)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 5);
    struct sotto_adapter_choice choice;
    struct sotto_entropy entropy;

    choose(&choice, rank, target_set);
    fill_pictures(bench);
    model_folder_open(&bench->folder, &arch, weights);
    assert_int_equal(sotto_model_open(&bench->model, bench->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&bench->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&bench->trainer, bench->model, &bench->layout, BATCH_MAX, NULL, NULL),
        SOTTO_OK);
    bench->lanes = calloc(bench->layout.lane_count, sizeof *bench->lanes);
    assert_non_null(bench->lanes);
    sotto_entropy_init_seeded(&entropy, 6);
    sotto_layout_start(bench->lanes, &bench->layout, &entropy);
    assert_int_equal(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count),
                     SOTTO_OK);
    free(weights);
}

static void bench_close(struct bench *bench)
{
    sotto_trainer_close(bench->trainer);
    sotto_model_close(bench->model);
    model_folder_close(&bench->folder);
    free(bench->lanes);
}

static void predict(struct sotto_trainer *trainer, float *probabilities, uint8_t *pixels)
{
    const struct sotto_dataset one = {.channels = 1, .side = SIDE, .count = 1, .pixels = pixels};

    assert_int_equal(sotto_trainer_predict(trainer, probabilities, &one, 0), SOTTO_OK);
}

static const struct sotto_fit brief_fit = {
    .epochs = 12,
    .batch = BATCH_MAX,
    .learning_rate_start = 2e-2,
    .learning_rate_end = 2e-3,
    .weight_decay = 0.01,
    .seed = 3,
};

/* The mean loss of the first batch under the bench's lanes. */
static double loss_of(void *context)
{
    struct bench *bench = context;
    struct sotto_dataset some = bench->dataset;
    struct sotto_score score;

    some.count = BATCH_MAX;
    assert_int_equal(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench->trainer, &some, &score), SOTTO_OK);
    return score.loss_mean;
}

/* Every tensor of the adapter, at a point where none of it is zero. */
static void check_gradient(uint32_t rank, uint32_t target_set)
{
    struct bench bench;
    struct slope slope = {loss_of, &bench, 1e-2, 5e-3};
    float *gradient;
    double loss;

    bench_open(&bench, rank, target_set);
    free(bench.lanes);
    bench.lanes = normal_floats(bench.layout.lane_count, 0.5, 8);
    gradient = calloc(bench.layout.lane_count, sizeof *gradient);
    loss_of(&bench);
    assert_int_equal(
        sotto_trainer_gradient(bench.trainer, gradient, &loss, &bench.dataset, BATCH_MAX),
        SOTTO_OK);
    assert_true(fabs(loss - loss_of(&bench)) < 1e-6);
    for (size_t i = 0; i < bench.layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &bench.layout.tensors[i];
        char name[SOTTO_TENSOR_TEXT_MAX + 1];

        sotto_layout_tensor_name(name, &bench.layout, i);
        assert_slope(&slope, name, bench.lanes + tensor->first, gradient + tensor->first,
                     (size_t)tensor->rows * tensor->columns);
    }
    free(gradient);
    bench_close(&bench);
}

static void trainer__all_targets__gradient_of_every_tensor_is_the_slope(void **state)
{
    (void)state;
    check_gradient(2, ALL_TARGETS);
}

static void trainer__query_and_value__gradient_of_every_tensor_is_the_slope(void **state)
{
    (void)state;
    check_gradient(3, 1u << SOTTO_TARGET_QUERY | 1u << SOTTO_TARGET_VALUE);
}

static void trainer__head_alone__gradient_of_every_tensor_is_the_slope(void **state)
{
    (void)state;
    check_gradient(0, 0);
}

static void trainer__fresh_adapter__predicts_every_label_alike(void **state)
{
    struct bench bench;
    float probabilities[LABELS];

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    predict(bench.trainer, probabilities, bench.pixels);
    for (size_t label = 0; label < LABELS; label++)
        assert_true(fabsf(probabilities[label] - 1.0f / LABELS) < 1e-7f);
    bench_close(&bench);
}

static void trainer__fit__learns_the_pictures(void **state)
{
    struct bench bench;
    struct sotto_fit_result result;
    struct sotto_score score;

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_OK);
    assert_int_equal(result.step_count, 12 * 3);
    assert_true(fabs(result.loss_first - log(LABELS)) < 1e-5);
    assert_true(result.loss_last < 0.3 * result.loss_first);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_OK);
    assert_int_equal(score.count, EXAMPLES);
    assert_int_equal(score.correct, EXAMPLES);
    bench_close(&bench);
}

static void fitted(float *lanes, struct bench *bench, const struct sotto_fit *fit)
{
    struct sotto_fit_result result;

    assert_int_equal(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(bench->trainer, &bench->dataset, fit, &result), SOTTO_OK);
    sotto_trainer_save(bench->trainer, lanes);
}

/*
 * Head alone: features are computed once, before the first step; the loss must be that of
 * evaluation.
 */
static void trainer__head_alone_fit__lowers_the_loss_that_evaluation_sees(void **state)
{
    struct bench bench;
    struct sotto_fit_result result;
    struct sotto_score before, after;

    (void)state;
    bench_open(&bench, 0, 0);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &before), SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &after), SOTTO_OK);
    assert_true(fabs(result.loss_first - before.loss_mean) < 1e-5);
    assert_true(after.loss_mean < 0.9 * before.loss_mean);
    assert_true(fabs(after.loss_mean - result.loss_last) < 0.3 * before.loss_mean);
    bench_close(&bench);
}

/* Pictures that say nothing: all that could be learnt is this site's mix of labels. */
static void trainer__skewed_labels_alone__are_not_learnt(void **state)
{
    struct bench bench;
    struct sotto_fit_result result;
    float probabilities[LABELS];

    (void)state;
    bench_open(&bench, 0, 0);
    memset(bench.pixels, 100, sizeof bench.pixels);
    for (size_t example = 0; example < EXAMPLES; example++)
        bench.labels[example] = example % 8 < LABELS ? (uint32_t)(example % 8) : 0;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_OK);
    predict(bench.trainer, probabilities, bench.pixels);
    for (size_t label = 0; label < LABELS; label++)
        assert_true(fabsf(probabilities[label] - 1.0f / LABELS) < 0.1f);
    bench_close(&bench);
}

static void trainer__same_seed_twice__same_bits(void **state)
{
    struct bench bench;
    struct sotto_fit other = brief_fit;
    float *first;
    float *second;

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    first = calloc(bench.layout.lane_count, sizeof *first);
    second = calloc(bench.layout.lane_count, sizeof *second);
    fitted(first, &bench, &brief_fit);
    fitted(second, &bench, &brief_fit);
    assert_memory_equal(first, second, bench.layout.lane_count * sizeof *first);
    other.seed++;
    fitted(second, &bench, &other);
    assert_memory_not_equal(first, second, bench.layout.lane_count * sizeof *first);
    free(first);
    free(second);
    bench_close(&bench);
}

static void trainer__saved_and_loaded__predicts_the_same(void **state)
{
    struct bench bench;
    struct sotto_trainer *other;
    float before[LABELS];
    float after[LABELS];

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    fitted(bench.lanes, &bench, &brief_fit);
    predict(bench.trainer, before, bench.pixels);
    assert_int_equal(sotto_trainer_open(&other, bench.model, &bench.layout, 1, NULL, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_load(other, bench.lanes, bench.layout.lane_count), SOTTO_OK);
    predict(other, after, bench.pixels);
    assert_memory_equal(before, after, sizeof before);
    sotto_trainer_close(other);
    bench_close(&bench);
}

static void trainer__evaluate__agrees_with_predict(void **state)
{
    struct bench bench;
    struct sotto_score score;
    struct sotto_fit fit = brief_fit;
    size_t correct = 0;
    double loss = 0.0;

    (void)state;
    fit.epochs = 2;
    bench_open(&bench, 2, ALL_TARGETS);
    fitted(bench.lanes, &bench, &fit);
    for (size_t i = 0; i < EXAMPLES; i++) {
        float p[LABELS];
        uint32_t label = bench.labels[i];

        predict(bench.trainer, p, bench.pixels + i * SIDE * SIDE);
        correct += p[label] > p[(label + 1) % LABELS] && p[label] > p[(label + 2) % LABELS];
        loss -= log(p[label]) / EXAMPLES;
    }
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_OK);
    assert_int_equal(score.correct, correct);
    assert_true(fabs(score.loss_mean - loss) < 1e-5);
    bench_close(&bench);
}

struct tally {
    size_t calls;
    size_t last_step;
    size_t step_count;
};

static void count_step(void *context, size_t step, size_t step_count, double loss)
{
    struct tally *tally = context;

    assert_true(isfinite(loss));
    assert_int_equal(step, tally->last_step + 1);
    tally->calls++;
    tally->last_step = step;
    tally->step_count = step_count;
}

static void trainer__progress__is_told_every_step(void **state)
{
    struct bench bench;
    struct tally tally = {0};
    struct sotto_fit fit = brief_fit;
    struct sotto_fit_result result;

    (void)state;
    fit.progress = count_step;
    fit.context = &tally;
    bench_open(&bench, 0, 0);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result), SOTTO_OK);
    assert_int_equal(tally.calls, result.step_count);
    assert_int_equal(tally.step_count, result.step_count);
    bench_close(&bench);
}

static void trainer__load_of_what_is_no_adapter__is_refused(void **state)
{
    struct bench bench;
    float before[LABELS];
    float after[LABELS];

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    fitted(bench.lanes, &bench, &brief_fit);
    predict(bench.trainer, before, bench.pixels);
    assert_int_equal(sotto_trainer_load(bench.trainer, bench.lanes, bench.layout.lane_count - 1),
                     SOTTO_MISMATCH);
    bench.lanes[0] = 9.0f;
    bench.lanes[bench.layout.lane_count - 1] = NAN;
    assert_int_equal(sotto_trainer_load(bench.trainer, bench.lanes, bench.layout.lane_count),
                     SOTTO_MALFORMED);
    bench.lanes[bench.layout.lane_count - 1] = INFINITY;
    assert_int_equal(sotto_trainer_load(bench.trainer, bench.lanes, bench.layout.lane_count),
                     SOTTO_MALFORMED);
    predict(bench.trainer, after, bench.pixels);
    assert_memory_equal(before, after, sizeof before);
    bench_close(&bench);
}

static void trainer__layout_of_another_model__is_a_mismatch(void **state)
{
    struct bench bench;
    struct sotto_arch arch = model_folder_tiny();
    struct sotto_adapter_choice choice;
    struct sotto_trainer *trainer;
    struct sotto_layout layout;
    struct sotto_fault fault = {0};

    (void)state;
    arch.width *= 2;
    choose(&choice, 2, ALL_TARGETS);
    bench_open(&bench, 2, ALL_TARGETS);
    assert_int_equal(sotto_layout_derive(&layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(sotto_trainer_open(&trainer, bench.model, &layout, 1, NULL, &fault),
                     SOTTO_MISMATCH);
    assert_null(trainer);
    assert_non_null(strstr(fault.text, "width 32"));
    bench_close(&bench);
}

static void trainer__examples_that_do_not_fit__are_refused(void **state)
{
    struct bench bench;
    struct sotto_fit fit = brief_fit;
    struct sotto_fit_result result;

    (void)state;
    bench_open(&bench, 2, ALL_TARGETS);
    fit.batch = BATCH_MAX + 1;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result),
                     SOTTO_OVER_LIMIT);
    fit.batch = 0;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result),
                     SOTTO_OVER_LIMIT);
    bench.labels[EXAMPLES - 1] = LABELS;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_MISMATCH);
    bench.labels[EXAMPLES - 1] = 0;
    bench.dataset.side = 7;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_MISMATCH);
    bench.dataset.side = SIDE;
    bench.dataset.count = 0;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &brief_fit, &result),
                     SOTTO_OVER_LIMIT);
    bench_close(&bench);
}

static void trainer__rate_that_blows_up__is_malformed(void **state)
{
    struct bench bench;
    struct sotto_fit fit = brief_fit;
    struct sotto_fit_result result;

    (void)state;
    fit.learning_rate_start = fit.learning_rate_end = 1e30;
    bench_open(&bench, 2, ALL_TARGETS);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result),
                     SOTTO_MALFORMED);
    bench_close(&bench);
}

static void model__parts__are_the_files(void **state)
{
    struct bench bench;
    struct sotto_view parts[SOTTO_MODEL_PARTS_MAX];

    (void)state;
    bench_open(&bench, 0, 0);
    assert_int_equal(sotto_model_parts(bench.model, parts), 3);
    assert_memory_equal(parts[0].at, "{\"model_type\": \"vit\"", 20);
    assert_int_equal(parts[1].at[8], '{');
    assert_memory_equal(parts[2].at, "{\"do_rescale\"", 13);
    assert_int_equal(sotto_model_picture_form(bench.model).side, SIDE);
    assert_int_equal(sotto_model_picture_form(bench.model).channels, 1);
    bench_close(&bench);
}

/* Whole texts of any length; as many of them as fit, without a product that overflows. */
static void group__room__is_for_a_text_of_any_length(void **state)
{
    const struct sotto_arch arch = {.task = SOTTO_TASK_CAUSAL_LM};
    static const struct {
        uint32_t batch;
        uint32_t length;
        uint32_t rows;
    } rooms[] = {{1, 1, 1},    {3, 85, 255},       {3, 86, 256},    {1, 1000, 1000},
                 {64, 3, 192}, {1 << 20, 64, 256}, {100, 257, 257}, {256, 1 << 24, 1 << 24}};

    (void)state;
    for (size_t i = 0; i < sizeof rooms / sizeof rooms[0]; i++) {
        struct sotto_network_room room = sotto_group_room(&arch, rooms[i].batch, rooms[i].length);

        assert_int_equal(room.row_max, rooms[i].rows);
        assert_int_equal(room.length_max, rooms[i].length);
        assert_true(room.sample_max >= 1 && room.sample_max <= SOTTO_SAMPLES_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainer__all_targets__gradient_of_every_tensor_is_the_slope),
        cmocka_unit_test(trainer__query_and_value__gradient_of_every_tensor_is_the_slope),
        cmocka_unit_test(trainer__head_alone__gradient_of_every_tensor_is_the_slope),
        cmocka_unit_test(trainer__skewed_labels_alone__are_not_learnt),
        cmocka_unit_test(trainer__head_alone_fit__lowers_the_loss_that_evaluation_sees),
        cmocka_unit_test(trainer__fresh_adapter__predicts_every_label_alike),
        cmocka_unit_test(trainer__fit__learns_the_pictures),
        cmocka_unit_test(trainer__same_seed_twice__same_bits),
        cmocka_unit_test(trainer__saved_and_loaded__predicts_the_same),
        cmocka_unit_test(trainer__evaluate__agrees_with_predict),
        cmocka_unit_test(trainer__progress__is_told_every_step),
        cmocka_unit_test(trainer__load_of_what_is_no_adapter__is_refused),
        cmocka_unit_test(trainer__layout_of_another_model__is_a_mismatch),
        cmocka_unit_test(trainer__examples_that_do_not_fit__are_refused),
        cmocka_unit_test(trainer__rate_that_blows_up__is_malformed),
        cmocka_unit_test(model__parts__are_the_files),
        cmocka_unit_test(group__room__is_for_a_text_of_any_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
