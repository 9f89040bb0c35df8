#include "models/trainer.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "models/arch/base.h"
#include "models/arch/vit.h"
#include "models/ops/cross_entropy.h"
#include "models/optim/adamw.h"

_Static_assert((int)SOTTO_TARGET_COUNT == (int)SOTTO_BLOCK_LINEAR_COUNT &&
                   (int)SOTTO_TARGET_QUERY == (int)SOTTO_BLOCK_QUERY &&
                   (int)SOTTO_TARGET_MLP_OUT == (int)SOTTO_BLOCK_MLP_OUT,
               "a target of a layout is a linear layer of a block");

/*
 * With the usual 1e-8 every lane moves by the learning rate in a round's first steps, however small
 * its gradient; over sites of skewed labels that noise drowns the mean delta.
 */
#define ADAM_EPSILON 1e-3

struct sotto_trainer {
    const struct sotto_model *model;
    struct sotto_layout layout;
    uint32_t batch_max;
    struct sotto_vit vit;
    struct sotto_vit_pass pass;
    struct sotto_linear head;
    struct sotto_arena memory; /* all below */
    float *lanes;              /* [lane_count], as the three after it */
    float *gradients;
    float *first_moment;
    float *second_moment;
    float *features;                    /* [batch_max, width] */
    float *features_gradient;           /* [batch_max, width] */
    float *logits;                      /* [batch_max, label_count] */
    float log_shares[SOTTO_LABELS_MAX]; /* of the labels while fitting, else 0 */
    const uint8_t **pictures;           /* [batch_max] */
    uint32_t *examples;                 /* [batch_max] their indices in the dataset */
    const float *known; /* [count, width] the dataset's features while a head alone is fitted */
    uint32_t *labels;   /* [batch_max] */
};

static bool fits(const struct sotto_layout *layout, const struct sotto_arch *arch)
{
    return layout->width == arch->width && layout->mlp_width == arch->mlp_width &&
           layout->block_count == arch->block_count;
}

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
    size_t batch = trainer->batch_max;
    size_t features = batch * trainer->layout.width;
    bool is_full = false;

    trainer->lanes = take(arena, &is_full, lanes, sizeof(float));
    trainer->gradients = take(arena, &is_full, lanes, sizeof(float));
    trainer->first_moment = take(arena, &is_full, lanes, sizeof(float));
    trainer->second_moment = take(arena, &is_full, lanes, sizeof(float));
    trainer->features = take(arena, &is_full, features, sizeof(float));
    trainer->features_gradient = take(arena, &is_full, features, sizeof(float));
    trainer->logits =
        take(arena, &is_full, batch * trainer->layout.choice.label_count, sizeof(float));
    trainer->pictures = take(arena, &is_full, batch, sizeof *trainer->pictures);
    trainer->examples = take(arena, &is_full, batch, sizeof *trainer->examples);
    trainer->labels = take(arena, &is_full, batch, sizeof *trainer->labels);
    if (is_full)
        return SOTTO_NO_MEMORY;
    return sotto_vit_pass_take(&trainer->pass, &trainer->vit, trainer->batch_max, arena);
}

static void bind_tensor(struct sotto_trainer *trainer, const struct sotto_layout_tensor *tensor)
{
    const struct sotto_adapter_choice *choice = &trainer->layout.choice;
    struct sotto_lora *lora = &trainer->vit.blocks[tensor->block].lora[tensor->target];
    float *lanes = trainer->lanes == NULL ? NULL : trainer->lanes + tensor->first;
    float *gradients = trainer->gradients == NULL ? NULL : trainer->gradients + tensor->first;

    switch (tensor->role) {
    case SOTTO_ROLE_LORA_A:
        lora->rank = choice->rank;
        lora->scale = (float)(choice->alpha / choice->rank);
        lora->a = lanes;
        lora->a_gradient = gradients;
        break;
    case SOTTO_ROLE_LORA_B:
        lora->b = lanes;
        lora->b_gradient = gradients;
        break;
    case SOTTO_ROLE_HEAD:
        trainer->head.in = tensor->columns;
        trainer->head.out = tensor->rows;
        trainer->head.weight = lanes;
        trainer->head.weight_gradient = gradients;
        break;
    case SOTTO_ROLE_HEAD_BIAS:
        trainer->head.bias = lanes;
        trainer->head.bias_gradient = gradients;
        break;
    }
}

/* Points every adapter at its lanes; without any yet, sets the ranks that memory depends on. */
static void bind_adapter(struct sotto_trainer *trainer)
{
    for (size_t i = 0; i < trainer->layout.tensor_count; i++)
        bind_tensor(trainer, &trainer->layout.tensors[i]);
}

static enum sotto_status open_memory(struct sotto_trainer *trainer)
{
    const struct sotto_base *base = sotto_model_base(trainer->model);
    struct sotto_arena counted;
    enum sotto_status status;

    trainer->vit = (struct sotto_vit){
        .kernels = sotto_model_kernels(trainer->model),
        .arch = &base->arch,
        .weights = base->weights,
        .pixel_map = base->pixel_map,
        .blocks = calloc(base->arch.block_count, sizeof *trainer->vit.blocks),
    };
    if (trainer->vit.blocks == NULL)
        return SOTTO_NO_MEMORY;
    sotto_vit_bind(&trainer->vit);
    bind_adapter(trainer);
    sotto_arena_init_counting(&counted);
    status = take_memory(trainer, &counted);
    if (status == SOTTO_OK)
        status = sotto_arena_open(&trainer->memory, counted.used);
    if (status == SOTTO_OK)
        status = take_memory(trainer, &trainer->memory);
    if (status == SOTTO_OK)
        bind_adapter(trainer);
    return status;
}

enum sotto_status sotto_trainer_open(struct sotto_trainer **trainer,
                                     const struct sotto_model *model,
                                     const struct sotto_layout *layout, uint32_t batch_max,
                                     struct sotto_fault *fault)
{
    struct sotto_trainer *opened;
    enum sotto_status status;

    assert(batch_max >= 1);
    *trainer = NULL;
    if (!fits(layout, sotto_model_arch(model)))
        return sotto_fault_set(fault, SOTTO_MISMATCH,
                               "the adapter is for a model of width %u, MLP width %u and %u blocks,"
                               " this one has %u, %u and %u: use the model it was made for",
                               layout->width, layout->mlp_width, layout->block_count,
                               sotto_model_arch(model)->width, sotto_model_arch(model)->mlp_width,
                               sotto_model_arch(model)->block_count);
    opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return sotto_fault_set(fault, SOTTO_NO_MEMORY, "no memory for a trainer");
    opened->model = model;
    opened->layout = *layout;
    opened->batch_max = batch_max;
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
    sotto_arena_close(&trainer->memory);
    free(trainer->vit.blocks);
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

/* Gathers the examples `order[0 .. count)`, or the first ones of the dataset from `first` on. */
static void gather(struct sotto_trainer *trainer, const struct sotto_dataset *dataset,
                   const uint32_t *order, size_t first, uint32_t count)
{
    size_t picture = (size_t)dataset->channels * dataset->side * dataset->side;

    for (uint32_t i = 0; i < count; i++) {
        size_t example = order == NULL ? first + i : order[first + i];

        trainer->pictures[i] = dataset->pixels + example * picture;
        trainer->examples[i] = (uint32_t)example;
        trainer->labels[i] = dataset->labels[example];
    }
}

/* Features of the gathered pictures: computed, or copied where they are known. */
static void see(struct sotto_trainer *trainer, uint32_t count)
{
    size_t width = trainer->layout.width;

    if (trainer->known == NULL) {
        sotto_vit_forward(&trainer->vit, &trainer->pass, trainer->features, trainer->pictures,
                          count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        memcpy(trainer->features + i * width, trainer->known + trainer->examples[i] * width,
               width * sizeof *trainer->features);
}

/* Logits of the gathered pictures. */
static struct sotto_matrix classify(struct sotto_trainer *trainer, uint32_t count)
{
    struct sotto_matrix logits =
        sotto_matrix_of(trainer->logits, count, trainer->layout.choice.label_count);
    struct sotto_matrix_view none = {NULL, 0, 0, 0};

    see(trainer, count);
    sotto_linear_forward(trainer->vit.kernels, &trainer->head, logits,
                         sotto_matrix_view_of(trainer->features, count, trainer->layout.width),
                         none);
    return logits;
}

/* Mean loss of the gathered batch; its gradient in trainer->gradients. */
static double differentiate(struct sotto_trainer *trainer, uint32_t count)
{
    const struct sotto_kernels *kernels = trainer->vit.kernels;
    size_t width = trainer->layout.width;
    struct sotto_matrix logits = classify(trainer, count);
    struct sotto_cross_entropy loss;

    for (size_t row = 0; row < count; row++)
        kernels->add(logits.at + row * logits.stride, trainer->log_shares, logits.columns);
    loss = sotto_cross_entropy_backward(kernels, logits, trainer->labels);
    memset(trainer->gradients, 0, trainer->layout.lane_count * sizeof *trainer->gradients);
    sotto_linear_backward(
        kernels, &trainer->head, sotto_matrix_of(trainer->features_gradient, count, width),
        sotto_matrix_read(logits), sotto_matrix_view_of(trainer->features, count, width));
    if (trainer->known == NULL)
        sotto_vit_backward(&trainer->vit, &trainer->pass, trainer->features_gradient);
    return loss.loss_sum / count;
}

static enum sotto_status check_examples(const struct sotto_trainer *trainer,
                                        const struct sotto_dataset *dataset, size_t batch)
{
    if (batch < 1 || batch > trainer->batch_max || dataset->count < 1)
        return SOTTO_OVER_LIMIT;
    if (dataset->channels != sotto_model_arch(trainer->model)->channels ||
        dataset->side != sotto_model_arch(trainer->model)->image_side)
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
    double mean;

    if (status != SOTTO_OK)
        return status;
    if (count > dataset->count)
        return SOTTO_OVER_LIMIT;
    gather(trainer, dataset, NULL, 0, (uint32_t)count);
    mean = differentiate(trainer, (uint32_t)count);
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
    size_t head = (size_t)(trainer->head.weight - trainer->lanes);
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
    double loss;

    gather(course->trainer, course->dataset, course->order, first, count);
    loss = differentiate(course->trainer, count);
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
    size_t width = trainer->layout.width;

    *known = malloc(dataset->count * width * sizeof **known);
    if (*known == NULL)
        return SOTTO_NO_MEMORY;
    for (size_t first = 0; first < dataset->count; first += trainer->batch_max) {
        size_t left = dataset->count - first;
        uint32_t count = left < trainer->batch_max ? (uint32_t)left : trainer->batch_max;

        gather(trainer, dataset, NULL, first, count);
        see(trainer, count);
        memcpy(*known + first * width, trainer->features, count * width * sizeof **known);
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
        struct sotto_cross_entropy loss;

        gather(trainer, dataset, NULL, first, count);
        loss = sotto_cross_entropy_backward(trainer->vit.kernels, classify(trainer, count),
                                            trainer->labels);
        loss_sum += loss.loss_sum;
        score->correct += loss.correct_count;
    }
    if (dataset->count > 0)
        score->loss_mean = loss_sum / (double)dataset->count;
}

void sotto_trainer_predict(struct sotto_trainer *trainer, const uint8_t *pixels,
                           float *probabilities)
{
    struct sotto_matrix logits;

    trainer->pictures[0] = pixels;
    logits = classify(trainer, 1);
    trainer->vit.kernels->softmax_rows(logits);
    memcpy(probabilities, logits.at, logits.columns * sizeof *probabilities);
}
