/* What a fit moves: the trained part alone, and with a proximal term not far. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/trainer.h"
#include "tests/models/slope.h"
#include "tests/support/cmocka.h"
#include "tests/support/model_folder.h"

enum { EXAMPLES = 8, PIXELS = 64, LABELS = 2 };

struct bench {
    struct model_folder folder;
    struct sotto_model *model;
    struct sotto_layout layout;
    struct sotto_trainer *trainer;
    struct sotto_dataset dataset;
    uint8_t pixels[EXAMPLES * PIXELS];
    uint32_t labels[EXAMPLES];
    float *start; /* [lane_count] */
    float *after;
};

static void pictures_fill(struct bench *bench)
{
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
}

static void bench_open(struct bench *bench)
{
    const struct sotto_arch arch = model_folder_tiny();
    float *weights = model_folder_weights(&arch, 5);
    const struct sotto_adapter_choice choice = {.rank = 3,
                                                .alpha = 6,
                                                .target_set = SOTTO_TARGETS_ALL,
                                                .label_count = LABELS,
                                                .labels = {"bag", "coat"}};

    pictures_fill(bench);
    model_folder_open(&bench->folder, &arch, weights);
    free(weights);
    assert_int_equal(sotto_model_open(&bench->model, bench->folder.path, NULL), SOTTO_OK);
    assert_int_equal(sotto_layout_derive(&bench->layout, &arch, &choice, NULL), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_open(&bench->trainer, bench->model, &bench->layout, EXAMPLES, NULL, NULL),
        SOTTO_OK);
    bench->start = normal_floats(bench->layout.lane_count, 0.5, 8);
    bench->after = calloc(bench->layout.lane_count, sizeof *bench->after);
    assert_non_null(bench->after);
}

static void bench_close(struct bench *bench)
{
    sotto_trainer_close(bench->trainer);
    sotto_model_close(bench->model);
    model_folder_close(&bench->folder);
    free(bench->start);
    free(bench->after);
}

/* bench->after: where the fit leads from bench->start. */
static void fit_as(struct bench *bench, const struct sotto_fit *fit)
{
    struct sotto_fit_result result;

    assert_int_equal(sotto_trainer_load(bench->trainer, bench->start, bench->layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(bench->trainer, &bench->dataset, fit, &result), SOTTO_OK);
    sotto_trainer_save(bench->trainer, bench->after);
}

static struct sotto_fit fit_of(enum sotto_trained trained, uint32_t epochs)
{
    return (struct sotto_fit){.epochs = epochs,
                              .batch = EXAMPLES,
                              .learning_rate_start = 1e-2,
                              .learning_rate_end = 1e-2,
                              .weight_decay = 0.1,
                              .trained = trained,
                              .seed = 1};
}

static void fit(struct bench *bench, enum sotto_trained trained, uint32_t epochs, double proximal)
{
    struct sotto_fit wish = fit_of(trained, epochs);

    wish.proximal = proximal;
    fit_as(bench, &wish);
}

static void fit__one_part__leaves_the_other_bit_for_bit(void **state)
{
    struct bench bench;

    (void)state;
    bench_open(&bench);
    for (uint32_t trained = 0; trained < SOTTO_TRAINED_COUNT; trained++) {
        fit(&bench, (enum sotto_trained)trained, 3, 0);
        for (size_t i = 0; i < bench.layout.tensor_count; i++) {
            const struct sotto_layout_tensor *tensor = &bench.layout.tensors[i];
            size_t size = (size_t)tensor->rows * tensor->columns * sizeof(float);
            const float *before = bench.start + tensor->first;
            bool has_stayed = memcmp(before, bench.after + tensor->first, size) == 0;

            assert_int_equal(has_stayed,
                             !sotto_trained_has((enum sotto_trained)trained, tensor->role));
        }
    }
    bench_close(&bench);
}

/* In the first step nothing has moved yet: each part goes where it would have gone with all. */
static void fit__one_step__moves_each_part_as_all_would(void **state)
{
    struct bench bench;
    float *all;

    (void)state;
    bench_open(&bench);
    fit(&bench, SOTTO_TRAINED_ALL, 1, 0);
    all = malloc(bench.layout.lane_count * sizeof *all);
    assert_non_null(all);
    memcpy(all, bench.after, bench.layout.lane_count * sizeof *all);
    for (uint32_t trained = SOTTO_TRAINED_A; trained < SOTTO_TRAINED_COUNT; trained++) {
        size_t count = sotto_subset_count(&bench.layout, (enum sotto_trained)trained);
        float *left = malloc(count * sizeof *left), *right = malloc(count * sizeof *right);

        assert_true(left != NULL && right != NULL);
        fit(&bench, (enum sotto_trained)trained, 1, 0);
        sotto_subset_gather(left, all, &bench.layout, (enum sotto_trained)trained);
        sotto_subset_gather(right, bench.after, &bench.layout, (enum sotto_trained)trained);
        assert_memory_equal(left, right, count * sizeof *left);
        free(left);
        free(right);
    }
    free(all);
    bench_close(&bench);
}

/* A fit after one of a part trains all again. */
static void fit__after_a_part__trains_all_again(void **state)
{
    struct bench bench;
    float *first;
    size_t size;

    (void)state;
    bench_open(&bench);
    size = bench.layout.lane_count * sizeof *first;
    first = malloc(size);
    assert_non_null(first);
    fit(&bench, SOTTO_TRAINED_ALL, 2, 0);
    memcpy(first, bench.after, size);
    fit(&bench, SOTTO_TRAINED_A, 2, 0);
    fit(&bench, SOTTO_TRAINED_ALL, 2, 0);
    assert_memory_equal(first, bench.after, size);
    free(first);
    bench_close(&bench);
}

static double way_of(const struct bench *bench)
{
    double squares = 0;

    for (size_t lane = 0; lane < bench->layout.lane_count; lane++)
        squares += pow((double)bench->after[lane] - bench->start[lane], 2);
    return sqrt(squares);
}

static void fit__stronger_proximal_term__stays_nearer(void **state)
{
    struct bench bench;
    double far, near, nearest;

    (void)state;
    bench_open(&bench);
    fit(&bench, SOTTO_TRAINED_ALL, 20, 0);
    far = way_of(&bench);
    fit(&bench, SOTTO_TRAINED_ALL, 20, 0.5);
    near = way_of(&bench);
    fit(&bench, SOTTO_TRAINED_ALL, 20, 50);
    nearest = way_of(&bench);
    assert_true(near < 0.9 * far && nearest < 0.5 * near);
    bench_close(&bench);
}

/* Masks follow from the seed and the step; scoring has none. */
static void fit__dropout__is_told_again_by_the_seed_and_gone_after(void **state)
{
    struct bench bench;
    struct sotto_fit wish = fit_of(SOTTO_TRAINED_ALL, 2);
    struct sotto_score before, after;
    size_t size;
    float *first;

    (void)state;
    bench_open(&bench);
    size = bench.layout.lane_count * sizeof *first;
    first = malloc(size);
    assert_non_null(first);
    assert_int_equal(sotto_trainer_load(bench.trainer, bench.start, bench.layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &before), SOTTO_OK);
    fit_as(&bench, &wish);
    memcpy(first, bench.after, size);
    wish.dropout = 0.3;
    fit_as(&bench, &wish);
    assert_memory_not_equal(first, bench.after, size);
    memcpy(first, bench.after, size);
    fit_as(&bench, &wish);
    assert_memory_equal(first, bench.after, size);
    assert_int_equal(sotto_trainer_load(bench.trainer, bench.start, bench.layout.lane_count),
                     SOTTO_OK);
    assert_int_equal(sotto_trainer_evaluate(bench.trainer, &bench.dataset, &after), SOTTO_OK);
    assert_true(before.loss_mean == after.loss_mean);
    free(first);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit__one_part__leaves_the_other_bit_for_bit),
        cmocka_unit_test(fit__one_step__moves_each_part_as_all_would),
        cmocka_unit_test(fit__after_a_part__trains_all_again),
        cmocka_unit_test(fit__dropout__is_told_again_by_the_seed_and_gone_after),
        cmocka_unit_test(fit__stronger_proximal_term__stays_nearer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
