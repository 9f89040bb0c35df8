/* A trainer over weights that are bfloat16: nearly the same gradient, the same bits on threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/base/entropy.h"
#include "core/threads/threads.h"
#include "models/arch/base.h"
#include "models/arch/tensors.h"
#include "models/trainer.h"
#include "tests/models/slope.h"
#include "tests/support/model_folder.h"

enum { LABELS = 3, EXAMPLES = 40, LENGTH_MAX = 24, RANK = 2, TOKENS_MAX = EXAMPLES * LENGTH_MAX };

/* Texts of many lengths, for a classifier or a language model of the smallest widths. */
struct school {
    struct model_folder folder;
    struct sotto_arch arch;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_dataset dataset;
    size_t starts[EXAMPLES + 1];
    uint32_t tokens[TOKENS_MAX];
    uint8_t is_answer[TOKENS_MAX];
    uint32_t labels[EXAMPLES];
    float *lanes;
};

static void widen(struct sotto_arch *arch)
{
    arch->width = 64;
    arch->mlp_width = 96;
    arch->head_count = 4;
    arch->kv_head_count = arch->family == SOTTO_FAMILY_LLAMA ? 2 : 4;
    arch->head_width = 16;
    arch->vocabulary = 64;
}

static void fill_texts(struct school *school)
{
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 9);
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t length = 2 + (size_t)sotto_entropy_below(&entropy, 11);

        school->starts[i + 1] = school->starts[i] + length;
        school->labels[i] = (uint32_t)(i % LABELS);
    }
    for (size_t i = 0; i < TOKENS_MAX; i++)
        school->tokens[i] = (uint32_t)sotto_entropy_below(&entropy, school->arch.vocabulary);
    memset(school->is_answer, 1, sizeof school->is_answer);
    for (size_t i = 0; i < EXAMPLES; i++)
        school->is_answer[school->starts[i]] = 0;
    school->dataset = (struct sotto_dataset){.kind = SOTTO_DATASET_TEXTS,
                                             .count = EXAMPLES,
                                             .labels = school->labels,
                                             .starts = school->starts,
                                             .tokens = school->tokens};
    if (school->arch.task == SOTTO_TASK_CAUSAL_LM)
        school->dataset.is_answer = school->is_answer;
}

/* The same model again, with the other kind of weights. */
static void school_round(struct school *school)
{
    sotto_model_close(school->model);
    assert_int_equal(sotto_model_open_on(&school->model, school->folder.path, NULL,
                                         SOTTO_WEIGHTS_BFLOAT16, NULL),
                     SOTTO_OK);
}

static void school_open(struct school *school, enum sotto_family family)
{
    struct sotto_adapter_choice choice = {.rank = RANK, .alpha = 3.0, .target_set = 0x3f};
    float *weights;

    *school = (struct school){.arch = model_folder_tiny_of(family)};
    widen(&school->arch);
    weights = model_folder_weights(&school->arch, 5);
    model_folder_open(&school->folder, &school->arch, weights);
    free(weights);
    choice.label_count = school->arch.task == SOTTO_TASK_CAUSAL_LM ? 0 : LABELS;
    for (uint32_t i = 0; i < choice.label_count; i++)
        snprintf(choice.labels[i], sizeof choice.labels[i], "label-%u", i);
    assert_int_equal(sotto_model_open(&school->model, school->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&school->layout, &school->arch, &choice, NULL), SOTTO_OK);
    fill_texts(school);
    school->lanes = normal_floats(school->layout.lane_count, 0.1, 8);
}

static void school_close(struct school *school)
{
    sotto_model_close(school->model);
    model_folder_close(&school->folder);
    free(school->lanes);
}

static float *gradient_of(const struct school *school)
{
    float *gradient = calloc(school->layout.lane_count, sizeof *gradient);
    struct sotto_trainer *trainer;
    double loss;

    assert_non_null(gradient);
    assert_int_equal(
        sotto_trainer_open(&trainer, school->model, &school->layout, EXAMPLES, NULL, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_trainer_load(trainer, school->lanes, school->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_gradient(trainer, gradient, &loss, &school->dataset, EXAMPLES),
                     SOTTO_OK);
    sotto_trainer_close(trainer);
    return gradient;
}

/* |a - b| / |b| */
static double distance(const float *a, const float *b, size_t count)
{
    double difference = 0.0;
    double length = 0.0;

    for (size_t i = 0; i < count; i++) {
        difference += pow((double)a[i] - b[i], 2);
        length += pow((double)b[i], 2);
    }
    return sqrt(difference / length);
}

static void check_gradient(enum sotto_family family)
{
    static struct school school;
    float *plain;
    float *packed;
    double error;

    school_open(&school, family);
    plain = gradient_of(&school);
    school_round(&school);
    packed = gradient_of(&school);
    error = distance(packed, plain, school.layout.lane_count);
    assert_true(error > 1e-5 && error < 2e-2);
    free(plain);
    free(packed);
    school_close(&school);
}

static void trainer__bfloat16_weights__gradient_is_nearly_the_same(void **state)
{
    (void)state;
    check_gradient(SOTTO_FAMILY_BERT);
    check_gradient(SOTTO_FAMILY_LLAMA);
}

static void fitted(float *lanes, const struct school *school, uint32_t width)
{
    struct sotto_fit fit = {.epochs = 2,
                            .batch = EXAMPLES,
                            .learning_rate_start = 1e-2,
                            .learning_rate_end = 1e-3,
                            .seed = 3};
    struct sotto_fit_result result;
    struct sotto_threads *threads;
    struct sotto_trainer *trainer;

    assert_int_equal(sotto_threads_open(&threads, width), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&trainer, school->model, &school->layout, EXAMPLES, threads, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_trainer_load(trainer, school->lanes, school->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(trainer, &school->dataset, &fit, &result), SOTTO_OK);
    sotto_trainer_save(trainer, lanes);
    sotto_trainer_close(trainer);
    sotto_threads_close(threads);
}

static void trainer__bfloat16_weights_on_any_number_of_threads__same_bits(void **state)
{
    static struct school school;
    float *alone;
    float *shared;
    size_t bytes;

    (void)state;
    school_open(&school, SOTTO_FAMILY_LLAMA);
    school_round(&school);
    bytes = school.layout.lane_count * sizeof *alone;
    alone = malloc(bytes);
    shared = malloc(bytes);
    fitted(alone, &school, 1);
    for (uint32_t width = 2; width <= 7; width += width == 2 ? 1 : 4) {
        fitted(shared, &school, width);
        assert_memory_equal(shared, alone, bytes);
    }
    free(alone);
    free(shared);
    school_close(&school);
}

static void model_open__bfloat16_of_a_width_that_fills_no_panel__is_unsupported(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 5);
    struct sotto_fault fault = {0};
    struct model_folder folder;
    struct sotto_model *model;

    (void)state;
    model_folder_open(&folder, &arch, weights);
    assert_int_equal(sotto_model_open_on(&model, folder.path, NULL, SOTTO_WEIGHTS_BFLOAT16, &fault),
                     SOTTO_UNSUPPORTED);
    assert_null(model);
    assert_non_null(strstr(fault.text, "float32"));
    model_folder_close(&folder);
    free(weights);
}

/* The blocks' matrices are back at the system, where they read as zeros; all else stays. */
static void model_open__bfloat16__has_the_matrices_once(void **state)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE) / sizeof(float);
    static struct school school;
    const float *kept;
    float *weights;
    size_t gone = 0;

    (void)state;
    school_open(&school, SOTTO_FAMILY_BERT);
    school_round(&school);
    weights = model_folder_weights(&school.arch, 5);
    kept = sotto_model_base(school.model)->weights;
    for (size_t i = 0; i < sotto_base_tensor_count(&school.arch); i++) {
        struct sotto_base_tensor tensor = sotto_base_tensor(&school.arch, i);
        bool is_of_block = tensor.first >= sotto_base_blocks_place(&school.arch) &&
                           strstr(tensor.names[0], "layer.") != NULL;

        if (tensor.count > 0 && (tensor.rank == 1 || !is_of_block))
            assert_memory_equal(kept + tensor.first, weights + tensor.first,
                                tensor.count * sizeof *kept);
        if (tensor.count < 3 * page || tensor.rank == 1 || !is_of_block)
            continue;
        assert_true(kept[tensor.first + tensor.count / 2] == 0.0f);
        gone++;
    }
    assert_true(gone > 0 || page > 1024);
    free(weights);
    school_close(&school);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainer__bfloat16_weights__gradient_is_nearly_the_same),
        cmocka_unit_test(trainer__bfloat16_weights_on_any_number_of_threads__same_bits),
        cmocka_unit_test(model_open__bfloat16_of_a_width_that_fills_no_panel__is_unsupported),
        cmocka_unit_test(model_open__bfloat16__has_the_matrices_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
