/*
 * Local training of many virtual sites on a few threads, by the trainer that ships. Each task has
 * its own seed and the trainers share nothing but the base model, so the results do not depend on
 * the number of threads.
 */
#ifndef SOTTO_SIMULATIONS_TRAINING_H
#define SOTTO_SIMULATIONS_TRAINING_H

#include "models/trainer.h"

struct sotto_training_task {
    const float *start; /* [lane_count] */
    const struct sotto_dataset *dataset;
    struct sotto_fit fit;
    float *trained; /* out [lane_count] */
    enum sotto_status status;
};

struct sotto_training_crew {
    const struct sotto_model *model;
    const struct sotto_layout *layout;
    uint32_t threads;
    uint32_t batch_max;
};

/*
 * Fits every task. The first failure in task order is returned; SOTTO_NO_MEMORY: no trainer could
 * be made.
 */
SOTTO_CHECKED enum sotto_status sotto_training_run(const struct sotto_training_crew *crew,
                                                   struct sotto_training_task *tasks,
                                                   size_t task_count, struct sotto_fault *fault);

/* Scores one adapter, splitting the examples among the threads. */
SOTTO_CHECKED enum sotto_status sotto_training_score(const struct sotto_training_crew *crew,
                                                     const float *lanes,
                                                     const struct sotto_dataset *dataset,
                                                     struct sotto_score *score,
                                                     struct sotto_fault *fault);

#endif
