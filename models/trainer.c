#include "models/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "models/adapter/manifest.h"
#include "models/crew.h"
#include "models/kernels/kernels.h"
#include "models/optim/adamw.h"
#include "models/spans.h"

/*
 * With the usual 1e-8 every lane moves by the learning rate in a round's first steps, however small
 * its gradient; over sites of skewed labels that noise drowns the mean delta.
 */
#define ADAM_EPSILON 1e-3

struct sotto_trainer {
    const struct sotto_kernels *kernels;
    struct sotto_crew crew; /* over the layout and the lanes below */
    struct sotto_layout layout;
    struct sotto_workspace memory;    /* all below */
    struct sotto_device_float *lanes; /* [lane_count], as the three after it */
    struct sotto_device_float *gradients;
    struct sotto_moments moments;
    struct sotto_device_float *log_shares; /* [label_count] while fitting, else 0 */
    struct sotto_device_loss *loss;
    float *landed; /* [lane_count] lanes that came back from the device */
};

/* Run once over a counting workspace for the size. */
static bool take_memory(struct sotto_trainer *trainer, struct sotto_workspace *workspace)
{
    struct sotto_device_arena *device = &workspace->device;
    size_t lanes = trainer->layout.lane_count;

    trainer->landed = sotto_arena_take(&workspace->host, lanes, sizeof *trainer->landed);
    return (trainer->landed != NULL || workspace->host.counting) &&
           sotto_device_floats_take(&trainer->lanes, device, lanes) &&
           sotto_device_floats_take(&trainer->gradients, device, lanes) &&
           sotto_device_floats_take(&trainer->moments.first, device, lanes) &&
           sotto_device_floats_take(&trainer->moments.second, device, lanes) &&
           sotto_device_floats_take(&trainer->log_shares, device,
                                    trainer->layout.choice.label_count) &&
           sotto_device_losses_take(&trainer->loss, device, 1);
}

static enum sotto_status open_memory(struct sotto_trainer *trainer)
{
    struct sotto_workspace counted;
    enum sotto_status status;

    sotto_workspace_init_counting(&counted);
    take_memory(trainer, &counted);
    status = sotto_workspace_open(&trainer->memory, trainer->kernels, &counted);
    if (status == SOTTO_OK && !take_memory(trainer, &trainer->memory))
        status = SOTTO_NO_MEMORY;
    return status;
}

static enum sotto_status open_crew(struct sotto_trainer *trainer, const struct sotto_model *model,
                                   uint32_t batch_max, struct sotto_threads *threads)
{
    trainer->crew = (struct sotto_crew){
        .workshop = {.model = model, .layout = &trainer->layout, .lanes = trainer->lanes},
        .batch_max = batch_max,
        .threads = threads,
        .gradients = trainer->gradients,
        .loss = trainer->loss,
        .log_shares = trainer->log_shares,
    };
    return sotto_crew_open(&trainer->crew);
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
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a trainer");
    opened->kernels = sotto_model_kernels(model);
    opened->layout = *layout;
    status = open_memory(opened);
    if (status == SOTTO_OK)
        status = open_crew(opened, model, batch_max, threads);
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
    sotto_crew_close(&trainer->crew);
    sotto_workspace_close(&trainer->memory);
    free(trainer);
}

enum sotto_status sotto_trainer_load(struct sotto_trainer *trainer, const float *lanes,
                                     size_t lane_count)
{
    if (lane_count != trainer->layout.lane_count)
        return SOTTO_MISMATCH;
    if (sotto_manifest_check_lanes(lanes, &trainer->layout, NULL) != SOTTO_OK)
        return SOTTO_MALFORMED;
    trainer->kernels->upload(trainer->lanes, lanes, lane_count);
    return SOTTO_OK;
}

void sotto_trainer_save(const struct sotto_trainer *trainer, float *lanes)
{
    trainer->kernels->download(lanes, trainer->lanes, trainer->layout.lane_count);
}

static double mean_of(const struct sotto_batch_sums *sums)
{
    return sums->target_count > 0 ? sums->loss_sum / (double)sums->target_count : 0.0;
}

/* Whether the loss can be taken: every label known, or answers that say what to learn. */
static bool is_learnable(const struct sotto_trainer *trainer, const struct sotto_dataset *dataset)
{
    bool is_known = dataset->is_answer == NULL;

    if (sotto_model_arch(trainer->crew.workshop.model)->task == SOTTO_TASK_CAUSAL_LM)
        return dataset->is_answer != NULL;
    for (size_t i = 0; i < dataset->count && is_known; i++)
        is_known = dataset->labels[i] < trainer->layout.choice.label_count;
    return is_known;
}

static enum sotto_status check_examples(struct sotto_trainer *trainer,
                                        const struct sotto_dataset *dataset, size_t batch)
{
    if (batch < 1 || batch > trainer->crew.batch_max || dataset->count < 1)
        return SOTTO_OVER_LIMIT;
    if (!is_learnable(trainer, dataset))
        return SOTTO_MISMATCH;
    return sotto_crew_prepare(&trainer->crew, dataset);
}

enum sotto_status sotto_trainer_gradient(struct sotto_trainer *trainer, float *gradient,
                                         double *loss, const struct sotto_dataset *dataset,
                                         size_t count)
{
    enum sotto_status status = check_examples(trainer, dataset, count);
    struct sotto_batch batch = {dataset, NULL, 0, (uint32_t)count};
    struct sotto_batch_sums sums;

    if (status != SOTTO_OK)
        return status;
    if (count > dataset->count)
        return SOTTO_OVER_LIMIT;
    sums = sotto_crew_differentiate(&trainer->crew, &batch);
    if (!isfinite(mean_of(&sums)))
        return SOTTO_MALFORMED;
    *loss = mean_of(&sums);
    trainer->kernels->download(gradient, trainer->gradients, trainer->layout.lane_count);
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
    /* [lane_count] the adapter before the first step; NULL: no proximal term */
    struct sotto_device_float *start;
    struct sotto_device_arena start_memory;
    struct sotto_adamw_span *spans;
    size_t span_count;
    size_t step_count;
};

static void update(struct course *course)
{
    struct sotto_trainer *trainer = course->trainer;
    const struct sotto_fit *fit = course->fit;
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

    if (course->start != NULL)
        trainer->kernels->pull(trainer->gradients, trainer->lanes, course->start,
                               (float)fit->proximal, trainer->layout.lane_count);
    sotto_adamw_step(&course->adamw, trainer->lanes, trainer->gradients, &rule, course->spans,
                     course->span_count);
}

static enum sotto_status fit_batch(struct course *course, size_t first, uint32_t count)
{
    struct sotto_fit_result *result = course->result;
    struct sotto_batch batch = {course->dataset, course->order, first, count};
    struct sotto_batch_sums sums;
    double loss;

    if (course->fit->dropout > 0)
        sotto_crew_drop(&course->trainer->crew, course->fit->seed, result->step_count);
    sums = sotto_crew_differentiate(&course->trainer->crew, &batch);
    loss = mean_of(&sums);

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

static enum sotto_status fit_epochs(struct course *course)
{
    struct sotto_trainer *trainer = course->trainer;
    const struct sotto_fit *fit = course->fit;
    enum sotto_status status = SOTTO_OK;
    struct sotto_entropy entropy;

    sotto_adamw_init(&course->adamw, trainer->kernels, trainer->moments,
                     trainer->layout.lane_count);
    sotto_entropy_init_seeded(&entropy, fit->seed);
    for (uint32_t epoch = 0; epoch < fit->epochs && status == SOTTO_OK; epoch++)
        status = fit_epoch(course, &entropy);
    if (status != SOTTO_OK)
        return status;
    sotto_trainer_save(trainer, trainer->landed);
    return sotto_manifest_check_lanes(trainer->landed, &trainer->layout, NULL);
}

/* The adapter as it is now, for the proximal term. */
static enum sotto_status keep_start(struct course *course)
{
    const struct sotto_trainer *trainer = course->trainer;
    size_t lane_count = trainer->layout.lane_count;

    if (sotto_device_arena_open(&course->start_memory, trainer->kernels,
                                lane_count * sizeof *course->start) != SOTTO_OK ||
        !sotto_device_floats_take(&course->start, &course->start_memory, lane_count))
        return SOTTO_NO_MEMORY;
    trainer->kernels->copy(course->start, trainer->lanes, lane_count);
    return SOTTO_OK;
}

/* The labels' shares, which the logits are shifted by while fitting. */
static void shift_logits(struct course *course)
{
    const struct sotto_trainer *trainer = course->trainer;
    float shares[SOTTO_LABELS_MAX];

    sotto_dataset_log_shares(shares, course->dataset, trainer->layout.choice.label_count);
    trainer->kernels->upload(trainer->log_shares, shares, trainer->layout.choice.label_count);
}

/* All that a fit takes, before its first step. */
static enum sotto_status course_open(struct course *course)
{
    struct sotto_trainer *trainer = course->trainer;
    const struct sotto_layout *layout = &trainer->layout;
    const struct sotto_fit *fit = course->fit;

    course->order = malloc(course->dataset->count * sizeof *course->order);
    course->spans = malloc(layout->tensor_count * sizeof *course->spans);
    if (course->order == NULL || course->spans == NULL)
        return SOTTO_NO_MEMORY;
    if (fit->proximal > 0 && keep_start(course) != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    course->span_count = sotto_spans_of(course->spans, layout, fit->trained, fit->weight_decay);
    if (sotto_crew_train(&trainer->crew, fit->trained, fit->dropout) != SOTTO_OK)
        return SOTTO_NO_MEMORY;
    shift_logits(course);
    return sotto_crew_know(&trainer->crew, course->dataset);
}

/* The crew computes all again. The status is what came before, or that of this. */
static enum sotto_status course_close(struct course *course, enum sotto_status status)
{
    struct sotto_trainer *trainer = course->trainer;
    struct sotto_crew *crew = &trainer->crew;
    enum sotto_status after = sotto_crew_train(crew, SOTTO_TRAINED_ALL, 0);

    if (!course->fit->keeps_rows || status != SOTTO_OK)
        sotto_crew_forget(crew);
    free(course->order);
    free(course->spans);
    sotto_device_arena_close(&course->start_memory);
    trainer->kernels->clear(trainer->log_shares, trainer->layout.choice.label_count);
    return status == SOTTO_OK ? after : status;
}

enum sotto_status sotto_trainer_fit(struct sotto_trainer *trainer,
                                    const struct sotto_dataset *dataset,
                                    const struct sotto_fit *fit, struct sotto_fit_result *result)
{
    struct course course = {.trainer = trainer, .dataset = dataset, .fit = fit, .result = result};
    enum sotto_status status = check_examples(trainer, dataset, fit->batch);

    *result = (struct sotto_fit_result){0};
    if (status != SOTTO_OK)
        return status;
    course.step_count = fit->epochs * ((dataset->count + fit->batch - 1) / fit->batch);
    status = course_open(&course);
    if (status == SOTTO_OK)
        status = fit_epochs(&course);
    return course_close(&course, status);
}

void sotto_trainer_forget(struct sotto_trainer *trainer)
{
    sotto_crew_forget(&trainer->crew);
}

enum sotto_status sotto_trainer_evaluate(struct sotto_trainer *trainer,
                                         const struct sotto_dataset *dataset,
                                         struct sotto_score *score)
{
    uint32_t batch_max = trainer->crew.batch_max;
    struct sotto_batch_sums all = {0};
    enum sotto_status status = is_learnable(trainer, dataset)
                                   ? sotto_crew_prepare(&trainer->crew, dataset)
                                   : SOTTO_MISMATCH;

    *score = (struct sotto_score){0};
    for (size_t first = 0; first < dataset->count && status == SOTTO_OK; first += batch_max) {
        size_t left = dataset->count - first;
        struct sotto_batch batch = {dataset, NULL, first,
                                    left < batch_max ? (uint32_t)left : batch_max};
        struct sotto_batch_sums sums = sotto_crew_score(&trainer->crew, &batch);

        all.target_count += sums.target_count;
        all.loss_sum += sums.loss_sum;
        all.correct_count += sums.correct_count;
    }
    if (status == SOTTO_OK)
        *score = (struct sotto_score){all.target_count, all.correct_count, mean_of(&all)};
    return status;
}

enum sotto_status sotto_trainer_predict(struct sotto_trainer *trainer, float *probabilities,
                                        const struct sotto_dataset *dataset, size_t example)
{
    struct sotto_batch one = {dataset, NULL, example, 1};
    enum sotto_status status = sotto_crew_prepare(&trainer->crew, dataset);

    if (status == SOTTO_OK)
        sotto_crew_predict(&trainer->crew, probabilities, &one);
    return status;
}
