#include "simulations/baseline.h"

#include <stdlib.h>
#include <string.h>

static struct sotto_fit fit_of(const struct sotto_scenario *scenario, uint64_t seed)
{
    return (struct sotto_fit){.epochs = scenario->epochs * scenario->rounds,
                              .batch = scenario->batch,
                              .learning_rate_start = scenario->learning_rate,
                              .learning_rate_end = 0.05 * scenario->learning_rate,
                              .weight_decay = scenario->weight_decay,
                              .seed = seed};
}

static enum sotto_status accuracy_mean_of(const struct sotto_training_crew *crew,
                                          const struct sotto_training_task *tasks, size_t count,
                                          const struct sotto_dataset *held_out, double *mean,
                                          struct sotto_fault *fault)
{
    struct sotto_score score;
    enum sotto_status status = SOTTO_OK;

    *mean = 0;
    for (size_t i = 0; i < count && status == SOTTO_OK; i++) {
        status = sotto_training_score(crew, tasks[i].trained, held_out, &score, fault);
        if (status == SOTTO_OK)
            *mean += (double)score.correct / (double)score.count / (double)count;
    }
    return status;
}

/* A head alone: rank 0. */
static enum sotto_status head_layout(struct sotto_layout *layout, const struct sotto_world *world,
                                     struct sotto_fault *fault)
{
    struct sotto_adapter_choice choice = world->layout.choice;

    choice.kind = SOTTO_ADAPTER_LORA;
    choice.rank = 0;
    choice.target_set = 0;
    return sotto_layout_derive(layout, sotto_model_arch(world->model), &choice, fault);
}

enum sotto_status sotto_baseline_alone(const struct sotto_world *world,
                                       const struct sotto_dataset *held_out, double *accuracy_mean,
                                       struct sotto_fault *fault)
{
    const struct sotto_scenario *scenario = world->scenario;
    size_t count =
        scenario->alone_sites < scenario->sites ? scenario->alone_sites : scenario->sites;
    struct sotto_layout *layout = malloc(sizeof *layout);
    struct sotto_training_task *tasks = calloc(count, sizeof *tasks);
    float *lanes = NULL;
    struct sotto_training_crew crew = world->crew;
    enum sotto_status status =
        layout != NULL && tasks != NULL ? head_layout(layout, world, fault) : SOTTO_NO_MEMORY;

    crew.layout = layout;
    if (status == SOTTO_OK)
        lanes = calloc((count + 1) * layout->lane_count, sizeof *lanes);
    if (status == SOTTO_OK && lanes == NULL)
        status = SOTTO_NO_MEMORY;
    for (size_t i = 0; i < count && status == SOTTO_OK; i++)
        tasks[i] = (struct sotto_training_task){.start = lanes,
                                                .dataset = &world->sites[i].dataset,
                                                .fit = fit_of(scenario, scenario->seed + i),
                                                .trained = lanes + (i + 1) * layout->lane_count};
    if (status == SOTTO_OK)
        status = sotto_training_run(&crew, tasks, count, fault);
    if (status == SOTTO_OK)
        status = accuracy_mean_of(&crew, tasks, count, held_out, accuracy_mean, fault);
    free(lanes);
    free(tasks);
    free(layout);
    return status;
}

/* Everybody's examples, site after site. */
static enum sotto_status pooled_open(struct sotto_dataset *pooled, const struct sotto_world *world)
{
    const struct sotto_dataset *first = &world->sites[0].dataset;
    size_t picture_bytes = (size_t)first->channels * first->side * first->side;
    size_t count = 0;

    for (uint32_t i = 0; i < world->scenario->sites; i++)
        count += world->sites[i].dataset.count;
    *pooled = *first;
    pooled->pixels = malloc(count * picture_bytes);
    pooled->labels = malloc(count * sizeof *pooled->labels);
    pooled->count = 0;
    if (pooled->pixels == NULL || pooled->labels == NULL) {
        sotto_dataset_close(pooled);
        return SOTTO_NO_MEMORY;
    }
    for (uint32_t i = 0; i < world->scenario->sites; i++) {
        const struct sotto_dataset *own = &world->sites[i].dataset;

        memcpy(pooled->pixels + pooled->count * picture_bytes, own->pixels,
               own->count * picture_bytes);
        memcpy(pooled->labels + pooled->count, own->labels, own->count * sizeof *own->labels);
        pooled->count += own->count;
    }
    return SOTTO_OK;
}

enum sotto_status sotto_baseline_pooled(const struct sotto_world *world,
                                        const struct sotto_dataset *held_out, double *accuracy,
                                        struct sotto_fault *fault)
{
    size_t lane_count = world->layout.lane_count;
    struct sotto_dataset pooled;
    struct sotto_entropy entropy;
    struct sotto_training_task task = {.dataset = &pooled,
                                       .fit = fit_of(world->scenario, world->scenario->seed)};
    float *lanes = calloc(2 * lane_count, sizeof *lanes);
    enum sotto_status status = lanes != NULL ? pooled_open(&pooled, world) : SOTTO_NO_MEMORY;

    if (status != SOTTO_OK) {
        free(lanes);
        return status;
    }
    sotto_entropy_init_seeded(&entropy, world->scenario->seed);
    status = sotto_model_start(lanes, world->model, &world->layout, &entropy, fault);
    task.start = lanes;
    task.trained = lanes + lane_count;
    if (status == SOTTO_OK)
        status = sotto_training_run(&world->crew, &task, 1, fault);
    if (status == SOTTO_OK)
        status = accuracy_mean_of(&world->crew, &task, 1, held_out, accuracy, fault);
    sotto_dataset_close(&pooled);
    free(lanes);
    return status;
}
