#include "models/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/threads/threads.h"
#include "models/arch/base.h"
#include "models/optim/adamw.h"
#include "models/worker.h"

/*
 * With the usual 1e-8 every lane moves by the learning rate in a round's first steps, however small
 * its gradient; over sites of skewed labels that noise drowns the mean delta.
 */
#define ADAM_EPSILON 1e-3

struct sotto_trainer {
    struct sotto_workshop workshop; /* over the layout and the lanes below */
    struct sotto_layout layout;
    uint32_t batch_max;
    struct sotto_threads *threads; /* borrowed; NULL: one worker, on the caller's thread */
    struct sotto_worker *workers;  /* [sotto_threads_width] */
    struct sotto_arena memory;     /* all below, and the workers' */
    float *lanes;                  /* [lane_count], as the three after it */
    float *gradients;
    float *first_moment;
    float *second_moment;
    uint32_t *examples;                 /* [batch_max] of a batch, their indices in the dataset */
    float log_shares[SOTTO_LABELS_MAX]; /* of the labels while fitting, else 0 */
    const float *known; /* [count, width] the dataset's features while a head alone is fitted */
};

static void *take(struct sotto_arena *arena, bool *is_full, size_t count, size_t size)
{
    void *taken = sotto_arena_take(arena, count, size);

    *is_full = *is_full || (taken == NULL && !arena->counting);
    return taken;
}

/* Everything that training touches, from one arena; run once over a counting one for the size. */
static enum sotto_status take_memory(struct sotto_trainer *trainer, struct sotto_arena *arena)
{
    size_t lanes = trainer->layout.lane_count;
    bool is_full = false;
    enum sotto_status status = SOTTO_OK;

    trainer->lanes = take(arena, &is_full, lanes, sizeof(float));
    trainer->gradients = take(arena, &is_full, lanes, sizeof(float));
    trainer->first_moment = take(arena, &is_full, lanes, sizeof(float));
    trainer->second_moment = take(arena, &is_full, lanes, sizeof(float));
    trainer->examples = take(arena, &is_full, trainer->batch_max, sizeof *trainer->examples);
    if (is_full)
        return SOTTO_NO_MEMORY;
    trainer->workshop.lanes = trainer->lanes;
    for (uint32_t i = 0; i < sotto_threads_width(trainer->threads) && status == SOTTO_OK; i++) {
        sotto_worker_close(&trainer->workers[i]);
        status = sotto_worker_open(&trainer->workers[i], &trainer->workshop, arena);
    }
    return status;
}

static enum sotto_status open_memory(struct sotto_trainer *trainer)
{
    struct sotto_arena counted;
    enum sotto_status status;

    trainer->workers = calloc(sotto_threads_width(trainer->threads), sizeof *trainer->workers);
    if (trainer->workers == NULL)
        return SOTTO_NO_MEMORY;
    sotto_arena_init_counting(&counted);
    status = take_memory(trainer, &counted);
    if (status == SOTTO_OK)
        status = sotto_arena_open(&trainer->memory, counted.used);
    if (status == SOTTO_OK)
        status = take_memory(trainer, &trainer->memory);
    return status;
}

static uint32_t least(uint32_t left, uint32_t right)
{
    return left < right ? left : right;
}

enum sotto_status sotto_trainer_open(struct sotto_trainer **trainer,
                                     const struct sotto_model *model,
                                     const struct sotto_layout *layout, uint32_t batch_max,
                                     struct sotto_threads *threads, struct sotto_fault *fault)
{
    struct sotto_trainer *opened;
    enum sotto_status status;

    assert(batch_max >= 1);
    *trainer = NULL;
    status = sotto_layout_check_arch(layout, sotto_model_arch(model), fault);
    if (status != SOTTO_OK)
        return status;
    if (layout->choice.kind != SOTTO_ADAPTER_LORA)
        return sotto_fault_set(fault, SOTTO_UNSUPPORTED,
                               "norms and biases cannot be trained here: choose LoRA");
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a trainer");
    opened->layout = *layout;
    opened->batch_max = batch_max;
    opened->threads = threads;
    opened->workshop = (struct sotto_workshop){
        .model = model,
        .layout = &opened->layout,
        .example_max = least(batch_max, sotto_group_example_max(sotto_model_arch(model)))};
    status = open_memory(opened);
    if (status != SOTTO_OK) {
        sotto_trainer_close(opened);
        return sotto_fault_set(fault, status,
                               "no memory to train with batches of %u: make the batch smaller",
                               batch_max);
    }
    *trainer = opened;
    return SOTTO_OK;
}

void sotto_trainer_close(struct sotto_trainer *trainer)
{
    if (trainer == NULL)
        return;
    for (uint32_t i = 0; i < sotto_threads_width(trainer->threads) && trainer->workers != NULL; i++)
        sotto_worker_close(&trainer->workers[i]);
    sotto_arena_close(&trainer->memory);
    free(trainer->workers);
    free(trainer);
}

static bool are_finite(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            return false;
    }
    return true;
}

enum sotto_status sotto_trainer_load(struct sotto_trainer *trainer, const float *lanes,
                                     size_t lane_count)
{
    if (lane_count != trainer->layout.lane_count)
        return SOTTO_MISMATCH;
    if (!are_finite(lanes, lane_count))
        return SOTTO_MALFORMED;
    memcpy(trainer->lanes, lanes, lane_count * sizeof *lanes);
    return SOTTO_OK;
}

void sotto_trainer_save(const struct sotto_trainer *trainer, float *lanes)
{
    memcpy(lanes, trainer->lanes, trainer->layout.lane_count * sizeof *lanes);
}

/* One pass over a batch, whose examples are in trainer->examples. */
struct sweep {
    struct sotto_trainer *trainer;
    const struct sotto_dataset *dataset;
    uint32_t count;
    struct sotto_cross_entropy sums; /* over the groups so far, in their order */
    float *features;                 /* [count, width] what sweep_see fills */
};

/* The examples `order[first .. first + count)`, or those of the dataset itself from `first` on. */
static struct sweep sweep_of(struct sotto_trainer *trainer, const struct sotto_dataset *dataset,
                             const uint32_t *order, size_t first, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        trainer->examples[i] = order == NULL ? (uint32_t)(first + i) : order[first + i];
    return (struct sweep){.trainer = trainer, .dataset = dataset, .count = count};
}

static struct sotto_group group_of(const struct sweep *sweep, size_t task)
{
    const struct sotto_trainer *trainer = sweep->trainer;
    uint32_t size = trainer->workshop.example_max;
    uint32_t first = (uint32_t)task * size;

    return (struct sotto_group){.dataset = sweep->dataset,
                                .examples = trainer->examples + first,
                                .count = least(size, sweep->count - first),
                                .known = trainer->known,
                                .log_shares = trainer->log_shares,
                                .weight = 1.0f / (float)sweep->count};
}

static void run(struct sweep *sweep, void (*work)(void *, size_t, uint32_t),
                void (*after)(void *, size_t, uint32_t))
{
    struct sotto_threads_job job = {work, after, sweep};
    uint32_t size = sweep->trainer->workshop.example_max;

    sotto_threads_run(sweep->trainer->threads, &job, (sweep->count + size - 1) / size);
}

static void sweep_see(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_trainer *trainer = sweep->trainer;
    struct sotto_group group = group_of(sweep, task);
    size_t width = trainer->layout.base.width;

    sotto_worker_see(&trainer->workers[worker], &group);
    memcpy(sweep->features + task * trainer->workshop.example_max * width,
           trainer->workers[worker].features, group.count * width * sizeof *sweep->features);
}

static void sweep_score(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_group group = group_of(sweep, task);

    sotto_worker_score(&sweep->trainer->workers[worker], &group);
}

static void sweep_differentiate(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_group group = group_of(sweep, task);

    sotto_worker_differentiate(&sweep->trainer->workers[worker], &group);
}

static void add_loss(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    const struct sotto_cross_entropy *loss = &sweep->trainer->workers[worker].loss;

    (void)task;
    sweep->sums.loss_sum += loss->loss_sum;
    sweep->sums.correct_count += loss->correct_count;
}

static void add_gradients(void *context, size_t task, uint32_t worker)
{
    struct sweep *sweep = context;
    struct sotto_trainer *trainer = sweep->trainer;

    add_loss(context, task, worker);
    trainer->workers[worker].vit.kernels->add(
        trainer->gradients, trainer->workers[worker].gradients, trainer->layout.lane_count);
}

/* Mean loss of the batch; its gradient in trainer->gradients. */
static double differentiate(struct sweep *sweep)
{
    struct sotto_trainer *trainer = sweep->trainer;

    memset(trainer->gradients, 0, trainer->layout.lane_count * sizeof *trainer->gradients);
    run(sweep, sweep_differentiate, add_gradients);
    return sweep->sums.loss_sum / sweep->count;
}

static enum sotto_status check_examples(const struct sotto_trainer *trainer,
                                        const struct sotto_dataset *dataset, size_t batch)
{
    if (batch < 1 || batch > trainer->batch_max || dataset->count < 1)
        return SOTTO_OVER_LIMIT;
    if (dataset->channels != sotto_model_arch(trainer->workshop.model)->channels ||
        dataset->side != sotto_model_arch(trainer->workshop.model)->image_side)
        return SOTTO_MISMATCH;
    for (size_t i = 0; i < dataset->count; i++) {
        if (dataset->labels[i] >= trainer->layout.choice.label_count)
            return SOTTO_MISMATCH;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_trainer_gradient(struct sotto_trainer *trainer, float *gradient,
                                         double *loss, const struct sotto_dataset *dataset,
                                         size_t count)
{
    enum sotto_status status = check_examples(trainer, dataset, count);
    struct sweep sweep;
    double mean;

    if (status != SOTTO_OK)
        return status;
    if (count > dataset->count)
        return SOTTO_OVER_LIMIT;
    sweep = sweep_of(trainer, dataset, NULL, 0, (uint32_t)count);
    mean = differentiate(&sweep);
    if (!isfinite(mean))
        return SOTTO_MALFORMED;
    *loss = mean;
    memcpy(gradient, trainer->gradients, trainer->layout.lane_count * sizeof *gradient);
    return SOTTO_OK;
}

/* Fisher-Yates from the identity. */
static void shuffle(uint32_t *order, size_t count, struct sotto_entropy *entropy)
{
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)sotto_entropy_below(entropy, i);
        uint32_t kept = order[i - 1];

        order[i - 1] = order[other];
        order[other] = kept;
    }
}

/* One fit: where it stands. */
struct course {
    struct sotto_trainer *trainer;
    const struct sotto_dataset *dataset;
    const struct sotto_fit *fit;
    struct sotto_fit_result *result;
    struct sotto_adamw adamw;
    uint32_t *order;
    size_t step_count;
};

/* Lanes before the head are A and B, which decay. */
static void update(struct course *course)
{
    struct sotto_trainer *trainer = course->trainer;
    const struct sotto_fit *fit = course->fit;
    size_t lane_count = trainer->layout.lane_count;
    size_t head = (size_t)(trainer->workers[0].head.weight - trainer->lanes);
    const struct sotto_adamw_span spans[] = {{0, head, fit->weight_decay},
                                             {head, lane_count - head, 0.0}};
    double done = course->step_count > 1
                      ? (double)course->adamw.step_count / (double)(course->step_count - 1)
                      : 0.0;
    struct sotto_adamw_rule rule = {
        .learning_rate =
            fit->learning_rate_start + (fit->learning_rate_end - fit->learning_rate_start) * done,
        .beta1 = 0.9,
        .beta2 = 0.999,
        .epsilon = ADAM_EPSILON,
    };

    sotto_adamw_step(&course->adamw, trainer->lanes, trainer->gradients, &rule, spans, 2);
}

static enum sotto_status fit_batch(struct course *course, size_t first, uint32_t count)
{
    struct sotto_fit_result *result = course->result;
    struct sweep sweep = sweep_of(course->trainer, course->dataset, course->order, first, count);
    double loss = differentiate(&sweep);

    if (!isfinite(loss))
        return SOTTO_MALFORMED;
    update(course);
    if (result->step_count == 0)
        result->loss_first = loss;
    result->loss_last = loss;
    result->step_count++;
    if (course->fit->progress != NULL)
        course->fit->progress(course->fit->context, result->step_count, course->step_count, loss);
    return SOTTO_OK;
}

static enum sotto_status fit_epoch(struct course *course, struct sotto_entropy *entropy)
{
    size_t total = course->dataset->count;
    size_t batch = course->fit->batch;
    struct sotto_entropy own;
    enum sotto_status status = SOTTO_OK;

    sotto_entropy_fork(&own, entropy);
    shuffle(course->order, total, &own);
    for (size_t first = 0; first < total && status == SOTTO_OK; first += batch)
        status =
            fit_batch(course, first, (uint32_t)(total - first < batch ? total - first : batch));
    return status;
}

/* The base is frozen: under a head alone, an example's features are the same in every epoch. */
static enum sotto_status know_features(struct sotto_trainer *trainer, float **known,
                                       const struct sotto_dataset *dataset)
{
    size_t width = trainer->layout.base.width;

    *known = malloc(dataset->count * width * sizeof **known);
    if (*known == NULL)
        return SOTTO_NO_MEMORY;
    for (size_t first = 0; first < dataset->count; first += trainer->batch_max) {
        size_t left = dataset->count - first;
        uint32_t count = left < trainer->batch_max ? (uint32_t)left : trainer->batch_max;
        struct sweep sweep = sweep_of(trainer, dataset, NULL, first, count);

        sweep.features = *known + first * width;
        run(&sweep, sweep_see, NULL);
    }
    trainer->known = *known;
    return SOTTO_OK;
}

static enum sotto_status fit_epochs(struct course *course)
{
    struct sotto_trainer *trainer = course->trainer;
    const struct sotto_fit *fit = course->fit;
    enum sotto_status status = SOTTO_OK;
    struct sotto_entropy entropy;

    sotto_adamw_init(&course->adamw, trainer->first_moment, trainer->second_moment,
                     trainer->layout.lane_count);
    sotto_entropy_init_seeded(&entropy, fit->seed);
    for (uint32_t epoch = 0; epoch < fit->epochs && status == SOTTO_OK; epoch++)
        status = fit_epoch(course, &entropy);
    if (status == SOTTO_OK && !are_finite(trainer->lanes, trainer->layout.lane_count))
        status = SOTTO_MALFORMED;
    return status;
}

enum sotto_status sotto_trainer_fit(struct sotto_trainer *trainer,
                                    const struct sotto_dataset *dataset,
                                    const struct sotto_fit *fit, struct sotto_fit_result *result)
{
    struct course course = {trainer, dataset, fit, result, {0}, NULL, 0};
    enum sotto_status status = check_examples(trainer, dataset, fit->batch);
    float *known = NULL;

    *result = (struct sotto_fit_result){0};
    if (status != SOTTO_OK)
        return status;
    course.step_count = fit->epochs * ((dataset->count + fit->batch - 1) / fit->batch);
    course.order = malloc(dataset->count * sizeof *course.order);
    if (course.order == NULL)
        return SOTTO_NO_MEMORY;
    if (trainer->layout.choice.rank == 0)
        status = know_features(trainer, &known, dataset);
    sotto_dataset_log_shares(trainer->log_shares, dataset, trainer->layout.choice.label_count);
    if (status == SOTTO_OK)
        status = fit_epochs(&course);
    memset(trainer->log_shares, 0, sizeof trainer->log_shares);
    trainer->known = NULL;
    free(known);
    free(course.order);
    return status;
}

void sotto_trainer_evaluate(struct sotto_trainer *trainer, const struct sotto_dataset *dataset,
                            struct sotto_score *score)
{
    double loss_sum = 0.0;

    *score = (struct sotto_score){.count = dataset->count};
    for (size_t first = 0; first < dataset->count; first += trainer->batch_max) {
        size_t left = dataset->count - first;
        uint32_t count = left < trainer->batch_max ? (uint32_t)left : trainer->batch_max;
        struct sweep sweep = sweep_of(trainer, dataset, NULL, first, count);

        run(&sweep, sweep_score, add_loss);
        loss_sum += sweep.sums.loss_sum;
        score->correct += sweep.sums.correct_count;
    }
    if (dataset->count > 0)
        score->loss_mean = loss_sum / (double)dataset->count;
}

void sotto_trainer_predict(struct sotto_trainer *trainer, const uint8_t *pixels,
                           float *probabilities)
{
    struct sotto_picture_form form = sotto_model_picture_form(trainer->workshop.model);
    const struct sotto_dataset one = {
        .channels = form.channels, .side = form.side, .count = 1, .pixels = (uint8_t *)pixels};
    struct sweep sweep = sweep_of(trainer, &one, NULL, 0, 1);
    struct sotto_group group = group_of(&sweep, 0);
    struct sotto_matrix logits = sotto_worker_classify(&trainer->workers[0], &group);

    trainer->workers[0].vit.kernels->softmax_rows(logits);
    memcpy(probabilities, logits.at, logits.columns * sizeof *probabilities);
}
