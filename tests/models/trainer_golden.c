/* The trainer against another implementation: transformers and autograd. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/trainer.h"
#include "tests/models/golden.h"

enum { LABELS = 3 };

/* What make_vit.py stored, and a trainer for it. */
struct golden {
    struct sotto_model *model;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    float *gradient;
    float *logits;
    float *loss;
    size_t lane_count;
};

static void golden_open_dataset(struct sotto_dataset *dataset)
{
    size_t pixel_count;
    size_t count;
    float *labels = golden_read("labels", &count);

    *dataset = (struct sotto_dataset){
        .count = count, .channels = 3, .side = 12, .pixels = golden_pixels(&pixel_count)};
    dataset->labels = malloc(dataset->count * sizeof *dataset->labels);
    for (size_t i = 0; i < dataset->count; i++)
        dataset->labels[i] = (uint32_t)labels[i];
    free(labels);
}

static void golden_open(struct golden *known)
{
    const struct sotto_adapter_choice choice = {.rank = 2,
                                                .alpha = 3.0,
                                                .target_set = (1u << SOTTO_TARGET_COUNT) - 1,
                                                .label_count = LABELS,
                                                .labels = {"a", "b", "c"}};
    struct sotto_layout layout;
    size_t count;
    float *lanes = golden_read("lanes", &known->lane_count);

    golden_open_dataset(&known->dataset);
    known->gradient = golden_read("gradient", &count);
    known->logits = golden_read("logits", &count);
    known->loss = golden_read("loss", &count);
    assert_int_equal(sotto_model_open(&known->model, "tests/vectors/vit", NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&layout, sotto_model_arch(known->model), &choice, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_open(&known->trainer, known->model, &layout, 5, NULL, NULL),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_load(known->trainer, lanes, known->lane_count), SOTTO_OK);
    free(lanes);
}

static void golden_close(struct golden *known)
{
    sotto_trainer_close(known->trainer);
    sotto_model_close(known->model);
    free(known->dataset.pixels);
    free(known->dataset.labels);
    free(known->gradient);
    free(known->logits);
    free(known->loss);
}

/* Differences of log probabilities are differences of logits. */
static void trainer__golden_pictures__logits_as_another_implementation(void **state)
{
    struct golden known;

    (void)state;
    golden_open(&known);
    for (size_t i = 0; i < known.dataset.count; i++) {
        const float *expected = known.logits + i * LABELS;
        float got[LABELS];

        assert_int_equal(sotto_trainer_predict(known.trainer, got, &known.dataset, i), SOTTO_OK);
        for (size_t label = 1; label < LABELS; label++)
            assert_true(fabs(log((double)got[label] / got[0]) - (expected[label] - expected[0])) <
                        1e-5);
    }
    golden_close(&known);
}

static void trainer__golden_pictures__gradient_as_another_implementation(void **state)
{
    struct golden known;
    float *gradient;
    float largest = 0.0f;
    double loss;

    (void)state;
    golden_open(&known);
    gradient = calloc(known.lane_count, sizeof *gradient);
    assert_int_equal(
        sotto_trainer_gradient(known.trainer, gradient, &loss, &known.dataset, known.dataset.count),
        SOTTO_OK);
    assert_true(fabs(loss - known.loss[0]) < 1e-5);
    for (size_t lane = 0; lane < known.lane_count; lane++)
        largest = fmaxf(largest, fabsf(known.gradient[lane]));
    for (size_t lane = 0; lane < known.lane_count; lane++)
        assert_true(fabsf(gradient[lane] - known.gradient[lane]) <=
                    1e-4f * fabsf(known.gradient[lane]) + 1e-6f * largest);
    free(gradient);
    golden_close(&known);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainer__golden_pictures__logits_as_another_implementation),
        cmocka_unit_test(trainer__golden_pictures__gradient_as_another_implementation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
