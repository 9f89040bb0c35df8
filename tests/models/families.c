/* The trainer over every family: gradients, texts of any lengths, what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "models/arch/base.h"
#include "models/crew.h"
#include "models/kernels/wide/wide.h"
#include "models/trainer.h"
#include "tests/models/slope.h"
#include "tests/support/device.h"
#include "tests/support/model_folder.h"

enum { EXAMPLES = 5, LABELS = 3, BATCH_MAX = 8, SIDE = 8 };

static const size_t lengths[EXAMPLES] = {6, 1, 9, 3, 24};

struct bench {
    struct sotto_arch arch;
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    float *lanes;
};

/* Random texts, labelled or with answers, or random pictures. */
static void fill_examples(struct sotto_dataset *dataset, const struct sotto_arch *arch)
{
    const size_t pixels = (size_t)EXAMPLES * SIDE * SIDE;
    struct sotto_text_shape shape = {EXAMPLES, 0, arch->task == SOTTO_TASK_CAUSAL_LM};
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 4);
    for (size_t i = 0; i < EXAMPLES; i++)
        shape.token_count += lengths[i];
    assert_int_equal(sotto_dataset_open_texts(dataset, shape), SOTTO_OK);
    for (size_t i = 0; i < EXAMPLES; i++) {
        dataset->starts[i + 1] = dataset->starts[i] + lengths[i];
        dataset->labels[i] = (uint32_t)(i % LABELS);
    }
    for (size_t i = 0; i < shape.token_count; i++)
        dataset->tokens[i] = (uint32_t)sotto_entropy_below(&entropy, 13);
    for (size_t i = 0; shape.is_answered && i < EXAMPLES; i++)
        for (size_t token = 1; token < lengths[i]; token++)
            dataset->is_answer[dataset->starts[i] + token] = token % 3 != 1;
    if (arch->task != SOTTO_TASK_PICTURE_CLASS)
        return;
    dataset->kind = SOTTO_DATASET_PICTURES;
    dataset->channels = 1;
    dataset->side = SIDE;
    dataset->pixels = malloc(pixels);
    for (size_t i = 0; i < pixels; i++)
        dataset->pixels[i] = (uint8_t)sotto_entropy_below(&entropy, 256);
}

static struct sotto_adapter_choice choice_of(const struct sotto_arch *arch)
{
    bool is_language_model = arch->task == SOTTO_TASK_CAUSAL_LM;

    return (struct sotto_adapter_choice){.rank = 2,
                                         .alpha = 3.0,
                                         .target_set = sotto_family_targets(arch->family),
                                         .label_count = is_language_model ? 0 : LABELS,
                                         .labels = {"a", "b", "c"}};
}

static void bench_open(struct bench *bench, const struct sotto_arch *arch,
                       const struct sotto_adapter_choice *choice)
{
    float *weights = model_folder_weights(arch, 5);

    bench->arch = *arch;
    model_folder_open(&bench->folder, arch, weights);
    assert_int_equal(sotto_model_open(&bench->model, bench->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&bench->layout, arch, choice, NULL), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&bench->trainer, bench->model, &bench->layout, BATCH_MAX, NULL, NULL),
        SOTTO_OK);
    bench->lanes = normal_floats(bench->layout.lane_count, 0.3, 8);
    assert_int_equal(sotto_trainer_load(bench->trainer, bench->lanes, bench->layout.lane_count),
                     SOTTO_OK);
    fill_examples(&bench->dataset, arch);
    free(weights);
}

static void bench_open_family(struct bench *bench, enum sotto_family family)
{
    struct sotto_arch arch = model_folder_tiny_of(family);
    struct sotto_adapter_choice choice = choice_of(&arch);

    bench_open(bench, &arch, &choice);
}

static void bench_close(struct bench *bench)
{
    sotto_dataset_close(&bench->dataset);
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

static void check_gradient(struct bench *bench)
{
    struct slope slope = {loss_of, bench, 2e-3, 1e-2};
    float *gradient = calloc(bench->layout.lane_count, sizeof *gradient);
    double loss;

    assert_int_equal(
        sotto_trainer_gradient(bench->trainer, gradient, &loss, &bench->dataset, EXAMPLES),
        SOTTO_OK);
    assert_true(fabs(loss - loss_of(bench)) < 1e-6);
    for (size_t i = 0; i < bench->layout.tensor_count; i++) {
        const struct sotto_layout_tensor *tensor = &bench->layout.tensors[i];
        char name[SOTTO_TENSOR_TEXT_MAX + 1];

        sotto_layout_tensor_name(name, &bench->layout, i);
        assert_slope(&slope, name, bench->lanes + tensor->first, gradient + tensor->first,
                     (size_t)tensor->rows * tensor->columns);
    }
    free(gradient);
}

static void families__all_adapters__gradient_is_the_slope(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        struct bench bench;

        bench_open_family(&bench, (enum sotto_family)family);
        check_gradient(&bench);
        bench_close(&bench);
    }
}

/* Qwen2's biases, tied words, and adapters in the upper block alone. */
static void families__tied_with_biases_in_the_top_block__gradient_is_the_slope(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_LLAMA);
    struct sotto_adapter_choice choice = choice_of(&arch);
    struct bench bench;

    (void)state;
    arch.has_qkv_bias = arch.has_out_bias = arch.has_mlp_bias = true;
    arch.has_tied_embeddings = true;
    choice.top_blocks = 1;
    bench_open(&bench, &arch, &choice);
    check_gradient(&bench);
    bench_close(&bench);
}

static void families__few_steps__lower_the_loss(void **state)
{
    const struct sotto_fit fit = {
        .epochs = 10, .batch = 2, .learning_rate_start = 1e-2, .learning_rate_end = 1e-2};

    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        struct bench bench;
        struct sotto_fit_result result;
        struct sotto_score before, after;

        bench_open_family(&bench, (enum sotto_family)family);
        assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &before), SOTTO_OK);
        assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result), SOTTO_OK);
        assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &after), SOTTO_OK);
        assert_int_equal(result.step_count, 30);
        assert_true(after.loss_mean < 0.7 * before.loss_mean);
        bench_close(&bench);
    }
}

/* Every answer's token weighs the same: 25 of them, whatever text they are in. */
static void language_model__score__is_over_the_tokens_of_answers(void **state)
{
    struct bench bench;
    struct sotto_score score;
    size_t answers = 0;

    (void)state;
    bench_open_family(&bench, SOTTO_FAMILY_LLAMA);
    for (size_t i = 0; i < bench.dataset.starts[EXAMPLES]; i++)
        answers += bench.dataset.is_answer[i];
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_OK);
    assert_int_equal(score.count, answers);
    assert_true(score.correct < answers);
    bench_close(&bench);
}

/* What the score says of the last token is what is foretold of it without it. */
static void language_model__prediction__is_of_the_token_after_the_text(void **state)
{
    struct bench bench;
    struct sotto_score score;
    struct sotto_dataset whole, begun;
    size_t starts[2] = {0, 6};
    uint8_t is_answer[6] = {0, 0, 0, 0, 0, 1};
    float probabilities[13];
    double sum = 0.0;

    (void)state;
    bench_open_family(&bench, SOTTO_FAMILY_LLAMA);
    whole = bench.dataset;
    whole.count = 1;
    whole.starts = starts;
    whole.is_answer = is_answer;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &whole, &score), SOTTO_OK);
    begun = whole;
    begun.starts = (size_t[]){0, 5};
    assert_int_equal(sotto_trainer_predict(bench.trainer, probabilities, &begun, 0), SOTTO_OK);
    for (size_t i = 0; i < 13; i++)
        sum += probabilities[i];
    assert_true(fabs(sum - 1.0) < 1e-5);
    assert_true(fabs(score.loss_mean + log(probabilities[whole.tokens[5]])) < 1e-5);
    bench_close(&bench);
}

static void language_model__batch_without_answers__has_no_loss_and_no_gradient(void **state)
{
    struct bench bench;
    float *gradient;
    double loss = 1.0;

    (void)state;
    bench_open_family(&bench, SOTTO_FAMILY_LLAMA);
    gradient = normal_floats(bench.layout.lane_count, 1.0, 1);
    memset(bench.dataset.is_answer, 0, bench.dataset.starts[EXAMPLES]);
    assert_int_equal(
        sotto_trainer_gradient(bench.trainer, gradient, &loss, &bench.dataset, EXAMPLES), SOTTO_OK);
    assert_true(loss == 0.0);
    for (size_t i = 0; i < bench.layout.lane_count; i++)
        assert_true(gradient[i] == 0.0f);
    free(gradient);
    bench_close(&bench);
}

/* A trainer that has seen short texts makes room for long ones, and says the same of the short. */
static void trainer__longer_text__makes_room_and_changes_nothing(void **state)
{
    struct bench bench;
    float before[LABELS], after[LABELS], other[LABELS];

    (void)state;
    bench_open_family(&bench, SOTTO_FAMILY_BERT);
    bench.dataset.count = 2;
    assert_int_equal(sotto_trainer_predict(bench.trainer, before, &bench.dataset, 0), SOTTO_OK);
    bench.dataset.count = EXAMPLES;
    assert_int_equal(sotto_trainer_predict(bench.trainer, other, &bench.dataset, 4), SOTTO_OK);
    assert_int_equal(sotto_trainer_predict(bench.trainer, after, &bench.dataset, 0), SOTTO_OK);
    assert_memory_equal(before, after, sizeof before);
    assert_memory_not_equal(before, other, sizeof before);
    bench_close(&bench);
}

static void trainer__examples_of_another_form__are_a_mismatch(void **state)
{
    struct bench bench;
    struct sotto_score score;
    uint32_t kept;

    (void)state;
    bench_open_family(&bench, SOTTO_FAMILY_BERT);
    kept = bench.dataset.tokens[3];
    bench.dataset.tokens[3] = 13;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench.dataset.tokens[3] = kept;
    bench.dataset.labels[1] = LABELS;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench.dataset.labels[1] = 0;
    bench.dataset.starts[1] = 0;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench.dataset.starts[1] = bench.dataset.starts[2] = bench.dataset.starts[3] = 3;
    bench.dataset.starts[4] = 28;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench.dataset.kind = SOTTO_DATASET_PICTURES;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench_close(&bench);
    bench_open_family(&bench, SOTTO_FAMILY_LLAMA);
    free(bench.dataset.is_answer);
    bench.dataset.is_answer = NULL;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &score), SOTTO_MISMATCH);
    bench_close(&bench);
}

/*
 * Gradients of one batch over rows that are known and over rows that are computed: to the bit where
 * a row of a product does not depend on how many there are, as the own product has it.
 */
static void check_known(const struct sotto_arch *arch, const struct sotto_adapter_choice *choice)
{
    static const uint32_t order[EXAMPLES] = {3, 0, 4, 2, 1};
    struct bench bench;
    struct sotto_batch batch = {&bench.dataset, order, 0, EXAMPLES};
    struct sotto_device_loss loss;
    struct sotto_crew crew = {.batch_max = BATCH_MAX, .loss = &loss};
    float *known;
    float *computed;

    bench_open(&bench, arch, choice);
    known = calloc(bench.layout.lane_count, sizeof *known);
    computed = calloc(bench.layout.lane_count, sizeof *computed);
    crew.workshop = (struct sotto_workshop){
        .model = bench.model, .layout = &bench.layout, .lanes = device_view(bench.lanes)};
    crew.gradients = device_floats(known);
    assert_int_equal(sotto_crew_open(&crew), SOTTO_OK);
    assert_int_equal(sotto_crew_prepare(&crew, &bench.dataset), SOTTO_OK);
    assert_int_equal(sotto_crew_know(&crew, &bench.dataset), SOTTO_OK);
    assert_ptr_equal(crew.known.dataset, &bench.dataset);
    sotto_crew_differentiate(&crew, &batch);
    sotto_crew_forget(&crew);
    crew.gradients = device_floats(computed);
    sotto_crew_differentiate(&crew, &batch);
    assert_near(known, computed, bench.layout.lane_count, 1e-5);
    if (sotto_wide_is_supported())
        assert_memory_equal(known, computed, bench.layout.lane_count * sizeof *known);
    free(computed);
    free(known);
    sotto_crew_close(&crew);
    bench_close(&bench);
}

static void crew__rows_below_the_adapters__give_the_same_known_or_computed(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++) {
        struct sotto_arch arch = model_folder_tiny_of((enum sotto_family)family);
        struct sotto_adapter_choice choice = choice_of(&arch);

        choice.top_blocks = 1;
        check_known(&arch, &choice);
        if (arch.task == SOTTO_TASK_CAUSAL_LM)
            continue;
        choice.top_blocks = choice.rank = 0;
        check_known(&arch, &choice);
    }
}

/* A second fit of the same examples begins with what the first one kept, and does the same. */
static void trainer__rows_kept_over_fits__change_nothing(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    struct sotto_adapter_choice choice = choice_of(&arch);
    struct sotto_fit fit = {
        .epochs = 2, .batch = 2, .learning_rate_start = 1e-2, .learning_rate_end = 1e-2};
    struct sotto_fit_result result;
    struct bench bench;
    float *lanes[2];

    (void)state;
    choice.top_blocks = 1;
    bench_open(&bench, &arch, &choice);
    for (int kept = 0; kept < 2; kept++) {
        fit.keeps_rows = kept == 1;
        lanes[kept] = calloc(bench.layout.lane_count, sizeof *lanes[kept]);
        for (int times = 0; times < 2; times++) {
            assert_int_equal(
                sotto_trainer_load(bench.trainer, bench.lanes, bench.layout.lane_count), SOTTO_OK);
            assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result),
                             SOTTO_OK);
        }
        sotto_trainer_save(bench.trainer, lanes[kept]);
    }
    sotto_trainer_forget(bench.trainer);
    assert_memory_equal(lanes[0], lanes[1], bench.layout.lane_count * sizeof *lanes[0]);
    free(lanes[0]);
    free(lanes[1]);
    bench_close(&bench);
}

/* Rows are those of the examples that they were kept of: others are computed. */
static void trainer__rows_kept_of_other_examples__are_not_read(void **state)
{
    static const uint32_t last = 2;
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    struct sotto_adapter_choice choice = choice_of(&arch);
    struct sotto_fit fit = {.epochs = 1, .batch = 2, .learning_rate_start = 1e-2};
    struct sotto_fit_result result;
    struct sotto_score kept, computed;
    struct sotto_dataset other;
    struct bench bench;

    (void)state;
    choice.top_blocks = 1;
    bench_open(&bench, &arch, &choice);
    assert_int_equal(sotto_dataset_open_subset(&other, &bench.dataset, &last, 1), SOTTO_OK);
    fit.keeps_rows = true;
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result), SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &other, &kept), SOTTO_OK);
    sotto_trainer_forget(bench.trainer);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &other, &computed), SOTTO_OK);
    assert_true(kept.loss_mean == computed.loss_mean);
    sotto_dataset_close(&other);
    bench_close(&bench);
}

/* Where nothing is kept, what lies where the examples were may be others by then. */
static void trainer__no_rows_kept__examples_may_change(void **state)
{
    struct sotto_arch arch = model_folder_tiny_of(SOTTO_FAMILY_BERT);
    struct sotto_adapter_choice choice = choice_of(&arch);
    struct sotto_fit fit = {.epochs = 1, .batch = 2, .learning_rate_start = 1e-2};
    struct sotto_fit_result result;
    struct sotto_score first, again;
    struct bench bench;

    (void)state;
    choice.top_blocks = 1;
    bench_open(&bench, &arch, &choice);
    assert_int_equal(sotto_trainer_fit(bench.trainer, &bench.dataset, &fit, &result), SOTTO_OK);
    for (size_t i = 0; i < bench.dataset.starts[bench.dataset.count]; i++)
        bench.dataset.tokens[i] = (bench.dataset.tokens[i] + 1) % arch.vocabulary;
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &first), SOTTO_OK);
    sotto_trainer_forget(bench.trainer);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &again), SOTTO_OK);
    assert_true(first.loss_mean == again.loss_mean);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(families__all_adapters__gradient_is_the_slope),
        cmocka_unit_test(families__tied_with_biases_in_the_top_block__gradient_is_the_slope),
        cmocka_unit_test(families__few_steps__lower_the_loss),
        cmocka_unit_test(language_model__score__is_over_the_tokens_of_answers),
        cmocka_unit_test(language_model__prediction__is_of_the_token_after_the_text),
        cmocka_unit_test(language_model__batch_without_answers__has_no_loss_and_no_gradient),
        cmocka_unit_test(trainer__longer_text__makes_room_and_changes_nothing),
        cmocka_unit_test(trainer__examples_of_another_form__are_a_mismatch),
        cmocka_unit_test(trainer__rows_kept_over_fits__change_nothing),
        cmocka_unit_test(trainer__rows_kept_of_other_examples__are_not_read),
        cmocka_unit_test(trainer__no_rows_kept__examples_may_change),
        cmocka_unit_test(crew__rows_below_the_adapters__give_the_same_known_or_computed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
