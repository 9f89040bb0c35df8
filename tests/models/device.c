/*
 * Training, evaluation, prediction and answers on a device that the host cannot look into: the same
 * bits as on the CPU's own, and one look at the loss a step.
 */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/entropy.h"
#include "core/threads/threads.h"
#include "models/answer/answerer.h"
#include "models/arch/base.h"
#include "models/arch/tensors.h"
#include "models/pretrain/fit.h"
#include "models/trainer.h"
#include "tests/models/slope.h"
#include "tests/models/wall.h"
#include "tests/support/cmocka.h"
#include "tests/support/device.h"
#include "tests/support/model_folder.h"

enum { EXAMPLES = 7, LABELS = 3, BATCH = 3, SIDE = 8, STEPS = 2 * 3, WORDS = 13 };

static const size_t lengths[EXAMPLES] = {6, 1, 9, 3, 24, 2, 11};

/* What is trained, of which family, and how. */
struct recipe {
    enum sotto_family family;
    enum sotto_adapter_kind kind;
    uint32_t top_blocks;
    double dropout;
    double proximal;
    bool has_panels; /* widths that the table packs */
    enum sotto_weights weights;
    bool is_wide;   /* pictures of so many tokens that each is a group of its own */
    uint32_t width; /* threads of the one on the wall's device; 0: the caller's alone */
};

/* A model, a layout and examples: what a trainer on any device takes. */
struct school {
    const struct recipe *recipe;
    struct sotto_arch arch;
    struct model_folder folder;
    struct sotto_layout layout;
    struct sotto_dataset dataset;
};

static void fill_pictures(struct sotto_dataset *dataset, uint32_t side,
                          struct sotto_entropy *entropy)
{
    size_t count = (size_t)EXAMPLES * side * side;

    dataset->kind = SOTTO_DATASET_PICTURES;
    dataset->channels = 1;
    dataset->side = side;
    dataset->pixels = malloc(count);
    assert_non_null(dataset->pixels);
    for (size_t i = 0; i < count; i++)
        dataset->pixels[i] = (uint8_t)sotto_entropy_below(entropy, 256);
}

static void fill_examples(struct sotto_dataset *dataset, const struct sotto_arch *arch)
{
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
        dataset->tokens[i] = (uint32_t)sotto_entropy_below(&entropy, WORDS);
    for (size_t i = 0; shape.is_answered && i < EXAMPLES; i++) {
        for (size_t token = 1; token < lengths[i]; token++)
            dataset->is_answer[dataset->starts[i] + token] = token % 3 != 1;
    }
    if (arch->task == SOTTO_TASK_PICTURE_CLASS)
        fill_pictures(dataset, arch->image_side, &entropy);
}

/* Widths of whole panels. */
static void widen(struct sotto_arch *arch)
{
    arch->width = 64;
    arch->mlp_width = 96;
    arch->head_count = 4;
    arch->kv_head_count = arch->family == SOTTO_FAMILY_LLAMA ? 2 : 4;
    arch->head_width = 16;
    arch->vocabulary = arch->task == SOTTO_TASK_PICTURE_CLASS ? 0 : 64;
}

static void school_open(struct school *school, const struct recipe *recipe)
{
    struct sotto_adapter_choice choice = {
        .kind = recipe->kind, .top_blocks = recipe->top_blocks, .labels = {"a", "b", "c"}};
    float *weights;

    *school = (struct school){.recipe = recipe, .arch = model_folder_tiny_of(recipe->family)};
    if (recipe->has_panels)
        widen(&school->arch);
    if (recipe->is_wide) {
        school->arch.image_side = 16;
        school->arch.patch_side = 1;
    }
    if (recipe->kind == SOTTO_ADAPTER_LORA) {
        choice.rank = 2;
        choice.alpha = 3.0;
        choice.target_set = sotto_family_targets(recipe->family);
    }
    choice.label_count = school->arch.task == SOTTO_TASK_CAUSAL_LM ? 0 : LABELS;
    weights = model_folder_weights(&school->arch, 5);
    model_folder_open(&school->folder, &school->arch, weights);
    free(weights);
    assert_int_equal(sotto_layout_derive(&school->layout, &school->arch, &choice, NULL), SOTTO_OK);
    fill_examples(&school->dataset, &school->arch);
}

static void school_close(struct school *school)
{
    sotto_dataset_close(&school->dataset);
    model_folder_close(&school->folder);
}

/* What had crossed the wall when a step was done. */
struct diary {
    struct wall_tally steps[STEPS];
    size_t count;
};

static void note_step(void *context, size_t step, size_t step_count, double loss)
{
    struct diary *diary = context;

    (void)step;
    (void)loss;
    assert_int_equal(step_count, STEPS);
    diary->steps[diary->count++] = wall_tally();
}

/* All that comes of a model on one device. */
struct outcome {
    float *lanes; /* [lane_count] */
    float *gradient;
    float probabilities[64];
    double loss;
    struct sotto_fit_result fit;
    struct sotto_score score;
    struct diary diary;
};

static void train(struct outcome *outcome, const struct school *school,
                  struct sotto_trainer *trainer)
{
    const struct sotto_dataset *dataset = &school->dataset;
    struct sotto_fit fit = {.epochs = 2,
                            .batch = BATCH,
                            .learning_rate_start = 1e-2,
                            .learning_rate_end = 1e-3,
                            .weight_decay = 0.01,
                            .proximal = school->recipe->proximal,
                            .dropout = school->recipe->dropout,
                            .trained = SOTTO_TRAINED_ALL,
                            .seed = 3,
                            .progress = note_step,
                            .context = &outcome->diary};
    float *start = normal_floats(school->layout.lane_count, 0.3, 8);

    assert_int_equal(sotto_trainer_load(trainer, start, school->layout.lane_count), SOTTO_OK);
    assert_int_equal(sotto_trainer_fit(trainer, dataset, &fit, &outcome->fit), SOTTO_OK);
    sotto_trainer_save(trainer, outcome->lanes);
    assert_int_equal(sotto_trainer_evaluate(trainer, dataset, &outcome->score), SOTTO_OK);
    assert_int_equal(sotto_trainer_predict(trainer, outcome->probabilities, dataset, 2), SOTTO_OK);
    assert_int_equal(
        sotto_trainer_gradient(trainer, outcome->gradient, &outcome->loss, dataset, BATCH),
        SOTTO_OK);
    assert_memory_not_equal(outcome->lanes, start, school->layout.lane_count * sizeof *start);
    free(start);
}

static void outcome_open(struct outcome *outcome, const struct school *school,
                         const struct sotto_kernels *kernels)
{
    struct sotto_model *model;
    struct sotto_trainer *trainer;
    struct sotto_threads *threads = NULL;
    size_t lane_count = school->layout.lane_count;

    *outcome = (struct outcome){.lanes = calloc(lane_count, sizeof *outcome->lanes),
                                .gradient = calloc(lane_count, sizeof *outcome->gradient)};
    assert_true(outcome->lanes != NULL && outcome->gradient != NULL);
    assert_int_equal(
        sotto_model_open_on(&model, school->folder.path, kernels, school->recipe->weights, NULL),
        SOTTO_OK);
    if (school->recipe->width > 0 && kernels != NULL)
        assert_int_equal(sotto_threads_open(&threads, school->recipe->width), SOTTO_OK);
    assert_int_equal(sotto_trainer_open(&trainer, model, &school->layout, BATCH, threads, NULL),
                     SOTTO_OK);
    train(outcome, school, trainer);
    sotto_trainer_close(trainer);
    sotto_threads_close(threads);
    sotto_model_close(model);
}

static void outcome_close(struct outcome *outcome)
{
    free(outcome->lanes);
    free(outcome->gradient);
}

/* One look at the loss, after the last group; nothing else comes over, nothing is reserved. */
static void assert_diary(const struct diary *diary)
{
    assert_int_equal(diary->count, STEPS);
    for (size_t step = 1; step < STEPS; step++) {
        const struct wall_tally *before = &diary->steps[step - 1];
        const struct wall_tally *after = &diary->steps[step];

        assert_int_equal(after->loss_downloads, before->loss_downloads + 1);
        assert_int_equal(after->downloads, before->downloads);
        assert_int_equal(after->uploads, before->uploads);
        assert_int_equal(after->reserves, before->reserves);
        assert_int_equal(after->releases, before->releases);
        assert_true(after->launches > before->launches);
        assert_int_equal(after->launches_at_loss, after->launches);
    }
}

static void check(const struct recipe *recipe)
{
    struct school school;
    struct outcome plain, walled;

    school_open(&school, recipe);
    outcome_open(&plain, &school, NULL);
    outcome_open(&walled, &school, wall_kernels());
    assert_memory_equal(walled.lanes, plain.lanes, school.layout.lane_count * sizeof *plain.lanes);
    assert_memory_equal(walled.gradient, plain.gradient,
                        school.layout.lane_count * sizeof *plain.gradient);
    assert_memory_equal(walled.probabilities, plain.probabilities, sizeof plain.probabilities);
    assert_true(walled.fit.loss_first == plain.fit.loss_first && walled.loss == plain.loss);
    assert_true(walled.score.loss_mean == plain.score.loss_mean);
    assert_int_equal(walled.score.correct, plain.score.correct);
    assert_diary(&walled.diary);
    assert_int_equal(wall_bytes(), 0);
    outcome_close(&plain);
    outcome_close(&walled);
    school_close(&school);
}

static const enum sotto_family families[] = {SOTTO_FAMILY_VIT, SOTTO_FAMILY_DEIT, SOTTO_FAMILY_BERT,
                                             SOTTO_FAMILY_LLAMA};
enum { FAMILIES = sizeof families / sizeof families[0] };

static void device__lora_with_dropout_and_proximal__same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAMILIES; i++)
        check(&(struct recipe){.family = families[i], .dropout = 0.3, .proximal = 0.1});
}

static void device__norms_and_biases__same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAMILIES; i++)
        check(&(struct recipe){.family = families[i], .kind = SOTTO_ADAPTER_NORM_BIAS});
}

/* The rows below the adapters are kept over the epochs. */
static void device__adapters_in_the_top_block__same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < FAMILIES; i++)
        check(&(struct recipe){.family = families[i], .top_blocks = 1});
}

static void device__packed_weights__same_bits(void **state)
{
    static const enum sotto_weights weights[] = {SOTTO_WEIGHTS_FLOAT32, SOTTO_WEIGHTS_BFLOAT16};

    (void)state;
    for (size_t i = 0; i < 2 * FAMILIES; i++)
        check(&(struct recipe){
            .family = families[i / 2], .has_panels = true, .weights = weights[i % 2]});
}

static void device__three_threads__same_bits(void **state)
{
    (void)state;
    check(&(struct recipe){.family = SOTTO_FAMILY_VIT, .is_wide = true, .width = 3});
    check(
        &(struct recipe){.family = SOTTO_FAMILY_VIT, .is_wide = true, .width = 3, .top_blocks = 1});
}

/* Once they are adopted, the host's copy of the weights is nobody's. */
static void device__host_weights_spoilt__do_not_matter(void **state)
{
    const struct recipe recipe = {.family = SOTTO_FAMILY_BERT};
    struct school school;
    struct outcome outcome = {0};
    struct sotto_model *model;
    struct sotto_trainer *trainer;

    (void)state;
    school_open(&school, &recipe);
    outcome.lanes = calloc(school.layout.lane_count, sizeof *outcome.lanes);
    outcome.gradient = calloc(school.layout.lane_count, sizeof *outcome.gradient);
    assert_int_equal(sotto_model_open_on(&model, school.folder.path, wall_kernels(),
                                         SOTTO_WEIGHTS_FLOAT32, NULL),
                     SOTTO_OK);
    for (size_t i = 0; i < sotto_base_weight_count(&school.arch); i++)
        sotto_model_base(model)->weights[i] = NAN;
    assert_int_equal(sotto_trainer_open(&trainer, model, &school.layout, BATCH, NULL, NULL),
                     SOTTO_OK);
    train(&outcome, &school, trainer);
    assert_true(isfinite(outcome.score.loss_mean));
    sotto_trainer_close(trainer);
    sotto_model_close(model);
    outcome_close(&outcome);
    school_close(&school);
}

struct talk {
    uint32_t tokens[16];
    size_t count;
};

static enum sotto_status hear(void *context, uint32_t token)
{
    struct talk *talk = context;

    talk->tokens[talk->count++] = token;
    return SOTTO_OK;
}

static void talk_on(struct talk *talk, const struct school *school,
                    const struct sotto_kernels *kernels)
{
    const struct sotto_answer_rule rule = {
        .token_max = 12, .temperature = 1.5, .seed = 9, .say = hear, .context = talk};
    float *lanes = normal_floats(school->layout.lane_count, 0.3, 8);
    struct sotto_answerer *answerer;
    struct sotto_model *model;
    enum sotto_answer_end end;

    assert_int_equal(
        sotto_model_open_on(&model, school->folder.path, kernels, SOTTO_WEIGHTS_FLOAT32, NULL),
        SOTTO_OK);
    assert_int_equal(sotto_answerer_open(&answerer, model, &school->layout, lanes, NULL), SOTTO_OK);
    assert_int_equal(sotto_answerer_run(answerer, &end, school->dataset.tokens, lengths[0], &rule),
                     SOTTO_OK);
    assert_int_equal(end, SOTTO_ANSWER_CUT);
    sotto_answerer_close(answerer);
    sotto_model_close(model);
    free(lanes);
}

static void device__answer__same_tokens_and_one_download_each(void **state)
{
    const struct recipe recipe = {.family = SOTTO_FAMILY_LLAMA};
    struct talk plain = {.count = 0};
    struct talk walled = {.count = 0};
    struct school school;
    size_t before;

    (void)state;
    school_open(&school, &recipe);
    talk_on(&plain, &school, NULL);
    before = wall_tally().downloads;
    talk_on(&walled, &school, wall_kernels());
    assert_int_equal(walled.count, 12);
    assert_memory_equal(walled.tokens, plain.tokens, 12 * sizeof plain.tokens[0]);
    assert_int_equal(wall_tally().downloads, before + 12);
    assert_int_equal(wall_bytes(), 0);
    school_close(&school);
}

/* Weights of a small masked autoencoder after an epoch on one device. */
static float *pretrained(const struct sotto_kernels *kernels, double *loss)
{
    enum { PICTURES = 24 };
    static uint8_t pixels[PICTURES * SIDE * SIDE];
    struct sotto_dataset dataset = {
        .channels = 1, .side = SIDE, .count = PICTURES, .pixels = pixels};
    const struct sotto_pretrain_rule rule = {.epochs = 2,
                                             .batch = 8,
                                             .thread_count = 1,
                                             .shift_max = 1,
                                             .learning_rate = 1e-3,
                                             .warm_up = 0.1,
                                             .weight_decay = 0.05,
                                             .seed = 5,
                                             .pixel_map = {{1 / 255.0f, 0, 0}, {0, 0, 0}}};
    struct sotto_mae mae = {.kernels = kernels,
                            .arch = model_folder_tiny(),
                            .visible_count = 2,
                            .decoder_width = 8,
                            .decoder_blocks = 1,
                            .decoder_heads = 2};
    float *weights = calloc(sotto_mae_places(&mae).count, sizeof *weights);
    struct sotto_entropy entropy;

    sotto_entropy_init_seeded(&entropy, 6);
    sotto_entropy_fill(&entropy, pixels, sizeof pixels);
    assert_int_equal(sotto_pretrain_fit(weights, loss, &mae, &dataset, &rule, NULL), SOTTO_OK);
    return weights;
}

static void device__pretraining__same_bits(void **state)
{
    struct sotto_arch arch = model_folder_tiny();
    double losses[2];
    float *plain = pretrained(sotto_kernels_cpu(), &losses[0]);
    float *walled = pretrained(wall_kernels(), &losses[1]);

    (void)state;
    assert_memory_equal(plain, walled, sotto_base_weight_count(&arch) * sizeof *plain);
    assert_true(losses[0] == losses[1]);
    assert_int_equal(wall_bytes(), 0);
    free(plain);
    free(walled);
}

/* Without this the tests above would prove nothing. */
static void wall__host_that_looks__crashes(void **state)
{
    const float value = 1.0f;
    struct sotto_device_float *at =
        (struct sotto_device_float *)wall_kernels()->reserve(sizeof value);
    int status;
    pid_t child;

    (void)state;
    wall_kernels()->upload(at, &value, 1);
    child = fork();
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        (void)*(volatile float *)host_floats(at);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    wall_kernels()->release((struct sotto_device_memory *)at, sizeof value);
}

/* Every entry of the table is the wall's own: none lets the host's through. */
static void wall__table__has_no_entry_of_the_cpus(void **state)
{
    typedef void entry(void);
    enum { ENTRIES = sizeof(struct sotto_kernels) / sizeof(entry *) };
    entry *own[ENTRIES];
    entry *cpus[ENTRIES];

    (void)state;
    assert_int_equal(sizeof own, sizeof(struct sotto_kernels));
    memcpy(own, wall_kernels(), sizeof own);
    memcpy(cpus, sotto_kernels_cpu(), sizeof cpus);
    for (size_t i = 1; i < ENTRIES; i++)
        assert_true(own[i] != NULL && cpus[i] != NULL && own[i] != cpus[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wall__host_that_looks__crashes),
        cmocka_unit_test(wall__table__has_no_entry_of_the_cpus),
        cmocka_unit_test(device__lora_with_dropout_and_proximal__same_bits),
        cmocka_unit_test(device__norms_and_biases__same_bits),
        cmocka_unit_test(device__adapters_in_the_top_block__same_bits),
        cmocka_unit_test(device__packed_weights__same_bits),
        cmocka_unit_test(device__three_threads__same_bits),
        cmocka_unit_test(device__host_weights_spoilt__do_not_matter),
        cmocka_unit_test(device__answer__same_tokens_and_one_download_each),
        cmocka_unit_test(device__pretraining__same_bits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
