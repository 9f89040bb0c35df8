/* Norms and biases trained in the base's place: they start as the base's and learn. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/adapter/origin.h"
#include "models/arch/base.h"
#include "models/trainer.h"
#include "tests/models/slope.h"
#include "tests/support/cmocka.h"
#include "tests/support/model_folder.h"

enum { EXAMPLES = 4, PIXELS = 64, LABELS = 2 };

struct bench {
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    uint8_t pixels[EXAMPLES * PIXELS];
    uint32_t labels[EXAMPLES];
    float *lanes;
};

/* `kind` and rank 0, beside a classifier. */
static void bench_open(struct bench *bench, enum sotto_adapter_kind kind)
{
    const struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 5);
    const struct sotto_adapter_choice choice = {
        .kind = kind, .label_count = LABELS, .labels = {"bag", "coat"}};
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 4);
    sotto_entropy_fill(&entropy, bench->pixels, sizeof bench->pixels);
    for (uint32_t i = 0; i < EXAMPLES; i++)
        bench->labels[i] = i % LABELS;
    bench->dataset = (struct sotto_dataset){.count = EXAMPLES,
                                            .channels = 1,
                                            .side = 8,
                                            .pixels = bench->pixels,
                                            .labels = bench->labels};
    model_folder_open(&bench->folder, &arch, weights);
    free(weights);
    assert_int_equal(sotto_model_open(&bench->model, bench->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&bench->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&bench->trainer, bench->model, &bench->layout, EXAMPLES, NULL, NULL),
        SOTTO_OK);
    bench->lanes = calloc(bench->layout.lane_count, sizeof *bench->lanes);
    assert_non_null(bench->lanes);
    assert_int_equal(sotto_model_start(bench->lanes, bench->model, &bench->layout, &entropy, NULL),
                     SOTTO_OK);
}

static void bench_close(struct bench *bench)
{
    sotto_trainer_close(bench->trainer);
    sotto_model_close(bench->model);
    model_folder_close(&bench->folder);
    free(bench->lanes);
}

static double loss_of(void *context)
{
    struct bench *bench = context;
    struct sotto_score score;

    assert_int_equal(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench->trainer, &bench->dataset, &score), SOTTO_OK);
    return score.loss_mean;
}

static void heads_fill(struct bench *bench)
{
    size_t count = LABELS * 16 + LABELS;
    float *head = normal_floats(count, 0.5, 3);

    memcpy(bench->lanes + bench->layout.lane_count - count, head, count * sizeof *head);
    free(head);
}

static void norm_bias__started_from_the_base__computes_as_the_base(void **state)
{
    struct bench plain, bench;

    (void)state;
    bench_open(&plain, SOTTO_ADAPTER_LORA);
    bench_open(&bench, SOTTO_ADAPTER_NORM_BIAS);
    heads_fill(&plain);
    heads_fill(&bench);
    assert_true(loss_of(&plain) == loss_of(&bench));
    bench.lanes[0] += 0.5f;
    assert_true(loss_of(&plain) != loss_of(&bench));
    bench_close(&plain);
    bench_close(&bench);
}

static void norm_bias__gradient_of_every_tensor__is_the_slope(void **state)
{
    struct bench bench;
    struct slope slope = {loss_of, &bench, 1e-2, 5e-3};
    float *gradient;
    double loss;

    (void)state;
    bench_open(&bench, SOTTO_ADAPTER_NORM_BIAS);
    heads_fill(&bench);
    loss_of(&bench);
    gradient = calloc(bench.layout.lane_count, sizeof *gradient);
    assert_non_null(gradient);
    assert_int_equal(
        sotto_trainer_gradient(bench.trainer, gradient, &loss, &bench.dataset, EXAMPLES), SOTTO_OK);
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

static void norm_bias__fit__moves_them_and_learns(void **state)
{
    const struct sotto_fit fit = {.epochs = 40,
                                  .batch = EXAMPLES,
                                  .learning_rate_start = 2e-2,
                                  .learning_rate_end = 2e-3,
                                  .seed = 1};
    struct sotto_fit_result result;
    struct bench bench;
    float *after;

    (void)state;
    bench_open(&bench, SOTTO_ADAPTER_NORM_BIAS);
    after = calloc(bench.layout.lane_count, sizeof *after);
    assert_non_null(after);
    loss_of(&bench);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result), SOTTO_OK);
    assert_true(result.loss_last < 0.5 * result.loss_first);
    sotto_trainer_save(bench.trainer, after);
    assert_memory_not_equal(after, bench.lanes, 16 * sizeof *after);
    free(after);
    bench_close(&bench);
}

static void norm_bias__base_without_a_tensor__names_it(void **state)
{
    struct bench bench;
    struct sotto_fault fault = {0};

    (void)state;
    bench_open(&bench, SOTTO_ADAPTER_NORM_BIAS);
    bench.layout.tensors[0].block = 7;
    assert_int_equal(sotto_origin_start(bench.lanes, &bench.layout,
                                        &sotto_model_base(bench.model)->files.checkpoint, &fault),
                     SOTTO_MISMATCH);
    assert_non_null(strstr(fault.text, "vit.encoder.layer.7.layernorm_before.weight"));
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_bias__started_from_the_base__computes_as_the_base),
        cmocka_unit_test(norm_bias__gradient_of_every_tensor__is_the_slope),
        cmocka_unit_test(norm_bias__fit__moves_them_and_learns),
        cmocka_unit_test(norm_bias__base_without_a_tensor__names_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
