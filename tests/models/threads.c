/* A trainer on any number of threads: the same bits; and no allocation in a step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/threads/threads.h"
#include "models/trainer.h"
#include "tests/support/model_folder.h"

/* 17 tokens a picture, so that a batch is several groups, the last of them short. */
enum { LABELS = 3, EXAMPLES = 61, SIDE = 16, BATCH = 47, RANK = 2 };

static atomic_size_t allocation_count;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);

/* Linked in the place of the allocator for all that is ours. */
void *__wrap_malloc(size_t size)
{
    atomic_fetch_add(&allocation_count, 1);
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocation_count, 1);
    return __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    atomic_fetch_add(&allocation_count, 1);
    return __real_realloc(memory, size);
}

struct school {
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_dataset dataset;
    float *lanes;
};

static void choose(struct sotto_adapter_choice *choice, const struct sotto_arch *arch,
                   uint32_t rank)
{
    *choice = (struct sotto_adapter_choice){
        .rank = rank,
        .alpha = 3.0,
        .target_set = rank == 0 ? 0 : sotto_family_targets(arch->family),
        .label_count = arch->task == SOTTO_TASK_CAUSAL_LM ? 0 : LABELS};
    for (uint32_t i = 0; i < choice->label_count; i++)
        snprintf(choice->labels[i], sizeof choice->labels[i], "label-%u", i);
}

static void fill_pictures(struct sotto_dataset *dataset, struct sotto_entropy *entropy)
{
    const size_t count = (size_t)EXAMPLES * SIDE * SIDE;

    *dataset = (struct sotto_dataset){.channels = 1,
                                      .side = SIDE,
                                      .count = EXAMPLES,
                                      .pixels = calloc(count, 1),
                                      .labels = calloc(EXAMPLES, sizeof *dataset->labels)};
    assert_true(dataset->pixels != NULL && dataset->labels != NULL);
    sotto_entropy_fill(entropy, dataset->pixels, count);
}

/* Of any lengths that the tiny models take, in no order. */
static void fill_texts(struct sotto_dataset *dataset, const struct sotto_arch *arch,
                       struct sotto_entropy *entropy)
{
    bool is_answered = arch->task == SOTTO_TASK_CAUSAL_LM;

    assert_int_equal(
        sotto_dataset_open_texts(
            dataset, (struct sotto_text_shape){EXAMPLES, (size_t)EXAMPLES * arch->position_count,
                                               is_answered}),
        SOTTO_OK);
    for (size_t i = 0; i < EXAMPLES; i++) {
        size_t first = dataset->starts[i];
        size_t length = 2 + sotto_entropy_below(entropy, arch->position_count - 1);

        dataset->starts[i + 1] = first + length;
        for (size_t at = first; at < first + length; at++)
            dataset->tokens[at] = (uint32_t)sotto_entropy_below(entropy, arch->vocabulary);
        if (is_answered)
            memset(dataset->is_answer + first + 1, 1, length - 1);
    }
}

/* Adapters in the last `top` blocks; 0: in all. */
static void school_open(struct school *school, struct sotto_arch arch, uint32_t rank, uint32_t top)
{
    struct sotto_adapter_choice choice;
    struct sotto_entropy entropy;
    float *weights;

    if (arch.task == SOTTO_TASK_PICTURE_CLASS)
        arch.image_side = SIDE;
    weights = model_folder_weights(&arch, 5);
    model_folder_open(&school->folder, &arch, weights);
    free(weights);
    choose(&choice, &arch, rank);
    choice.top_blocks = top;
    assert_int_equal(sotto_model_open(&school->model, school->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&school->layout, &arch, &choice, NULL), SOTTO_OK);
    sotto_entropy_init_seeded(&entropy, 7);
    if (arch.task == SOTTO_TASK_PICTURE_CLASS)
        fill_pictures(&school->dataset, &entropy);
    else
        fill_texts(&school->dataset, &arch, &entropy);
    for (uint32_t i = 0; i < EXAMPLES && arch.task != SOTTO_TASK_CAUSAL_LM; i++)
        school->dataset.labels[i] = i % LABELS;
    school->lanes = calloc(school->layout.lane_count, sizeof *school->lanes);
    assert_non_null(school->lanes);
    sotto_layout_start(school->lanes, &school->layout, &entropy);
}

static void school_close(struct school *school)
{
    sotto_model_close(school->model);
    model_folder_close(&school->folder);
    sotto_dataset_close(&school->dataset);
    free(school->lanes);
}

static struct sotto_fit fit_of(void (*progress)(void *, size_t, size_t, double), void *context)
{
    return (struct sotto_fit){.epochs = 3,
                              .batch = BATCH,
                              .learning_rate_start = 1e-2,
                              .learning_rate_end = 1e-3,
                              .weight_decay = 0.01,
                              .seed = 3,
                              .progress = progress,
                              .context = context};
}

struct outcome {
    float *lanes;
    struct sotto_fit_result result;
    struct sotto_score score;
};

static void fitted(struct outcome *outcome, const struct school *school, uint32_t width)
{
    struct sotto_fit fit = fit_of(NULL, NULL);
    struct sotto_threads *threads;
    struct sotto_trainer *trainer;
    size_t lane_count = school->layout.lane_count;

    outcome->lanes = calloc(lane_count, sizeof *outcome->lanes);
    assert_non_null(outcome->lanes);
    assert_int_equal(sotto_threads_open(&threads, width), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&trainer, school->model, &school->layout, BATCH, threads, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_trainer_load(trainer, school->lanes, lane_count), SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(trainer, &school->dataset, &fit, &outcome->result),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(trainer, &school->dataset, &outcome->score), SOTTO_OK);
    sotto_trainer_save(trainer, outcome->lanes);
    sotto_trainer_close(trainer);
    sotto_threads_close(threads);
}

static void check_widths(struct sotto_arch arch, uint32_t rank)
{
    static const uint32_t widths[] = {2, 3, 7};
    static struct school school;
    struct outcome alone;

    school_open(&school, arch, rank, 0);
    fitted(&alone, &school, 1);
    assert_memory_not_equal(alone.lanes, school.lanes, school.layout.lane_count * sizeof(float));
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        struct outcome shared;

        fitted(&shared, &school, widths[i]);
        assert_memory_equal(shared.lanes, alone.lanes, school.layout.lane_count * sizeof(float));
        assert_true(shared.result.loss_last == alone.result.loss_last);
        assert_true(shared.score.loss_mean == alone.score.loss_mean);
        assert_int_equal(shared.score.correct, alone.score.correct);
        free(shared.lanes);
    }
    free(alone.lanes);
    school_close(&school);
}

static void trainer__any_number_of_threads__same_bits(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++)
        check_widths(model_folder_tiny_of((enum sotto_family)family), RANK);
}

static void trainer__head_alone_on_any_number_of_threads__same_bits(void **state)
{
    (void)state;
    check_widths(model_folder_tiny(), 0);
}

struct tally {
    size_t first; /* allocations when the first step was done */
    size_t last;
};

static void count_allocations(void *context, size_t step, size_t step_count, double loss)
{
    struct tally *tally = context;

    (void)step_count;
    (void)loss;
    tally->last = atomic_load(&allocation_count);
    if (step == 1)
        tally->first = tally->last;
}

/* A fit of three epochs, as a site does it: with rows kept where there are any, and dropout. */
static void check_allocations(struct sotto_arch arch, uint32_t top)
{
    static struct school school;
    struct tally tally = {0};
    struct sotto_fit fit = fit_of(count_allocations, &tally);
    struct sotto_fit_result result;
    struct sotto_threads *threads;
    struct sotto_trainer *trainer;

    school_open(&school, arch, RANK, top);
    fit.keeps_rows = true;
    fit.dropout = 0.1;
    assert_int_equal(sotto_threads_open(&threads, 2), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&trainer, school.model, &school.layout, BATCH, threads, NULL), SOTTO_OK);
    assert_int_equal(sotto_trainer_load(trainer, school.lanes, school.layout.lane_count), SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(trainer, &school.dataset, &fit, &result), SOTTO_OK);
    assert_true(result.step_count == 6 && tally.first > 0);
    assert_int_equal(tally.last, tally.first);
    sotto_trainer_close(trainer);
    sotto_threads_close(threads);
    school_close(&school);
}

static void trainer__step_after_step__allocates_nothing(void **state)
{
    (void)state;
    for (int family = 0; family < SOTTO_FAMILY_COUNT; family++)
        for (uint32_t top = 0; top < 2; top++)
            check_allocations(model_folder_tiny_of((enum sotto_family)family), top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trainer__any_number_of_threads__same_bits),
        cmocka_unit_test(trainer__head_alone_on_any_number_of_threads__same_bits),
        cmocka_unit_test(trainer__step_after_step__allocates_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
